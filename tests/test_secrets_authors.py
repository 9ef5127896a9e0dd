"""No newsroom page tells an author about colleagues' unpublished stories.

Colleagues' stories contain canaries, words that occur nowhere else. `ROUTES` lists every newsroom
route with the requests to send; a new route without an entry fails a test.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from spectator import indexing, publishing, queries
from spectator.db import db
from spectator.models import Article, Author, Topic, User
from spectator.newsroom.story_references import is_visible
from spectator.publishing import Action, SimilarNamesError, SpellingAnswer
from spectator.related import RelatedConsumer
from tests.conftest import make_draft
from tests.newsroom_client import (
    create_story,
    logged_in_client,
    picture_file,
    post,
    story_form,
)

STATES = ("draft", "review", "scheduled")
# Written as in colleagues' stories. The requests below have them in lower case, so that a page
# that only repeats the request contains none.
CANARIES = (
    "Quokka headline",
    "Quokka dek",
    "Quokka body",
    "Quokka Topic",
    "Quokka Writer",
    "Quokka Agency",
    "quokka.example",
    "Quokka alt",
    "quokka-headline-2",
)
QUOKKA_STORY = {
    "headline": "quokka headline",
    "topics": "quokka topic",
    "authors": "quokka writer",
    "do": "save",
}
STORY_FORM = story_form(**QUOKKA_STORY, source_name="quokka")
SLUG = {"section": "business", "slug": "quokka-headline", "headline": "Anything"}
SCOPES = ("", "&in=published", "&in=unpublished", "&page=2", "&section=business", "&year=2026")
SEARCHES = (
    "quokka",
    "quo*",
    "quoka",
    "quokka zebra",
    "by:quokka",
    "topic:quokka",
    "in:business quokka",
    "-zebra",
)
TYPED_TEXTS = ("", "q", "quo", "quokka", "writer", "topic", "agency", "example")


@dataclass(frozen=True)
class Requests:
    """Requests for a route: queries to read it with, and forms to post."""

    queries: tuple[str, ...] = ("",)
    forms: tuple[dict[str, Any], ...] = ({},)


SEARCH_FILTERS = (
    "",
    "in=unpublished",
    "author=quokka",
    "author=quo",
    "q=zebra&author=quokka",
    "year=2099",
    "section=business",
)


ROUTES: dict[str, Requests] = {
    "index": Requests(),
    "account": Requests(),
    "save_account": Requests(
        forms=({"language": "fr", "time_zone": "Africa/Lagos"}, {"language": "x"})
    ),
    "stories": Requests(
        (
            "",
            "q=quokka",
            "q=headline",
            "status=draft",
            "status=review",
            "status=scheduled",
            "page=2",
        )
    ),
    "new_story": Requests(
        (
            "",
            "restore=aaaaaaaaaaaaaaaaaaaaaa",
            *(f"translation_of={number}" for number in range(1, 9)),
        )
    ),
    "create_story": Requests(forms=(STORY_FORM, story_form(**SLUG | {"do": "save"}))),
    "edit_story": Requests(),
    "save_story": Requests(forms=(STORY_FORM | {"version": "1"}, STORY_FORM | {"version": "7"})),
    "merge_story": Requests(
        forms=(STORY_FORM | {"version": "1", "mine.headline": "x", "choice.headline": "theirs"},)
    ),
    "unsaved_text": Requests(("", "copy=aaaaaaaaaaaaaaaaaaaaaa"), ({"copy": "a" * 22},)),
    "bring_back": Requests(forms=({"copy": "a" * 22},)),
    "discard": Requests(forms=({"copy": "a"}, {"copy": "a", "story": "1"})),
    "publish": Requests(),
    "submit": Requests(),
    "send_back": Requests(),
    "unschedule": Requests(),
    "reinstate": Requests(),
    "withdraw": Requests(forms=({"reason": "Wrong."}, {})),
    "edit_note": Requests(
        forms=({"note_kind": "update", "note_text": "x", "note_original": ""},)
    ),
    "remove_note": Requests(),
    "preview": Requests(("", "copy=aaaaaaaaaaaaaaaaaaaaaa")),
    "preview_new": Requests(("copy=aaaaaaaaaaaaaaaaaaaaaa",)),
    "proof": Requests(("", "copy=aaaaaaaaaaaaaaaaaaaaaa")),
    "proof_new": Requests(("copy=aaaaaaaaaaaaaaaaaaaaaa",)),
    "proof_unsaved": Requests(forms=(STORY_FORM | {"copy": "d" * 22},)),
    "proof_unsaved_new": Requests(forms=(STORY_FORM | {"copy": "e" * 22},)),
    "create_link": Requests(forms=({"days": "7"},)),
    "revoke_link": Requests(),
    "shared_preview": Requests(),
    "history": Requests(),
    "compare": Requests(("", "from=1&to=2")),
    "restore_revision": Requests(forms=({"version": "1"},)),
    "search": Requests(
        SEARCH_FILTERS + tuple(f"q={words}{scope}" for words in SEARCHES for scope in SCOPES)
    ),
    "related": Requests(),
    "mark_checked": Requests(forms=({"original_version": "1"},)),
    "set_related": Requests(
        forms=tuple({"related": str(number), "kind": "pin"} for number in range(1, 9))
    ),
    "pages": Requests(),
    "new_page": Requests(),
    "create_page": Requests(forms=({"title": "quokka", "body": "x"},)),
    "edit_page": Requests(),
    "save_page": Requests(forms=({"title": "quokka", "body": "x"},)),
    "change_page_status": Requests(),
    "page_history": Requests(),
    "restore_page": Requests(),
    "preview_page": Requests(),
    "preview_unsaved_page": Requests(forms=({"title": "quokka", "body": "x"},)),
    "menus": Requests(),
    "add_to_menu": Requests(forms=({"page": "1"},)),
    "change_menu": Requests(forms=({"do": "up"},)),
    "searches": Requests(("", "days=90")),
    "taxonomy": Requests(("", "kind=topic", "kind=topic&q=quokka")),
    "translate_name": Requests(forms=({"name-fr": "Quokka"},)),
    "status": Requests(),
    "redirects": Requests(("", "test=/?p=1", "q=quokka")),
    "add_redirect": Requests(forms=({"address": "/quokka", "target": "/archive/"},)),
    "import_redirects": Requests(),
    "remove_redirect": Requests(forms=({"address": "/quokka"},)),
    "autosave": Requests(forms=(STORY_FORM | {"copy": "b" * 22},)),
    "autosave_new": Requests(forms=(STORY_FORM | {"copy": "c" * 22},)),
    "presence": Requests(forms=({"version": "1"},)),
    "address": Requests(
        forms=(SLUG, SLUG | {"slug": ""}, SLUG | {"slug": "", "headline": "quokka headline"})
    ),
    "address_new": Requests(
        forms=(SLUG, SLUG | {"slug": ""}, SLUG | {"slug": "", "headline": "quokka headline"})
    ),
    "preview_frame": Requests(("copy=aaaaaaaaaaaaaaaaaaaaaa",)),
    "preview_frame_new": Requests(("copy=aaaaaaaaaaaaaaaaaaaaaa",)),
    "suggestions": Requests(tuple(f"q={text}" for text in TYPED_TEXTS)),
    "body_picture": Requests(forms=({"alt": "x"},)),
    # These show a person's own account, whatever stories there are.
    "session_fragment": Requests(),
    "password": Requests(),
}
# Routes that end or start a session and show no story.
WITHOUT_STORIES = {"login", "logout", "change_password"}
KINDS = ("authors", "topics", "sources", "stories", "countries")
READ_ONLY_POSTS = {"address", "address_new"}


@dataclass
class Newsroom:
    """Author's browser, ids of own stories and a public one, and ids of colleagues' secrets."""

    client: FlaskClient
    author: User
    own: list[int]
    others: list[int] = field(default_factory=list)


def endpoints(app: Flask) -> set[str]:
    """Return every route of the newsroom."""
    names = {rule.endpoint for rule in app.url_map.iter_rules()}
    return {name.removeprefix("newsroom.") for name in names if name.startswith("newsroom.")}


def test_every_newsroom_route_is_listed(app: Flask) -> None:
    assert endpoints(app) - WITHOUT_STORIES == ROUTES.keys()


def urls(app: Flask, method: str, ids: list[int]) -> Iterator[tuple[str, str]]:
    """Yield (endpoint, path) of every listed route with this method, for each of the stories."""
    with app.test_request_context() as context:
        adapter = context.url_adapter
        assert adapter is not None
        for rule in app.url_map.iter_rules():
            name = rule.endpoint.removeprefix("newsroom.")
            if name == rule.endpoint or name not in ROUTES or method not in (rule.methods or ()):
                continue
            for article_id in ids if "article_id" in rule.arguments else ids[:1]:
                for kind in KINDS if "kind" in rule.arguments else KINDS[:1]:
                    values = {"article_id": article_id, "kind": kind, "token": "x"}
                    values |= dict.fromkeys(("number", "note_id", "link_id", "row_id"), 1)
                    values |= {"named": "topic", "page_id": 1, "menu": "footer"}
                    values["action"] = "withdraw"
                    yield (
                        name,
                        adapter.build(
                            rule.endpoint, {key: values[key] for key in rule.arguments}
                        ),
                    )


def reads(app: Flask, room: Newsroom, ids: list[int]) -> dict[str, tuple[int, str]]:
    """Return an author's responses from every read-only URL, without random tokens."""
    pages = {}
    for name, path in urls(app, "GET", ids):
        for query in ROUTES[name].queries:
            address = f"{path}?{query}" if query else path
            pages[address] = plain(room.client.get(address))
    for name, path in urls(app, "POST", ids):
        for number, form in enumerate(ROUTES[name].forms if name in READ_ONLY_POSTS else ()):
            pages[f"{path} {number}"] = plain(post(room.client, path, dict(form)))
    return pages


