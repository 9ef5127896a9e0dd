"""The newsroom's own search, never mixed with the readers', and the page of stories that go with one."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import chain, pairwise

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from spectator import indexing, publishing, queries, related
from spectator.models import User
from spectator.newsroom import story_search
from spectator.newsroom.finding import named
from spectator.search import Request
from tests.conftest import draft
from tests.newsroom_visits import post, visitor


@pytest.fixture
def follow(app: Flask) -> Callable[[], None]:
    """Return a function that does what the worker does, to the end."""

    def work() -> None:
        index, newsroom = (make(app.config["DATA_DIR"]) for make in (indexing.index_in, indexing.newsroom_index_in))
        while indexing.catch_up(index) or indexing.catch_up(newsroom, indexing.NEWSROOM) or related.follow(index):
            pass

    return work


def private(app: Flask, text: str) -> list[int]:
    return indexing.newsroom_index_in(app.config["DATA_DIR"]).find(Request(text)).ids


def public(app: Flask, text: str) -> list[int]:
    return indexing.index_in(app.config["DATA_DIR"]).find(Request(text)).ids


def test_a_story_is_in_one_index_at_a_time(app: Flask, editor: User, follow: Callable[[], None]) -> None:
    article_id = publishing.create(draft(headline="Harmattan", body="Dust over the Sahel."), editor)
    follow()
    assert (private(app, "harmattan"), public(app, "harmattan")) == ([article_id], [])
    publishing.submit(article_id, editor)
    follow()
    assert (private(app, "dust"), public(app, "dust")) == ([article_id], [])
    publishing.publish(article_id, editor)
    follow()
    assert (private(app, "harmattan"), public(app, "harmattan")) == ([], [article_id])
    publishing.withdraw(article_id, editor, "Wrong.")
    follow()
    assert (private(app, "harmattan"), public(app, "harmattan")) == ([article_id], [])


def test_a_rebuild_holds_the_same(
    app: Flask, editor: User, story: Callable[..., int], follow: Callable[[], None]
) -> None:
    kept = publishing.create(draft(headline="Harmattan"), editor)
    story(headline="Monsoon")
    follow()
    newsroom = indexing.newsroom_index_in(app.config["DATA_DIR"])
    indexing.rebuild(newsroom, source=indexing.NEWSROOM)
    assert newsroom.versions() == queries.unpublished_versions() == {kept: 1}
    assert newsroom.position() == queries.newest_revision()


@pytest.mark.parametrize("source", ["PUBLIC", "NEWSROOM"])
def test_what_an_index_lacks_or_holds_in_vain_is_mended(
    app: Flask, editor: User, story: Callable[..., int], follow: Callable[[], None], source: str
) -> None:
    story(headline="Monsoon")
    publishing.create(draft(headline="Harmattan"), editor)
    follow()
    kind = getattr(indexing, source)
    index = (indexing.index_in if source == "PUBLIC" else indexing.newsroom_index_in)(app.config["DATA_DIR"])
    right, position = index.versions(), index.position()
    (article_id,) = right
    other = queries.stories_by_id([article_id])[0]
    in_vain = indexing.document_of(other)
    index.apply(
        {article_id: None, 999: type(in_vain)(**{**{n: getattr(in_vain, n) for n in in_vain.__slots__}, "id": 999})},
        position or 0,
    )
    assert indexing.mend(index, kind) == ({article_id}, {999})
    assert index.versions() == right
    assert indexing.mend(index, kind) == (set(), set())


def test_people_find_what_is_not_public(
    app: Flask, editor: User, story: Callable[..., int], follow: Callable[[], None]
) -> None:
    draft_id = publishing.create(draft(headline="Harmattan <b>", body="Dust over the Sahel."), editor)
    public_id = story(headline="Dust again")
    follow()
    client = visitor(app)
    page = client.get("/newsroom/search?q=dust").text
    assert f"/newsroom/stories/{draft_id}" in page and "<mark>Dust</mark> over" in page and "&lt;b&gt;" in page
    assert f"/newsroom/stories/{public_id}" in page and "2 stories" in page
    page = client.get("/newsroom/search?q=dust&in=unpublished").text
    assert f"/newsroom/stories/{draft_id}" in page and f'/newsroom/stories/{public_id}"' not in page
    page = client.get("/newsroom/search?q=dust&in=published").text
    assert f"/newsroom/stories/{public_id}" in page and f'/newsroom/stories/{draft_id}"' not in page
    assert "No unpublished story" in client.get("/newsroom/search?q=zzz&in=unpublished").text
    assert client.get("/newsroom/search?q=&page=0").status_code == 200


def test_authors_find_their_own_drafts_alone(app: Flask, editor: User, follow: Callable[[], None]) -> None:
    client = visitor(app, "author")
    author = next(user for user in queries.users() if user.role == "author")
    own = publishing.create(draft(headline="Dust of mine"), author)
    foreign = publishing.create(draft(headline="Dust of others"), editor)
    follow()
    page = client.get("/newsroom/search?q=dust").text
    assert f"/newsroom/stories/{own}" in page and "1 story" in page and f"/newsroom/stories/{foreign}" not in page


def test_an_author_finds_a_story_that_many_others_precede(
    app: Flask, editor: User, follow: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story_search, "PER_PAGE", 1)
    client = visitor(app, "author")
    author = next(user for user in queries.users() if user.role == "author")
    for number in range(5):
        publishing.create(draft(headline=f"Dust, dust {number}"), editor)
    own = publishing.create(draft(body="Little of it. " * 50 + "Some dust."), author)
    follow()
    assert private(app, "dust")[-1] == own
    page = client.get("/newsroom/search?q=dust").text
    assert f"/newsroom/stories/{own}" in page and "1 story" in page and "Next" not in page


def test_pages_follow_each_other_and_stop(
    app: Flask, editor: User, follow: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story_search, "PER_PAGE", 2)
    for number in range(3):
        publishing.create(draft(headline=f"Dust {number}"), editor)
    follow()
    client = visitor(app)
    first, second, beyond = (client.get(f"/newsroom/search?q=dust&page={number}").text for number in (1, 2, 3))
    assert "3 stories" in first and "page=2" in first and "Previous" not in first
    assert "page=1" in second and "page=3" not in second
    assert "There are no more stories" in beyond
    for rubbish in ("0", "-1", "99", "1000", "x", "٣"):
        assert client.get(f"/newsroom/search?q=dust&page={rubbish}").status_code == 200


def published(editor: User, at: datetime, **more: object) -> int:
    article_id = publishing.create(draft(**more), editor)
    publishing.publish(article_id, editor, at)
    return article_id


def found_in(page: str) -> list[int]:
    return [int(each) for each in re.findall(r'<h2[^>]*>\s*<a href="/newsroom/stories/(\d+)"', page)]


def test_the_search_opens_on_all_stories_with_their_dates(app: Flask, editor: User, follow: Callable[[], None]) -> None:
    public_id = published(editor, datetime(2024, 5, 6, 12, tzinfo=UTC), headline="Public")
    draft_id = publishing.create(draft(headline="Private"), editor)
    follow()
    page = visitor(app).get("/newsroom/search").text
    assert found_in(page) == [draft_id, public_id]
    assert "published" in page and "6 May 2024" in page


@pytest.mark.parametrize("words", ["", "dust"])
def test_the_search_is_narrowed_by_section_author_and_year(
    app: Flask, editor: User, follow: Callable[[], None], words: str
) -> None:
    plain = {"headline": "Dust", "section": "politics", "authors": ("Ama Mensah",)}
    at = datetime(2024, 5, 6, 12, tzinfo=UTC)
    wanted = published(editor, at, **plain)
    published(editor, at, **plain | {"section": "business"})
    published(editor, at, **plain | {"authors": ("Kofi Boateng",)})
    published(editor, datetime(2023, 5, 6, 12, tzinfo=UTC), **plain)
    publishing.create(draft(**plain), editor)  # of this year, since it was saved now
    follow()
    client = visitor(app)
    address = f"/newsroom/search?q={words}&section=politics&year=2024&author="
    assert found_in(client.get(address + "Ama+Mensah").text) == [wanted]
    page = client.get(address + "mensah")
    assert found_in(page.text) == [wanted]
    assert 'value="Ama Mensah"' in page.text  # the whole name is shown
    assert "No author is called “Nobody &lt;b&gt;”" in client.get(address + "Nobody+<b>").text
    for odd in ("year=0000", "year=99999", "year=x&section=%00&in=nothing&page=-1", "section=<b>"):
        assert client.get(f"/newsroom/search?q={words}&{odd}").status_code == 200


def test_stories_of_both_indexes_take_turns(
    app: Flask,
    editor: User,
    story: Callable[..., int],
    follow: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(story_search, "PER_PAGE", 2)
    public_ids = {story(headline=f"Dust {number}") for number in range(5)}
    draft_ids = {publishing.create(draft(headline=f"Dust {number}"), editor) for number in range(2)}
    follow()
    client = visitor(app)
    pages = [found_in(client.get(f"/newsroom/search?q=dust&page={number}").text) for number in range(1, 6)]
    assert [len(page) for page in pages] == [2, 2, 2, 1, 0]
    assert [[each in draft_ids for each in page] for page in pages[:2]] == [[True, False], [True, False]]
    assert sorted(chain.from_iterable(pages)) == sorted(public_ids | draft_ids)  # each once


@given(st.integers(0, 30), st.integers(0, 30))
def test_turns_take_every_story_once(first: int, second: int) -> None:
    taken = [story_search.taken(first, second, count) for count in range(first + second + 1)]
    assert taken[0] == 0 and taken[-1] == first
    assert all(later - earlier in (0, 1) for earlier, later in pairwise(taken))
    assert all(0 <= count - number <= second for count, number in enumerate(taken))


def test_a_match_of_every_word_hides_partial_ones_of_the_other_index(
    app: Flask, editor: User, story: Callable[..., int], follow: Callable[[], None]
) -> None:
    whole = story(headline="Harmattan dust")
    publishing.create(draft(headline="Harmattan alone"), editor)
    follow()
    page = visitor(app).get("/newsroom/search?q=harmattan+dust").text
    assert found_in(page) == [whole] and "1 story" in page


def test_nobody_else_finds_anything(client: FlaskClient) -> None:
    assert client.get("/newsroom/search?q=dust").status_code == 303
    assert client.get("/newsroom/stories/1/related").status_code == 303


def test_without_an_index_the_page_says_so(app: Flask) -> None:
    answer = visitor(app).get("/newsroom/search?q=dust")
    assert answer.status_code == 503 and "being rebuilt" in answer.text


def test_pin_forbid_and_undo_by_form(app: Flask, story: Callable[..., int], follow: Callable[[], None]) -> None:
    this, other = story(headline="This"), story(headline="That", section="health")
    follow()
    client, path = visitor(app), f"/newsroom/stories/{this}/related"
    assert post(client, path, {"related": "http://localhost/health/that?x=1", "kind": "pin"}).status_code == 303
    assert queries.related_choices(this) == ([other], set())
    follow()
    assert "Unpin" in client.get(path).text
    post(client, path, {"related": str(other), "kind": "forbid"})
    follow()
    page = client.get(path).text
    assert "Never shown together" in page and "Allow again" in page
    post(client, f"/newsroom/stories/{other}/related", {"related": str(this), "kind": ""})
    assert queries.related_choices(this) == ([], set()), "undone from the other side"


@pytest.mark.parametrize("given", ["", "nothing like it", "999999", "https://elsewhere.example/x/y"])
def test_a_story_that_is_none_is_refused_beside_the_field(app: Flask, story: Callable[..., int], given: str) -> None:
    this = story()
    answer = post(visitor(app), f"/newsroom/stories/{this}/related", {"related": given, "kind": "pin"})
    assert answer.status_code == 422 and "related-error" in answer.text


def test_authors_may_look_and_not_decide(app: Flask, story: Callable[..., int]) -> None:
    client = visitor(app, "author")
    author = next(user for user in queries.users() if user.role == "author")
    own, other = publishing.create(draft(), author), story(headline="Other")
    page = client.get(f"/newsroom/stories/{own}/related")
    assert page.status_code == 200 and "Pin another story" not in page.text
    assert post(client, f"/newsroom/stories/{own}/related", {"related": str(other), "kind": "pin"}).status_code == 403
    assert client.get(f"/newsroom/stories/{other}/related").status_code == 403


def test_a_story_is_named_by_number_or_address(story: Callable[..., int]) -> None:
    this = story(headline="A headline")
    for text in (
        str(this),
        "/politics/a-headline",
        "https://x.example/politics/a-headline/#top",
        f"/newsroom/stories/{this}/history",
    ):
        assert named(text) == this
    assert named("/politics/none") is None
