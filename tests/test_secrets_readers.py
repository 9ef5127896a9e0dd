"""No public page tells a reader about a story that is not public, whatever its status.

The secret stories contain canaries, words that occur nowhere else. `ROUTES` lists every public
route with URLs to try; a new route without an entry fails a test.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from spectator import publishing, queries
from spectator.db import db
from spectator.media import rendition_names
from spectator.models import Article, Picture, User
from spectator.publishing import Action
from spectator.site import EDITION_ENDPOINTS
from tests.conftest import make_draft
from tests.editions import in_languages
from tests.newsroom_client import create_story, logged_in_client, picture_file, story_form

SECRET = "quokka"
AT = datetime.now(UTC) + timedelta(hours=3)
ROUTES: dict[str, tuple[str, ...]] = {
    "site.front": ("/", "/?before=1-1"),
    "site.archive": ("/archive/",),
    "site.section": ("/politics/", "/business/", "/health/"),
    "site.country": ("/country/mali/", "/country/lesotho/"),
    "site.topic": ("/topic/elections/", "/topic/quokka-topic/"),
    "site.author": ("/author/ama-serwaa/", "/author/quokka-writer/"),
    "site.month": (f"/archive/{AT:%Y/%m}/", "/archive/2031/07/"),
    "site.article": (
        "/politics/public-story",
        "/politics/quokka-headline",
        "/business/quokka-headline",
    ),
    "site.page": ("/about", "/quokka-page"),
    "site.search": (
        "/search?q=quokka",
        "/search?q=quo*",
        "/search?q=quoka",
        "/search?q=-mali",
        "/search?q=story&topic=quokka-topic",
        "/search?q=story&author=quokka-writer",
        "/search?q=story&country=lesotho",
        "/search?q=by:quokka",
        "/search?q=",
    ),
    "site.search_feed": ("/search/feed.xml?q=quokka", "/search/feed.xml?q=story"),
    "site.feed": ("/feed.xml",),
    "site.section_feed": ("/politics/feed.xml", "/business/feed.xml"),
    "site.country_feed": ("/country/mali/feed.xml", "/country/lesotho/feed.xml"),
    "site.topic_feed": ("/topic/elections/feed.xml", "/topic/quokka-topic/feed.xml"),
    "site.author_feed": ("/author/ama-serwaa/feed.xml", "/author/quokka-writer/feed.xml"),
    "site.month_feed": (f"/archive/{AT:%Y/%m}/feed.xml", "/archive/2031/07/feed.xml"),
    "site.media": ("/media/00/nothing-640.jpg",),
    "site.healthz": ("/healthz",),
    "site.readyz": ("/readyz",),
    "fragments.latest_stream": ("/fragments/stream/",),
    "fragments.stream": ("/fragments/stream/topic/quokka-topic/",),
    "fragments.related_stories": ("/fragments/related/1", "/fragments/related/2"),
    "fragments.search": ("/fragments/search?q=quokka", "/fragments/search?q=story"),
    "fragments.suggest": (
        "/fragments/suggest?q=quo",
        "/fragments/suggest?q=les",
        "/fragments/suggest?q=sto",
    ),
}
# Routes whose responses do not depend on stories.
WITHOUT_STORIES = {"static", "site.healthz", "site.readyz", "site.metrics"}
STATES = ("draft", "review", "scheduled")


def public_endpoints(app: Flask) -> set[str]:
    """Return every route outside the newsroom."""
    return {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if not rule.endpoint.startswith("newsroom.")
    }


def test_every_public_route_is_listed(app: Flask) -> None:
    assert public_endpoints(app) - WITHOUT_STORIES <= ROUTES.keys()
    with app.test_request_context() as context:
        adapter = context.url_adapter
        assert adapter is not None
        for endpoint, paths in ROUTES.items():
            for path in paths:
                assert adapter.match(path.partition("?")[0])[0] == endpoint, path


def responses(client: FlaskClient) -> dict[str, tuple[int, str]]:
    """Return status and page of every listed URL."""
    pages = {}
    for endpoint, paths in ROUTES.items():
        for path in paths if endpoint not in WITHOUT_STORIES else ():
            response = client.get(path)
            pages[path] = response.status_code, response.text
    return pages


@pytest.fixture
def secret(
    app: Flask, editor: User, story: Callable[..., int], catch_up: Callable[[], None]
) -> Callable[[str], tuple[int, Picture]]:
    """Publish a story; return a function that creates one full of canaries in a given status."""
    story(
        headline="Public story",
        countries=("Mali",),
        topics=("Elections",),
        authors=("Ama Serwaa",),
    )
    catch_up()
    newsroom = logged_in_client(app)

    def create(state: str) -> tuple[int, Picture]:
        action = {"draft": "save", "review": "submit", "scheduled": "schedule"}.get(
            state, "publish"
        )
        fields = {
            "headline": "Quokka headline",
            "dek": "Quokka dek",
            "body": "Quokka body, of a story on elections in Mali.",
            "authors": "Quokka Writer, Ama Serwaa",
            "topics": "Quokka topic, Elections",
            "countries": "Lesotho, Mali",
            "source_name": "Quokka Agency",
            "source_url": "https://quokka.example/wire",
            "picture": picture_file((320, 200)),
            "picture_alt": "Quokka alt",
            "do": action,
        }
        if state == "scheduled":
            fields["published_at"] = f"{AT:%Y-%m-%dT%H:%M}"
        article_id = create_story(newsroom, **story_form(**fields))
        if state == "withdrawn":
            publishing.apply_action(
                article_id, editor, Action("withdraw", note="A court ordered it.")
            )
        article = db.session.get_one(Article, article_id)
        assert article.status == state
        picture = db.session.scalars(select(Picture)).one()
        catch_up()
        return article_id, picture

    return create


@pytest.mark.parametrize("state", STATES)
def test_unpublished_stories_change_no_page_of_an_edition(
    app: Flask, secret: Callable[[str], tuple[int, Picture]], state: str
) -> None:
    def english_pages() -> dict[str, str]:
        with in_languages(app, "fr,en") as site:
            client = site.test_client()
            paths = (path for endpoint in EDITION_ENDPOINTS for path in ROUTES[endpoint])
            return {path: client.get(f"/en{path}").text for path in paths}

    before = english_pages()
    assert "Public story" in before["/"] and len(before) > 30
    secret(state)
    assert english_pages() == before


@pytest.mark.parametrize("state", STATES)
def test_unpublished_stories_change_no_public_page(
    client: FlaskClient, secret: Callable[[str], tuple[int, Picture]], state: str
) -> None:
    before = responses(client)
    article_id, _ = secret(state)
    after = responses(client)
    for path, answer in before.items():
        assert after[path] == answer, path
    baseline = {
        f"/fragments/related/{article_id}": "/fragments/related/99999",
        "/topic/quokka-topic/": "/topic/unknown/",
    }
    for path, unknown in baseline.items():
        assert client.get(path).status_code == client.get(unknown).status_code, path


def test_a_withdrawn_story_leaves_only_its_notice_and_its_list_pages(
    client: FlaskClient, secret: Callable[[str], tuple[int, Picture]]
) -> None:
    before = responses(client)
    _, picture = secret("withdrawn")
    after = responses(client)
    canaries = [
        "Quokka headline",
        "Quokka dek",
        "Quokka body",
        "Quokka Agency",
        "quokka.example",
        "Quokka alt",
    ]
    names = [
        name for name, _ in rendition_names(picture.digest, picture.extension, picture.width)
    ]
    for path, (_, page) in after.items():
        # The notice of the withdrawal has the headline.
        allowed = {"Quokka headline"} if path == "/business/quokka-headline" else set()
        for canary in {*canaries, *names} - allowed:
            assert canary not in page, f"{path}: {canary}"
    assert after["/business/quokka-headline"][0] == 410
    new_lists = {
        path
        for path in before
        if "lesotho" in path or "quokka-topic" in path or "quokka-writer" in path
    }
    own = {"/business/quokka-headline", "/politics/quokka-headline"}
    for path in before.keys() - new_lists - own:
        assert after[path] == before[path], path


LISTS = ("/topic/quokka-topic/", "/author/quokka-writer/", "/country/lesotho/")


def test_a_list_page_exists_forever_after_its_first_published_story(
    client: FlaskClient, editor: User, secret: Callable[[str], tuple[int, Picture]]
) -> None:
    article_id, _ = secret("draft")
    for path in LISTS:
        assert client.get(path).status_code == 404
        assert client.get(f"{path}feed.xml").status_code == 404
    publishing.apply_action(article_id, editor, Action("publish"))
    for path in LISTS:
        assert "Quokka headline" in client.get(path).text
    publishing.apply_action(article_id, editor, Action("withdraw", note="A court ordered it."))
    for path in LISTS:
        for address in (path, f"{path}feed.xml", f"/fragments/stream{path}"):
            response = client.get(address)
            assert response.status_code == 200, address
            assert "Quokka headline" not in response.text
    assert client.get(f"/archive/{datetime.now(UTC):%Y/%m}/").status_code == 200


def test_a_topic_added_after_the_withdrawal_stays_secret(
    client: FlaskClient, editor: User, secret: Callable[[str], tuple[int, Picture]]
) -> None:
    article_id, _ = secret("withdrawn")
    changed = make_draft(headline="Quokka headline", topics=("Quokka topic", "Later topic"))
    publishing.save(
        article_id,
        changed,
        editor,
        db.session.get_one(Article, article_id).version,
        Action("save"),
    )
    assert client.get("/topic/quokka-topic/").status_code == 200
    assert client.get("/topic/later-topic/").status_code == 404


@pytest.mark.parametrize("state", STATES)
def test_search_filters_do_not_name_secret_topics_authors_or_countries(
    client: FlaskClient, secret: Callable[[str], tuple[int, Picture]], state: str
) -> None:
    secret(state)
    for query in ("topic=quokka-topic", "author=quokka-writer", "country=lesotho"):
        page = client.get(f"/search?q=story&{query}").text
        assert "Quokka topic" not in page
        assert "Quokka Writer" not in page
        assert "Lesotho" not in page


def test_a_draft_with_a_past_date_is_not_public(
    client: FlaskClient, secret: Callable[[str], tuple[int, Picture]]
) -> None:
    before = responses(client)
    article_id, _ = secret("draft")
    with db.write() as session:  # a date in the past publishes nothing
        past = datetime.now(UTC) - timedelta(days=1)
        session.execute(update(Article).where(Article.id == article_id).values(published_at=past))
    assert responses(client) == before


@pytest.mark.parametrize("state", STATES)
def test_a_secret_story_does_not_occupy_the_slug_of_a_public_story(
    client: FlaskClient, editor: User, secret: Callable[[str], tuple[int, Picture]], state: str
) -> None:
    article_id, _ = secret(state)
    same = make_draft(headline="Quokka headline", section="business")
    public_id = publishing.create(same, editor, Action("publish"))
    assert db.session.get_one(Article, public_id).slug == "quokka-headline"
    assert client.get("/business/quokka-headline").status_code == 200
    if state == "scheduled":
        publishing.publish_due(AT + timedelta(hours=1))
    else:
        publishing.apply_action(article_id, editor, Action("publish"))
    db.session.expire_all()
    published = db.session.get_one(Article, article_id)
    assert (published.status, published.slug) == ("published", "quokka-headline-2")
    assert client.get("/business/quokka-headline-2").status_code == 200
    assert queries.revisions(article_id)[0].content["slug"] == "quokka-headline-2"


def test_a_withdrawn_story_keeps_its_slug(
    client: FlaskClient, editor: User, secret: Callable[[str], tuple[int, Picture]]
) -> None:
    article_id, _ = secret("withdrawn")
    other = publishing.create(
        make_draft(headline="Quokka headline", section="business"), editor, Action("publish")
    )
    assert db.session.get_one(Article, other).slug == "quokka-headline-2"
    publishing.apply_action(article_id, editor, Action("reinstate"))
    assert "Quokka dek" in client.get("/business/quokka-headline").text