def plain(response: TestResponse) -> tuple[int, str]:
    """Return status and page of a response, without its random tokens."""
    return response.status_code, re.sub(
        r"[\w.=-]{20,}", "…", f"{response.location} {response.text}"
    )


@pytest.fixture
def follow(app: Flask) -> Callable[[], None]:
    """Return a function that updates both indexes and related stories as the worker does."""

    def run_consumers() -> None:
        index, newsroom = (
            make(app.config["DATA_DIR"])
            for make in (indexing.open_public_index, indexing.open_newsroom_index)
        )
        consumer = RelatedConsumer()
        while (
            indexing.catch_up(index)
            or indexing.catch_up(newsroom, indexing.NEWSROOM)
            or consumer.catch_up(index)
        ):
            pass

    return run_consumers


@pytest.fixture
def room(
    app: Flask, editor: User, story: Callable[..., int], follow: Callable[[], None]
) -> Newsroom:
    """Author with a draft and a published story, and two published stories of a colleague."""
    client = logged_in_client(app, "author")
    author = next(user for user in queries.users() if user.role == "author")
    story(
        headline="Public story",
        topics=("Elections",),
        authors=("Ama Serwaa",),
        source_name="Wire",
    )
    text = "A story about zebra crossings, elections and the business of ports."
    # Words that only one story has do not make stories similar.
    story(headline="Another zebra", body=text)
    own = [
        publishing.create(make_draft(headline=f"My {name} zebra", body=text), author)
        for name in ("first", "second")
    ]
    publishing.apply_action(own[1], editor, Action("publish"))
    follow()
    return Newsroom(client, author, own)


