"""Nearly right URLs redirect to the page in one hop; all others stay errors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from spectator import create_app, publishing, queries
from spectator.models import User
from spectator.old_addresses import TRAILING_JUNK
from spectator.publishing import Action
from tests.cases import case_text
from tests.conftest import make_draft, settings

CASES = case_text("2026-11/15-addresses.txt").splitlines()
TARGETS = {"/search/": "/search", "/feed": "/feed.xml"}


@pytest.mark.parametrize("path", CASES)
def test_each_reported_url_redirects_to_its_page(
    path: str, client: FlaskClient, story: Callable[..., int]
) -> None:
    story(headline="Test one")
    answer = client.get(path)
    assert (answer.status_code, answer.location) == (301, TARGETS.get(path, "/politics/test-one"))
    assert client.get(answer.location).status_code == 200


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/politics", "/politics/"),
        ("/Politics/", "/politics/"),
        ("/politics/.", "/politics/"),
        ("/COUNTRY/Mali)", "/country/mali/"),
        ("/author/a-one%22", "/author/a-one/"),
        ("/topic/peace,", "/topic/peace/"),
        ("/archive/2026/11", "/archive/2026/11/"),
        ("/archive/2026/11/)", "/archive/2026/11/"),
        ("/Archive", "/archive/"),
        ("/rss", "/feed.xml"),
        ("/rss/", "/feed.xml"),
        ("/Feed/", "/feed.xml"),
        ("/feed.xml/", "/feed.xml"),
        ("/politics/feed", "/politics/feed.xml"),
        ("/country/mali/feed/", "/country/mali/feed.xml"),
        ("/search/?sort=newest", "/search?sort=newest"),
        ("/politics/test-one%94", "/politics/test-one"),
        ("/politics/test-one%25E2%2580%259D", "/politics/test-one"),
        ("/health/old-one.", "/politics/test-one"),
        ("/2026/11/20/test-one", "/politics/test-one"),
        ("/2026/11/Test-One/", "/politics/test-one"),
        ("/%E2%80%9D", "/"),
    ],
)
def test_similar_mistakes_in_other_urls_are_corrected(
    path: str, target: str, client: FlaskClient, editor: User, story: Callable[..., int]
) -> None:
    filing = {"countries": ("Mali",), "authors": ("A One",), "topics": ("Peace",)}
    article_id = story(headline="Test one", slug="old-one", **filing)
    version = queries.articles_to_index([article_id])[0].version
    new = make_draft(headline="Test one", slug="test-one", **filing)
    publishing.save(article_id, new, editor, version, publishing.Action("update"))
    answer = client.get(path)
    assert (answer.status_code, answer.location) == (301, target)
    assert client.get(answer.location).status_code == 200
    assert client.head(path).status_code == 301


def test_a_corrected_search_url_keeps_its_query(client: FlaskClient) -> None:
    assert client.get("/search/?q=mali&sort=newest").location == "/search?q=mali&sort=newest"
    assert client.get("/Search?q=%C3%A9").location == "/search?q=%C3%A9"
    assert client.get("/search/?q=" + "x" * 3000).location == "/search"


def test_a_corrected_list_url_keeps_only_its_cursor(
    client: FlaskClient, story: Callable[..., int]
) -> None:
    article_id = story()
    article = queries.published_article(article_id)
    assert article is not None
    cursor = queries.cursor_after(article)
    assert client.get(f"/Politics?before={cursor}").location == f"/politics/?before={cursor}"
    assert client.get("/Politics?next=https://evil.example/").location == "/politics/"


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/nowhere/",
        "/politics/nothing.",
        "/Politics/Nothing/",
        "/country/atlantis",
        "/nowhere/feed",
        "/archive/1999/01",
        "/Newsroom/Stories/nothing",
        "/media/aa/x.jpg.",
        "/fragments/nothing.",
        "/%5Cevil.example/",
        "/https://evil.example/.",
        "/x/y/z/test-one.",
        "/politics/test-one" + "." * 300,
    ],
)
def test_urls_without_a_page_get_404(
    path: str, client: FlaskClient, story: Callable[..., int]
) -> None:
    story(headline="Test one")
    assert client.get(path).status_code == 404


def test_the_url_of_another_page_is_not_that_of_a_story(
    client: FlaskClient, story: Callable[..., int]
) -> None:
    story(slug="healthz")
    assert client.get("/HealthZ").status_code == 404
    assert client.get("/business/healthz").status_code == 301


@pytest.mark.parametrize(
    ("path", "status", "target"),
    [
        ("//evil.example/", 404, None),
        ("//evil.example/x.", 404, None),
        ("///politics//test-one", 301, "/politics/test-one"),
        ("//politics", 301, "/politics/"),
    ],
)
def test_no_correction_redirects_to_another_site(
    path: str, status: int, target: str | None, client: FlaskClient, story: Callable[..., int]
) -> None:
    story(headline="Test one")
    answer = client.get("/", environ_overrides={"PATH_INFO": path})
    assert (answer.status_code, answer.location) == (status, target)


@pytest.mark.parametrize("end", ["", "/", ".", ")", "%E2%80%9D", "%20"])
def test_a_withdrawn_story_stays_withdrawn(
    end: str, client: FlaskClient, editor: User, story: Callable[..., int]
) -> None:
    publishing.apply_action(
        story(headline="Test one"), editor, Action("withdraw", note="It named the wrong person.")
    )
    answer = client.get(f"/politics/test-one{end}")
    assert answer.status_code == 410
    assert "It named the wrong person." in answer.text


def test_the_url_of_a_draft_is_not_corrected(client: FlaskClient, editor: User) -> None:
    publishing.create(make_draft(headline="Test one"), editor)
    assert client.get("/politics/test-one.").status_code == 404


def test_posts_are_not_redirected(client: FlaskClient, story: Callable[..., int]) -> None:
    story(headline="Test one")
    assert client.post("/Politics/Test-One").status_code in {404, 405}


@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(junk=st.text(TRAILING_JUNK, max_size=8), is_loud=st.booleans())
def test_trailing_punctuation_is_removed(
    junk: str, is_loud: bool, client: FlaskClient, story: Callable[..., int]
) -> None:
    if queries.article_by_slug("test-one") is None:
        story(headline="Test one")
    path = "/Politics/TEST-one" if is_loud else "/politics/test-one"
    answer = client.get(path + quote(junk))
    if junk or is_loud:
        assert (answer.status_code, answer.location) == (301, "/politics/test-one")
    else:
        assert answer.status_code == 200


def test_an_unknown_slug_in_a_dated_permalink_gets_404(fresh_data: Path) -> None:
    app = create_app(settings(fresh_data, SPECTATOR_PERMALINK="/<year>/<month>/<day>/<slug>"))
    assert isinstance(app, Flask)
    with app.app_context():
        assert app.test_client().get("/2026/05/01/Nothing.").status_code == 404
