"""The newsroom's own search, and its index of unpublished stories."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain, pairwise

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from spectator import indexing, publishing, queries
from spectator.models import User
from spectator.newsroom import story_search
from spectator.publishing import Action
from spectator.search import SearchRequest
from spectator.search.language import slugs
from tests.conftest import make_draft
from tests.newsroom_client import logged_in_client
from tests.newsroom_indexes import update_indexes as update_indexes


def search_unpublished(app: Flask, text: str) -> list[int]:
    return indexing.open_newsroom_index(app.config["DATA_DIR"]).find(SearchRequest(text)).ids


def search_published(app: Flask, text: str) -> list[int]:
    return indexing.open_public_index(app.config["DATA_DIR"]).find(SearchRequest(text)).ids


def test_a_story_is_in_one_index_at_a_time(
    app: Flask, editor: User, update_indexes: Callable[[], None]
) -> None:
    article_id = publishing.create(
        make_draft(headline="Harmattan", body="Dust over the Sahel."), editor
    )
    update_indexes()
    assert (search_unpublished(app, "harmattan"), search_published(app, "harmattan")) == (
        [article_id],
        [],
    )
    publishing.apply_action(article_id, editor, Action("submit"))
    update_indexes()
    assert (search_unpublished(app, "dust"), search_published(app, "dust")) == ([article_id], [])
    publishing.apply_action(article_id, editor, Action("publish"))
    update_indexes()
    assert (search_unpublished(app, "harmattan"), search_published(app, "harmattan")) == (
        [],
        [article_id],
    )
    publishing.apply_action(article_id, editor, Action("withdraw", note="Wrong."))
    update_indexes()
    assert (search_unpublished(app, "harmattan"), search_published(app, "harmattan")) == (
        [article_id],
        [],
    )


def test_a_rebuilt_newsroom_index_holds_the_same_stories(
    app: Flask, editor: User, story: Callable[..., int], update_indexes: Callable[[], None]
) -> None:
    draft_id = publishing.create(make_draft(headline="Harmattan"), editor)
    story(headline="Monsoon")
    update_indexes()
    newsroom = indexing.open_newsroom_index(app.config["DATA_DIR"])
    indexing.rebuild(newsroom, source=indexing.NEWSROOM)
    assert newsroom.versions() == queries.unpublished_versions() == {draft_id: 1}
    assert newsroom.offset() == queries.newest_revision_id()


@pytest.mark.parametrize("source", ["PUBLIC", "NEWSROOM"])
def test_repair_adds_missing_and_drops_orphaned_documents(
    app: Flask,
    editor: User,
    story: Callable[..., int],
    update_indexes: Callable[[], None],
    source: str,
) -> None:
    story(headline="Monsoon")
    publishing.create(make_draft(headline="Harmattan"), editor)
    update_indexes()
    kind = getattr(indexing, source)
    index = (indexing.open_public_index if source == "PUBLIC" else indexing.open_newsroom_index)(
        app.config["DATA_DIR"]
    )
    versions, offset = index.versions(), index.offset()
    [article_id] = versions
    [article] = queries.newsroom_articles_by_id([article_id])
    orphaned = replace(indexing.build_document(article), id=999)
    index.apply({article_id: None, orphaned.id: orphaned}, offset or 0)
    assert indexing.repair(index, kind) == ({article_id}, {orphaned.id})
    assert index.versions() == versions
    assert indexing.repair(index, kind) == (set(), set())


def test_the_newsroom_search_finds_unpublished_and_published_stories(
    app: Flask, editor: User, story: Callable[..., int], update_indexes: Callable[[], None]
) -> None:
    draft_id = publishing.create(
        make_draft(headline="Harmattan <b>", body="Dust over the Sahel."), editor
    )
    public_id = story(headline="Dust again")
    update_indexes()
    client = logged_in_client(app)
    page = client.get("/newsroom/search?q=dust").text
    assert (
        f"/newsroom/stories/{draft_id}" in page
        and "<mark>Dust</mark> over" in page
        and "&lt;b&gt;" in page
    )
    assert f"/newsroom/stories/{public_id}" in page and "2 stories" in page
    page = client.get("/newsroom/search?q=dust&in=unpublished").text
    assert (
        f"/newsroom/stories/{draft_id}" in page and f'/newsroom/stories/{public_id}"' not in page
    )
    page = client.get("/newsroom/search?q=dust&in=published").text
    assert (
        f"/newsroom/stories/{public_id}" in page and f'/newsroom/stories/{draft_id}"' not in page
    )
    assert "No unpublished story" in client.get("/newsroom/search?q=zzz&in=unpublished").text
    assert client.get("/newsroom/search?q=&page=0").status_code == 200


def test_authors_find_only_their_own_drafts(
    app: Flask, editor: User, update_indexes: Callable[[], None]
) -> None:
    client = logged_in_client(app, "author")
    author = next(user for user in queries.users() if user.role == "author")
    own = publishing.create(make_draft(headline="Dust of mine"), author)
    colleagues = publishing.create(make_draft(headline="Dust of others"), editor)
    update_indexes()
    page = client.get("/newsroom/search?q=dust").text
    assert (
        f"/newsroom/stories/{own}" in page
        and "1 story" in page
        and f"/newsroom/stories/{colleagues}" not in page
    )


def test_an_author_finds_an_own_draft_that_ranks_below_many_others(
    app: Flask, editor: User, update_indexes: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story_search, "PER_PAGE", 1)
    client = logged_in_client(app, "author")
    author = next(user for user in queries.users() if user.role == "author")
    for number in range(5):
        publishing.create(make_draft(headline=f"Dust, dust {number}"), editor)
    own = publishing.create(make_draft(body="Little of it. " * 50 + "Some dust."), author)
    update_indexes()
    assert search_unpublished(app, "dust")[-1] == own
    page = client.get("/newsroom/search?q=dust").text
    assert f"/newsroom/stories/{own}" in page and "1 story" in page and "Next" not in page


def test_search_results_are_split_into_pages(
    app: Flask, editor: User, update_indexes: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story_search, "PER_PAGE", 2)
    for number in range(3):
        publishing.create(make_draft(headline=f"Dust {number}"), editor)
    update_indexes()
    client = logged_in_client(app)
    first, second, beyond = (
        client.get(f"/newsroom/search?q=dust&page={number}").text for number in (1, 2, 3)
    )
    assert "3 stories" in first and "page=2" in first and "Previous" not in first
    assert "page=1" in second and "page=3" not in second
    assert "There are no more stories" in beyond
    for rubbish in ("0", "-1", "99", "1000", "x", "٣"):
        assert client.get(f"/newsroom/search?q=dust&page={rubbish}").status_code == 200


def publish_at(editor: User, at: datetime, **fields: object) -> int:
    article_id = publishing.create(make_draft(**fields), editor)
    publishing.apply_action(article_id, editor, Action("publish", at))
    return article_id


def listed_ids(page: str) -> list[int]:
    """Return the ids of the stories that a page of results links to."""
    return [
        int(article_id)
        for article_id in re.findall(r'<h2[^>]*>\s*<a href="/newsroom/stories/(\d+)"', page)
    ]


def test_an_empty_search_lists_all_stories_with_their_dates(
    app: Flask, editor: User, update_indexes: Callable[[], None]
) -> None:
    public_id = publish_at(editor, datetime(2024, 5, 6, 12, tzinfo=UTC), headline="Public")
    draft_id = publishing.create(make_draft(headline="Private"), editor)
    update_indexes()
    page = logged_in_client(app).get("/newsroom/search").text
    assert listed_ids(page) == [draft_id, public_id]
    assert "published" in page and "6 May 2024" in page


def test_years_to_choose_from_begin_in_the_newsrooms_zone(app: Flask, editor: User) -> None:
    publish_at(editor, datetime(2023, 12, 31, 23, 30, tzinfo=UTC))
    app.config["TIMEZONE"] = "Africa/Nairobi"  # three hours ahead
    page = logged_in_client(app).get("/newsroom/search").text
    assert '<option value="2024"' in page and '<option value="2023"' not in page


@pytest.mark.parametrize("words", ["", "dust"])
def test_the_search_can_be_filtered_by_section_author_and_year(
    app: Flask, editor: User, update_indexes: Callable[[], None], words: str
) -> None:
    plain = {"headline": "Dust", "section": "politics", "authors": ("Ama Mensah",)}
    at = datetime(2024, 5, 6, 12, tzinfo=UTC)
    wanted = publish_at(editor, at, **plain)
    publish_at(editor, at, **plain | {"section": "business"})
    publish_at(editor, at, **plain | {"authors": ("Kofi Boateng",)})
    publish_at(editor, datetime(2023, 5, 6, 12, tzinfo=UTC), **plain)
    publishing.create(make_draft(**plain), editor)  # a draft's year is that of its last save
    update_indexes()
    client = logged_in_client(app)
    address = f"/newsroom/search?q={words}&section=politics&year=2024&author="
    assert listed_ids(client.get(address + "Ama+Mensah").text) == [wanted]
    page = client.get(address + "mensah")
    assert listed_ids(page.text) == [wanted]
    assert 'value="Ama Mensah"' in page.text, "the field shows the full name"
    assert "No author is called “Nobody &lt;b&gt;”" in client.get(address + "Nobody+<b>").text
    for odd in (
        "year=0000",
        "year=99999",
        "year=x&section=%00&in=nothing&page=-1",
        "section=<b>",
    ):
        assert client.get(f"/newsroom/search?q={words}&{odd}").status_code == 200


@pytest.mark.parametrize(
    ("year", "count"), [("0001", 1), ("999", 1), ("1000", 0), ("8999", 0), ("9000", 1)]
)
@pytest.mark.parametrize("words", ["", "dust"])
def test_years_of_fewer_or_more_than_four_digits_are_no_filter(
    app: Flask,
    editor: User,
    update_indexes: Callable[[], None],
    words: str,
    year: str,
    count: int,
) -> None:
    app.config["TIMEZONE"] = "Africa/Nairobi"  # where the year 1 began before the first date
    publish_at(editor, datetime(2024, 5, 6, 12, tzinfo=UTC), headline="Dust")
    update_indexes()
    page = logged_in_client(app).get(f"/newsroom/search?q={words}&year={year}")
    assert (page.status_code, len(listed_ids(page.text))) == (200, count)


def test_results_of_both_indexes_alternate(
    app: Flask,
    editor: User,
    story: Callable[..., int],
    update_indexes: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(story_search, "PER_PAGE", 2)
    public_ids = {story(headline=f"Dust {number}") for number in range(5)}
    draft_ids = {
        publishing.create(make_draft(headline=f"Dust {number}"), editor) for number in range(2)
    }
    update_indexes()
    client = logged_in_client(app)
    pages = [
        listed_ids(client.get(f"/newsroom/search?q=dust&page={number}").text)
        for number in range(1, 6)
    ]
    assert [len(page) for page in pages] == [2, 2, 2, 1, 0]
    assert [[article_id in draft_ids for article_id in page] for page in pages[:2]] == [
        [True, False],
        [True, False],
    ]
    assert sorted(chain.from_iterable(pages)) == sorted(public_ids | draft_ids)


@given(st.integers(0, 30), st.integers(0, 30))
def test_alternating_results_contain_every_story_once(first: int, second: int) -> None:
    counts_from_first = [
        story_search.interleaved_count(first, second, total)
        for total in range(first + second + 1)
    ]
    assert counts_from_first[0] == 0 and counts_from_first[-1] == first
    assert all(later - earlier in (0, 1) for earlier, later in pairwise(counts_from_first))
    counts_from_second = [total - count for total, count in enumerate(counts_from_first)]
    assert all(0 <= count <= second for count in counts_from_second)


def test_a_full_match_in_one_index_hides_partial_matches_in_the_other(
    app: Flask, editor: User, story: Callable[..., int], update_indexes: Callable[[], None]
) -> None:
    full_match = story(headline="Harmattan dust")
    publishing.create(make_draft(headline="Harmattan alone"), editor)
    update_indexes()
    page = logged_in_client(app).get("/newsroom/search?q=harmattan+dust").text
    assert listed_ids(page) == [full_match] and "1 story" in page


def test_the_search_page_says_if_a_search_was_too_broad(
    app: Flask, editor: User, update_indexes: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("Moussa Afp", "Awa Afp"):
        publishing.create(make_draft(headline="Dust", authors=[name]), editor)
    update_indexes()
    client = logged_in_client(app)
    assert "too broad" not in client.get("/newsroom/search?q=dust+by:afp").text
    monkeypatch.setattr(slugs, "MAX_SLUGS", 1)
    page = client.get("/newsroom/search?q=dust+by:afp").text
    assert "This search is too broad" in page and "1 story" in page
    assert "too broad" not in client.get("/newsroom/search?q=dust+by:moussa").text


def test_the_search_page_reports_a_missing_index(app: Flask) -> None:
    response = logged_in_client(app).get("/newsroom/search?q=dust")
    assert response.status_code == 503 and "being rebuilt" in response.text