def plant(app: Flask, room: Newsroom, editor: User, follow: Callable[[], None]) -> None:
    """Create a colleague's story full of canaries in each private status."""
    colleague = logged_in_client(app)
    at = datetime.now(UTC) + timedelta(days=1000)  # in a year of no other story
    for state, action in zip(STATES, ("save", "submit", "schedule"), strict=True):
        fields = {
            "headline": "Quokka headline",
            "dek": "Quokka dek",
            "body": f"Quokka body in {state}, about zebra crossings, elections and the "
            "business of ports.",
            "authors": "Quokka Writer",
            "topics": "Quokka Topic, Elections",
            "source_name": "Quokka Agency",
            "source_url": "https://quokka.example/wire",
            "picture": picture_file((320, 200)),
            "picture_alt": "Quokka alt",
            "do": action,
        }
        if state == "scheduled":
            fields["published_at"] = f"{at:%Y-%m-%dT%H:%M}"
        article_id = create_story(colleague, **story_form(**fields))
        room.others.append(article_id)
        for own in room.own:
            publishing.set_related_override(own, editor, article_id, "forbid")
    # One of them is the original of a public story.
    with db.write() as session:
        session.execute(
            update(Article)
            .where(Article.headline == "Another zebra")
            .values(translation_of_id=room.others[0], original_version=1)
        )
    follow()


def test_colleagues_drafts_change_no_response_to_an_author(
    app: Flask, room: Newsroom, editor: User, follow: Callable[[], None]
) -> None:
    before = reads(app, room, room.own)
    plant(app, room, editor, follow)
    after = reads(app, room, room.own)
    for address, answer in before.items():
        assert after[address] == answer, address


def test_colleagues_drafts_do_not_change_the_ranking_of_own_drafts(
    room: Newsroom, editor: User, follow: Callable[[], None]
) -> None:
    for body in ("An okapi.", "A narwhal, far from home."):
        publishing.create(make_draft(headline="Mine", body=body), room.author)
    follow()
    page = "/newsroom/search?q=okapi+narwhal&in=unpublished"
    before = plain(room.client.get(page))
    for number in range(5):
        publishing.create(make_draft(headline=f"Theirs {number}", body="An okapi."), editor)
    follow()
    assert "far from" in before[1] and plain(room.client.get(page)) == before


def test_no_newsroom_response_shows_an_author_a_canary(
    app: Flask, room: Newsroom, editor: User, follow: Callable[[], None]
) -> None:
    plant(app, room, editor, follow)
    versions = queries.unpublished_versions()
    responses = reads(app, room, [*room.own, *room.others])
    for name, path in urls(app, "POST", [*room.own, *room.others, 99999]):
        for number, form in enumerate(ROUTES[name].forms):
            responses[f"{name} {path} {number}"] = plain(post(room.client, path, dict(form)))
    responses |= {
        f"{address} later": answer
        for address, answer in reads(app, room, [*room.own, *room.others]).items()
    }
    for address, (_, page) in responses.items():
        for canary in CANARIES:
            assert canary not in page, f"{address}: {canary}"
    for article_id in room.others:
        article = queries.article_to_edit(article_id)
        assert article is not None
        assert not is_visible(article, room.author)
        assert article.version == versions[article_id]


