"""Requests to the newsroom: cross-site posts, transport, host names, caching."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from spectator import accounts
from spectator.models import User
from spectator.newsroom import notices, security
from tests.newsroom_client import (
    SAME_ORIGIN,
    logged_in_client,
    session_token,
)
from tests.page_checks import Page
from tests.test_newsroom_login import LIST, LOGIN

# Headers of a post, and whether it is accepted; the client's own origin is http://localhost.
ORIGINS = [
    ({"Sec-Fetch-Site": "same-origin"}, True),
    ({"Sec-Fetch-Site": "none"}, True),
    ({"Sec-Fetch-Site": "none", "Origin": "https://evil.example"}, False),
    ({"Sec-Fetch-Site": "none", "Origin": "null"}, False),
    ({"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}, False),
    ({"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}, True),
    ({"Sec-Fetch-Site": "same-site"}, False),
    ({"Sec-Fetch-Site": "cross-site"}, False),
    ({"Sec-Fetch-Site": "same-origin, cross-site"}, False),
    ({"Sec-Fetch-Site": ""}, False),
    ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, False),
    ({"Origin": "http://localhost"}, True),
    ({"Origin": "https://localhost"}, False),
    ({"Origin": "http://localhost:8000"}, False),
    ({"Origin": "http://localhost.evil.example"}, False),
    ({"Origin": "https://evil.example"}, False),
    ({"Origin": "null"}, False),
    ({"Origin": ""}, False),
    ({}, False),
]


@pytest.mark.parametrize(("headers", "is_accepted"), ORIGINS)
@pytest.mark.parametrize(
    "path", [LOGIN, "/newsroom/logout", "/newsroom/password", "/newsroom/stories/new"]
)
def test_cross_site_posts_are_refused(
    app: Flask, editor: User, headers: dict[str, str], is_accepted: bool, path: str
) -> None:
    client = app.test_client() if path == LOGIN else logged_in_client(app)
    token = session_token(client)
    data = {
        "email": "editor@news.example",
        "password": "a long password of editor",
        "csrf_token": "guess",
    }
    response = client.post(path, data=data, headers=headers)
    assert (response.status_code != 403) is is_accepted
    if not is_accepted:
        assert session_token(client) == token
        if token:
            assert accounts.user_by_token(token)


def form_token(client: FlaskClient, path: str) -> str:
    page: str = client.get(path).text
    return page.split('name="csrf_token" value="')[1].split('"')[0]


def test_posts_without_origin_headers_need_the_form_token(app: Flask, editor: User) -> None:
    client = app.test_client()
    data = {"email": "editor@news.example", "password": "a long password of editor"}
    token = form_token(client, LOGIN)
    elsewhere = {"REMOTE_ADDR": "198.51.100.9"}
    assert (
        client.post(LOGIN, data=data | {"csrf_token": token}, environ_base=elsewhere).status_code
        == 403
    )
    assert client.post(LOGIN, data=data | {"csrf_token": token}).status_code == 303
    assert client.post("/newsroom/logout", data={"csrf_token": token}).status_code == 403
    own = form_token(client, LIST)
    colleagues = form_token(logged_in_client(app, "author"), LIST)
    assert client.post("/newsroom/logout", data={"csrf_token": colleagues}).status_code == 403
    assert client.post("/newsroom/logout", data={"csrf_token": own}).status_code == 303


def test_the_form_token_differs_on_every_page(app: Flask, editor: User) -> None:
    """A repeated token could be guessed from the size of compressed pages (BREACH)."""
    client = logged_in_client(app)
    values, _, signatures = zip(
        *(form_token(client, LIST).split(".") for _ in range(3)), strict=True
    )
    assert len(set(values)) == len(set(signatures)) == 3


def test_the_form_token_expires(
    app: Flask, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = logged_in_client(app)
    token = form_token(client, LIST)
    monkeypatch.setattr(security, "CSRF_TOKEN_SECONDS", -1)
    assert client.post("/newsroom/logout", data={"csrf_token": token}).status_code == 403


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "text/xml", ""])
def test_posts_that_are_not_forms_are_refused(
    app: Flask, editor: User, content_type: str
) -> None:
    client = logged_in_client(app)
    response = client.post(
        "/newsroom/logout", data=b'{"a": "b"}', content_type=content_type, headers=SAME_ORIGIN
    )
    assert response.status_code == 415
    assert client.get(LIST).status_code == 200


def test_get_requests_perform_no_actions(app: Flask, editor: User) -> None:
    client = logged_in_client(app)
    for path in (
        "/newsroom/logout",
        "/newsroom/stories/1/publish",
        "/newsroom/stories/1/withdraw",
    ):
        assert client.get(path).status_code in {404, 405}
    assert client.get(LIST).status_code == 200


@pytest.mark.parametrize(
    "base", ["http://news.example", "http://192.0.2.1:8000", "http://localhost.evil.example"]
)
def test_plain_http_is_refused_in_one_line(app: Flask, editor: User, base: str) -> None:
    for method in ("GET", "POST"):
        response = app.test_client().open(
            LOGIN, method=method, base_url=base, headers=SAME_ORIGIN
        )
        assert response.status_code == 403
        assert response.mimetype == "text/plain"
        assert "https" in response.text
        assert response.text.count("\n") == 1
        assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize(
    "base",
    [
        "https://spectator.example",
        "http://127.0.0.1:8000",
        "http://127.1.2.3",
        "http://[::1]:8000",
        "http://localhost:5000",
    ],
)
def test_https_and_loopback_requests_are_allowed(app: Flask, base: str) -> None:
    assert app.test_client().get(LOGIN, base_url=base).status_code == 200


@pytest.mark.parametrize(
    "host", ["www.spectator.example", "192.0.2.7", "spectator.example:8443", "evil.example"]
)
def test_other_host_names_redirect_to_the_site_url(app: Flask, host: str) -> None:
    answer = app.test_client().get("/newsroom/stories/?status=draft", base_url=f"https://{host}")
    assert answer.status_code == 301
    assert (
        answer.headers["Location"] == "https://spectator.example/newsroom/stories/?status=draft"
    )
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_forwarded_scheme_is_not_believed_without_a_trusted_proxy(app: Flask) -> None:
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "localhost"}
    assert (
        app.test_client().get(LOGIN, base_url="http://news.example", headers=headers).status_code
        == 403
    )


def test_newsroom_responses_may_not_be_cached_indexed_or_framed(app: Flask, editor: User) -> None:
    client = logged_in_client(app)
    paths = (
        LOGIN,
        LIST,
        "/newsroom",
        "/newsroom/nothing",
        "/newsroom/stories/99",
        "/newsroom/password",
        "/newsroom/",
    )
    for path in paths:
        response = client.get(path)
        assert response.headers["Cache-Control"] == "no-store", path
        assert "noindex" in response.headers["X-Robots-Tag"], path
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
    assert client.get("/").headers.get("Cache-Control") != "no-store"


def test_login_and_password_fields_have_autocomplete_hints(app: Flask, editor: User) -> None:
    login_page = Page(app.test_client().get(LOGIN).text)
    fields = {field.get("id"): field for field in login_page.find_all("input")}
    assert fields["password"]["autocomplete"] == "current-password"
    assert fields["email"]["autocomplete"] == "username"
    password_page = Page(logged_in_client(app).get("/newsroom/password").text)
    fields = {field.get("id"): field for field in password_page.find_all("input")}
    assert fields["new"]["autocomplete"] == "new-password"
    assert "readonly" in fields["email"]


def test_pages_contain_no_inline_scripts_or_styles(app: Flask, editor: User) -> None:
    client = logged_in_client(app)
    for path in (LIST, "/newsroom/stories/new", "/newsroom/password"):
        page = client.get(path).text
        scripts = re.findall(r"<script[^>]*>", page)
        assert all(" src=" in tag or 'type="application/json"' in tag for tag in scripts), scripts
        assert "<style" not in page


def test_only_known_notices_are_shown_after_a_redirect(app: Flask, editor: User) -> None:
    client = logged_in_client(app)
    assert "<b>" not in client.get(f"{LIST}?done=<b>x</b>").text
    assert str(notices.NOTICES["publish"]) in client.get(f"{LIST}?done=publish").text
    assert 'class="notice"' not in client.get(f"{LIST}?done=nonsense").text
