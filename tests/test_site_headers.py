"""Headers of responses to readers, and what error pages say."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import flask
import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.newsroom_client import logged_in_client

FILES = ("media", "static")
PUBLIC_POLICY = {
    "default-src": "'none'",
    "img-src": "'self' data:",
    "media-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


def test_headers_of_every_response(client: FlaskClient) -> None:
    for path in ("/", "/nowhere", "/feed.xml", "/healthz", "/static/css/site.css"):
        with client.get(path) as response:
            headers = response.headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Permissions-Policy"] == "camera=(), microphone=(), geolocation=()"
        policy = dict(
            line.split(" ", 1) for line in headers["Content-Security-Policy"].split("; ")
        )
        assert policy.pop("script-src").startswith("'self' https://cdn.jsdelivr.net/npm/htmx")
        assert policy.pop("style-src").startswith("'self' 'sha256-")
        assert policy == PUBLIC_POLICY
    assert (
        "Strict-Transport-Security"
        in client.get("/", base_url="https://spectator.example").headers
    )


def test_flask_keeps_no_session(app: Flask) -> None:
    with app.test_request_context(), pytest.raises(RuntimeError):
        flask.session["name"] = "value"


def test_errors_and_redirects_are_not_stored_without_revalidation(
    client: FlaskClient, story: Callable[..., int]
) -> None:
    story()
    assert client.get("/nowhere").headers["Cache-Control"] == "no-cache"
    assert client.post("/").headers["Cache-Control"] == "no-cache"
    redirect = client.get("/politics")
    assert redirect.status_code in {301, 308}
    assert redirect.headers["Cache-Control"] == "private, max-age=60"


@pytest.mark.parametrize(
    ("method", "path", "title", "advice"),
    [
        ("GET", "/?before=x", "This address does not work", "Part of it is not valid."),
        ("GET", "/nowhere", "Page not found", "Check the address"),
        ("POST", "/", "This page is read-only", "You cannot send anything to this address."),
    ],
)
def test_an_error_page_says_what_is_wrong(
    client: FlaskClient, method: str, path: str, title: str, advice: str
) -> None:
    response = client.open(path, method=method)
    page = html.unescape(response.text)
    assert f"<h1>{title}</h1>" in page
    assert advice in page


def test_a_page_of_the_newsroom_may_frame_its_preview_and_is_framed_by_nobody(
    client: FlaskClient,
) -> None:
    headers = client.get("/newsroom/login").headers
    assert headers["X-Frame-Options"] == "DENY"
    assert "frame-src 'self'; frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "purify.min.js" in headers["Content-Security-Policy"]


def test_texts_in_the_newsroom_load_files_and_no_costly_pages(app: Flask) -> None:
    """The editor shows pictures of a text whose author may have written any address."""
    client = logged_in_client(app)
    policy = client.get("/newsroom/stories/new").headers["Content-Security-Policy"]
    site = "https://spectator.example"
    for directive in ("img-src", "media-src"):
        [sources] = re.findall(rf"{directive} ([^;]+);", policy)
        hosts = [
            f"{host}/{path}/"
            for host in ("http://localhost", site)
            for path in ("media", "static")
        ]
        assert sources.split() == [*hosts, *(["data:"] if directive == "img-src" else [])]
