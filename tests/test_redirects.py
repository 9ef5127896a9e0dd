"""Redirects and pages never name the request's host; paths with extra slashes are not cached."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask, redirect
from flask.testing import FlaskClient

from spectator.headers import safe_redirect_target
from spectator.pagecache import PageCache
from tests.newsroom_client import logged_in_client

SITE = "https://spectator.example"
EVIL = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/politics/", "/politics/"),
        ("/search?q=a%2Fb#x", "/search?q=a%2Fb#x"),
        (f"{SITE}/politics/", f"{SITE}/politics/"),
        ("http://evil.example/politics/?a=b", "/politics/?a=b"),
        ("https://spectator.example.evil.example/a", "/a"),
        ("//evil.example/a", "/a"),
        ("///evil.example/a", "/evil.example/a"),
        ("/\\evil.example/a", "/evil.example/a"),
        ("https://evil.example//evil.example/a", "/evil.example/a"),
        ("https://evil.example", "/"),
    ],
)
def test_redirect_targets_stay_on_the_site(location: str, target: str) -> None:
    assert safe_redirect_target(location, SITE) == target


def test_no_redirect_contains_the_host_of_the_request(
    app: Flask, story: Callable[..., int]
) -> None:
    story(headline="One")
    app.add_url_rule("/test/away", "away", lambda: redirect("https://evil.example/there"))
    client = FlaskClient(app)
    paths = [
        "/politics",
        "/archive",
        "/politics//one",
        "/newsroom",
        "/newsroom/stories",
        "/newsroom/stories/",
        "/search/",
        "/newsroom//stories/new",
        "/fragments/stream",
        "/security/one",
        "/test/away",
        "/country/mali",
        "/search//",
    ]
    redirects = 0
    for path in paths:
        for method in ("GET", "POST"):
            response = client.open(
                path, method=method, headers=EVIL, base_url="https://evil.example"
            )
            assert "evil" not in response.headers.get("Location", ""), f"{method} {path}"
            redirects += "Location" in response.headers
    assert redirects >= 8


def test_no_page_contains_the_host_of_the_request(app: Flask, story: Callable[..., int]) -> None:
    story(headline="One")
    client = FlaskClient(app)
    for path in (
        "/",
        "/politics/",
        "/politics/one",
        "/feed.xml",
        "/search",
        "/none",
        "/newsroom/login",
        "/healthz",
    ):
        response = client.get(path, headers=EVIL)
        assert b"evil.example" not in response.data and "evil.example" not in str(
            response.headers
        ), path


def test_paths_with_extra_slashes_are_not_cached(app: Flask, story: Callable[..., int]) -> None:
    story(headline="One")
    client = FlaskClient(app)
    cache = app.extensions["page_cache"]
    assert isinstance(cache, PageCache)
    for number in range(2, 60):
        for path in ("politics/", "politics/one", "", "feed.xml"):
            response = client.get("/", environ_overrides={"PATH_INFO": "/" * number + path})
            assert response.status_code in {200, 301, 308, 404}
    assert not [key for key in cache.store.pages if "//" in key[1]]  # the path
    assert client.get("/politics/one").status_code == 200
    assert len(cache.store.pages) == 1


@pytest.mark.parametrize("make_client", [FlaskClient, logged_in_client])
def test_no_url_makes_the_headers_of_its_response_long(
    app: Flask, story: Callable[..., int], make_client: Callable[[Flask], FlaskClient]
) -> None:
    """nginx would answer 502, and with several hosts take them for broken."""
    story(headline="One")
    client, arguments = (
        make_client(app),
        {"slug": "one", "section": "politics", "article_id": "1"},
    )
    rules = [
        re.sub(r"<(?:[^:<>]+:)?([a-z_]+)>", lambda part: arguments.get(part[1], "1"), rule.rule)
        for rule in app.url_map.iter_rules()
    ]
    urls = [f"{path.rstrip('/')}?x={'%F0%9F%87%AC' * 2000}" for path in rules]
    urls += [f"http://other.example{url}" for url in urls if "stories" in url]
    urls += ["/newsroom//" + "a%2fb" * 5000, "/" + "x/" * 9000, "/newsroom/" + "%C3%A9" * 4000]
    redirects = 0
    for url in urls:
        response = client.get(url)
        assert len(str(response.headers)) < 12_000, (url[:60], response.status_code)
        redirects += bool(response.location)
    assert redirects > 10


def test_a_path_that_is_too_long_to_redirect_gets_414(app: Flask) -> None:
    app.add_url_rule("/test/long", "long", lambda: redirect("/" + "a" * 9000, 303))
    response = FlaskClient(app).get("/test/long")
    assert (response.status_code, response.data, response.location) == (414, b"", None)