def test_editors_see_the_canaries(
    app: Flask, room: Newsroom, editor: User, follow: Callable[[], None]
) -> None:
    plant(app, room, editor, follow)
    client = logged_in_client(app)
    for kind, name in (
        ("authors", "Quokka Writer"),
        ("topics", "Quokka Topic"),
        ("sources", "quokka.example"),
    ):
        assert name in client.get(f"/newsroom/fragments/suggestions/{kind}?q=quo").text
    assert "Quokka headline" in client.get(f"/newsroom/stories/{room.own[0]}/related").text
    assert "3 stories" in client.get("/newsroom/search?q=quokka").text


def test_suggestions_for_authors_come_from_public_and_own_stories(
    app: Flask, room: Newsroom
) -> None:
    publishing.create(
        make_draft(topics=("Election law",), source_name="Wire of mine"), room.author
    )
    offered = room.client.get("/newsroom/fragments/suggestions/topics?q=elec").text
    assert "Elections" in offered and "Election law" in offered and "1 story" in offered
    sources = room.client.get("/newsroom/fragments/suggestions/sources?q=wire").text
    assert "Wire of mine" in sources and 'data-value="Wire"' in sources


@pytest.mark.parametrize(("model", "field_name"), [(Author, "authors"), (Topic, "topics")])
def test_spelling_questions_do_not_depend_on_secret_stories(
    room: Newsroom, editor: User, model: type[Author] | type[Topic], field_name: str
) -> None:
    names: dict[str, Any] = {field_name: ("Sekou Ndiaye",)}
    publishing.create(make_draft(**names), editor)  # a secret of exactly this name
    with db.write() as session:
        assert session.scalar(select(model.id).where(model.name == "Sekou Ndiaye"))
    # No question: the name resembles none in stories that the author may view.
    publishing.create(make_draft(**names), room.author)
    public: dict[str, Any] = {field_name: ("Élan",)}
    publishing.apply_action(
        publishing.create(make_draft(headline="Known", **public), editor),
        editor,
        Action("publish"),
    )
    secret: dict[str, Any] = {field_name: ("Elan",)}
    both = (SpellingAnswer(field_name, "Elan", "both"),)
    for headline in ("One", "Two"):
        publishing.create(make_draft(headline=headline, **secret), editor, spelling_answers=both)
    # The question is the same as if no draft had the name yet.
    with pytest.raises(SimilarNamesError) as raised:
        publishing.create(make_draft(headline="Mine", **secret), room.author)
    [question] = raised.value.questions
    assert [(candidate.name, candidate.stories) for candidate in question.candidates] == [
        ("Élan", 1)
    ]
    own_id = publishing.create(
        make_draft(headline="Mine", **secret), room.author, spelling_answers=both
    )
    article = queries.article_to_edit(own_id)
    assert article is not None
    # The question is asked only once.
    again = make_draft(headline="Mine again", **secret)
    publishing.save(own_id, again, room.author, article.version)


def test_spelling_questions_count_only_stories_the_author_may_view(
    room: Newsroom, editor: User
) -> None:
    publishing.apply_action(
        publishing.create(make_draft(headline="Known", topics=("Élan",)), editor),
        editor,
        Action("publish"),
    )
    for number in range(3):
        publishing.create(make_draft(headline=f"Secret {number}", topics=("Élan",)), editor)
    with pytest.raises(SimilarNamesError) as raised:
        publishing.create(make_draft(topics=("Elan",)), room.author)
    assert [candidate.stories for candidate in raised.value.questions[0].candidates] == [1]


def test_a_former_spelling_does_not_reveal_the_present_name_of_a_secret_topic(
    room: Newsroom, editor: User
) -> None:
    secret = publishing.create(make_draft(topics=("Projet Aigle",)), editor)
    topic = db.session.scalars(select(Topic).where(Topic.name == "Projet Aigle")).one()
    renaming = (SpellingAnswer("topics", "Projet Aiglé", "rename", topic.id),)
    publishing.save(
        secret, make_draft(topics=("Projet Aiglé",)), editor, 1, spelling_answers=renaming
    )
    own_id = publishing.create(make_draft(topics=("Projet Aigle",)), room.author)
    db.session.expunge_all()
    article = queries.article_to_edit(own_id)
    assert article is not None
    assert [topic.name for topic in article.topics] == ["Projet Aigle"]
    assert db.session.get_one(Article, secret).status == "draft"
