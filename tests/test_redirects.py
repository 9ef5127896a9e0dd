"""Redirects never lead to the host that a request named; URLs with extra slashes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask, redirect
from flask.testing import FlaskClient

from spectator.headers import safe_redirect_target
from spectator.pagecache import PageCache

SITE = "https://spectator.example"
EVIL = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}


@pytest.mark.parametrize(
    ("location", "wanted"),
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
def test_a_redirect_stays_here(location: str, wanted: str) -> None:
    assert safe_redirect_target(location, SITE) == wanted


def test_no_redirect_of_the_site_names_the_host_that_was_asked_for(
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
    ]
    paths += [
        "/newsroom//stories/new",
        "/fragments/stream",
        "/security/one",
        "/test/away",
        "/country/mali",
        "/search//",
    ]
    seen = 0
    for path in paths:
        for method in ("GET", "POST"):
            answer = client.open(path, method=method, headers=EVIL, base_url="https://evil.example")
            assert "evil" not in answer.headers.get("Location", ""), f"{method} {path}"
            seen += "Location" in answer.headers
    assert seen >= 8, "redirects were looked at"


def test_a_page_never_names_the_host_that_was_asked_for(
    app: Flask, story: Callable[..., int]
) -> None:
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
        answer = client.get(path, headers=EVIL)
        assert b"evil.example" not in answer.data and "evil.example" not in str(answer.headers), (
            path
        )


def test_slashes_too_many_fill_no_memory(app: Flask, story: Callable[..., int]) -> None:
    story(headline="One")
    client = FlaskClient(app)
    cache = app.wsgi_app
    assert isinstance(cache, PageCache)
    for number in range(2, 60):
        for path in ("politics/", "politics/one", "", "feed.xml"):
            answer = client.get("/", environ_overrides={"PATH_INFO": "/" * number + path})
            assert answer.status_code in {200, 301, 308, 404}
    assert not [key for key in cache.store.pages if "//" in key[1]]
    assert client.get("/politics/one").status_code == 200
    assert len(cache.store.pages) == 1
