"""Newsroom security: login, sessions, cross-site requests, transport, browser caching."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from spectator import accounts
from spectator.models import User
from spectator.newsroom import notices, security
from tests.conftest import add_user
from tests.newsroom_client import (
    SAME_ORIGIN,
    SESSION_COOKIE,
    log_in,
    logged_in_client,
    post,
    session_token,
)
from tests.page_checks import Page

LOGIN, LIST = "/newsroom/login", "/newsroom/stories/"
FORM = "application/x-www-form-urlencoded"


def routes_that_need_a_session(app: Flask) -> list[tuple[str, str]]:
    """Return (method, path) of every newsroom route except the public ones."""
    return [
        (method, re.sub(r"<int[^>]*>", "1", rule.rule).replace("<kind>", "authors"))
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) & {"GET", "POST"})
        if rule.endpoint.startswith("newsroom.")
        and app.view_functions[rule.endpoint] not in security.PUBLIC_VIEWS
    ]


def test_every_newsroom_route_except_the_login_needs_a_session(
    app: Flask, client: FlaskClient
) -> None:
    routes = routes_that_need_a_session(app)
    assert len(routes) > 8
    for method, path in routes:
        if "/fragments/" in path:
            response = client.get(path) if method == "GET" else post(client, path)
            assert response.status_code == 200, path
            assert 'data-reason="logged-out"' in response.text, path
        elif method == "GET":
            response = client.get(path)
            assert response.status_code == 303, path
            assert response.location.startswith(f"{LOGIN}?next=/newsroom/"), path
        else:
            response = post(client, path)
            assert response.status_code == 401, path
            assert "not saved" in response.text


def test_redirects_to_the_login_page_and_after_it(app: Flask, editor: User) -> None:
    client = app.test_client()
    response = client.get(f"{LIST}?status=draft&q=a+b", follow_redirects=True)
    assert 'name="next" value="/newsroom/stories/?status=draft&amp;q=a+b"' in response.text
    response = log_in(client, "editor")
    assert response.location == LIST
    assert client.get(LIST).status_code == 200
    assert client.get(LOGIN).status_code == 303
    assert client.get("/newsroom/").location == LIST
    assert client.get("/newsroom").location.endswith("/newsroom/")


def test_the_session_cookie_has_its_security_attributes(app: Flask, editor: User) -> None:
    header = log_in(app.test_client(), "editor").headers["Set-Cookie"]
    attributes = {attribute.strip().lower() for attribute in header.split(";")[1:]}
    assert header.startswith(f"{SESSION_COOKIE}=")
    assert {"secure", "httponly", "samesite=lax", "path=/"} <= attributes
    assert not [attribute for attribute in attributes if attribute.startswith("domain")]


@pytest.mark.parametrize(
    "next_path",
    [
        "//evil.example",
        "//evil.example/newsroom/",
        "/\\evil.example",
        "/newsroom/\\evil",
        "https://evil.example/newsroom/",
        "https:evil.example",
        "javascript:alert(1)",
        "/newsroom/\r\nSet-Cookie: a=b",
        "/newsroom/\tstories",
        "\t//evil.example",
        "/newsroom/stories/\n",
        "/newsroom@evil.example",
        "/politics/",
        "/newsroom/login",
        "/newsroom/logout",
        "/newsroom/" + "a" * 600,
        "",
    ],
)
def test_a_login_redirects_only_to_newsroom_paths(app: Flask, editor: User, next_path: str) -> None:
    client = app.test_client()
    response = post(
        client,
        LOGIN,
        {
            "email": "editor@news.example",
            "password": "a long password of editor",
            "next": next_path,
        },
    )
    assert response.location == LIST
    assert client.get(LOGIN, query_string={"next": next_path}).location == LIST


def test_newsroom_paths_are_accepted_as_redirect_targets(app: Flask) -> None:
    with app.test_request_context("/newsroom/"):
        for path in ("/newsroom/stories/7", "/newsroom/stories/?q=%E2%80%99&page=2", "/newsroom/"):
            assert security.safe_next_path(path) == path


def test_login_responses_do_not_reveal_who_has_an_account(app: Flask, editor: User) -> None:
    add_user("author")
    accounts.disable_user("author@news.example")
    client = app.test_client()
    pages = set()
    for role, password in (("editor", "wrong"), ("nobody", "wrong"), ("author", "")):
        response = log_in(client, role, password)
        # The token changes with every second.
        page = re.sub(r'name="csrf_token" value="[^"]+"', "", response.text)
        pages.add((response.status_code, page.replace(f"{role}@", "x@")))
        assert "Set-Cookie" not in response.headers
    assert len(pages) == 1
    assert pages.pop()[0] == 422


def test_a_refused_login_returns_the_email_escaped(app: Flask) -> None:
    response = post(
        app.test_client(), LOGIN, {"email": '"><script>alert(1)</script>', "password": "x"}
    )
    assert response.status_code == 422
    assert "&lt;script&gt;" in response.text
    assert "<script" not in response.text


def test_a_throttled_login_says_when_to_try_again(app: Flask, editor: User) -> None:
    client = app.test_client()
    for number in range(5):
        headers = {"X-Forwarded-For": f"203.0.113.{number}"}
        assert log_in(client, "editor", "wrong", headers=headers).status_code == 422
    response = log_in(client, "editor", headers={"X-Forwarded-For": "203.0.113.99"})
    assert response.status_code == 429
    assert 0 < int(response.headers["Retry-After"]) <= 901
    elsewhere = {"REMOTE_ADDR": "198.51.100.9"}
    assert log_in(client, "editor", environ_base=elsewhere).status_code == 303


def test_a_login_makes_a_new_session_and_ends_the_old(app: Flask, editor: User) -> None:
    client = logged_in_client(app)
    first = session_token(client)
    log_in(client, "editor")
    assert session_token(client) != first
    assert accounts.user_by_token(first) is None


def test_a_browser_that_logged_in_before_is_not_locked_out_by_an_attack(
    app: Flask, editor: User
) -> None:
    client = logged_in_client(app)
    device = client.get_cookie(security.DEVICE_COOKIE)
    assert device and device.secure and device.http_only and device.same_site == "Strict"
    post(client, "/newsroom/logout")
    for number in range(50):
        elsewhere = {"REMOTE_ADDR": f"203.0.113.{number}"}
        log_in(app.test_client(), "editor", "wrong", environ_base=elsewhere)
    other = log_in(app.test_client(), "editor", environ_base={"REMOTE_ADDR": "203.0.113.200"})
    assert other.status_code == 429
    assert int(other.headers["Retry-After"]) <= 31
    assert log_in(client, "editor", environ_base={"REMOTE_ADDR": "198.51.100.9"}).status_code == 303
    assert "51 failed attempts to log in as you" in client.get(LIST).text
    assert client.get_cookie(security.DEVICE_COOKIE).value == device.value  # type: ignore[union-attr]


def test_the_notice_of_failed_logins_disappears_in_time(
    app: Flask, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(app.test_client(), "editor", "wrong", environ_base={"REMOTE_ADDR": "203.0.113.1"})
    client = logged_in_client(app)
    assert "1 failed attempt to log in as you" in client.get(LIST).text
    monkeypatch.setattr(notices, "LOGIN_WARNING_TIME", timedelta(0))
    assert "failed attempt" not in client.get(LIST).text


def test_a_token_planted_before_the_login_is_replaced(app: Flask, editor: User) -> None:
    client = app.test_client()
    client.set_cookie(SESSION_COOKIE, "planted")
    log_in(client, "editor")
    assert session_token(client) != "planted"
    assert accounts.user_by_token("planted") is None


def test_logout_ends_the_session_of_a_copied_cookie(app: Flask, editor: User) -> None:
    client, thief = logged_in_client(app), app.test_client()
    thief.set_cookie(SESSION_COOKIE, session_token(client))
    assert thief.get(LIST).status_code == 200
    response = post(client, "/newsroom/logout")
    assert response.status_code == 303
    assert response.headers["Clear-Site-Data"] == '"cache"'
    assert not session_token(client)
    assert thief.get(LIST).status_code == 303
    assert "logged out" in client.get(response.location).text


def test_disabling_an_account_ends_its_session_at_once(app: Flask, editor: User) -> None:
    client = logged_in_client(app)
    accounts.disable_user("editor@news.example")
    assert client.get(LIST).status_code == 303
    assert post(client, "/newsroom/stories/new").status_code == 401


def test_changing_the_password_ends_all_other_sessions(app: Flask, editor: User) -> None:
    client, other = logged_in_client(app), logged_in_client(app)
    old = session_token(client)
    entries = {
        "current": "a long password of editor",
        "new": "another fine password",
        "again": "another fine password",
    }
    response = post(client, "/newsroom/password", entries)
    assert response.status_code == 303
    assert "logged out on other devices" in client.get(response.location).text
    assert accounts.user_by_token(old) is None
    assert other.get(LIST).status_code == 303
    assert log_in(other, "editor", "another fine password").status_code == 303


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"current": "wrong"}, "current"),
        ({"new": "short", "again": "short"}, "new"),
        ({"again": "other"}, "again"),
    ],
)
def test_a_refused_password_says_why(
    app: Flask, editor: User, change: dict[str, str], field: str
) -> None:
    client = logged_in_client(app)
    valid = {
        "current": "a long password of editor",
        "new": "another fine password",
        "again": "another fine password",
    }
    response = post(client, "/newsroom/password", valid | change)
    assert response.status_code == 422
    assert f'id="{field}-error"' in response.text
    assert "another fine" not in response.text
    assert client.get("/newsroom/password").status_code == 200


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


def test_the_form_token_expires(app: Flask, editor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client = logged_in_client(app)
    token = form_token(client, LIST)
    monkeypatch.setattr(security, "CSRF_TOKEN_SECONDS", -1)
    assert client.post("/newsroom/logout", data={"csrf_token": token}).status_code == 403


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "text/xml", ""])
def test_posts_that_are_not_forms_are_refused(app: Flask, editor: User, content_type: str) -> None:
    client = logged_in_client(app)
    response = client.post(
        "/newsroom/logout", data=b'{"a": "b"}', content_type=content_type, headers=SAME_ORIGIN
    )
    assert response.status_code == 415
    assert client.get(LIST).status_code == 200


def test_get_requests_perform_no_actions(app: Flask, editor: User) -> None:
    client = logged_in_client(app)
    for path in ("/newsroom/logout", "/newsroom/stories/1/publish", "/newsroom/stories/1/withdraw"):
        assert client.get(path).status_code in {404, 405}
    assert client.get(LIST).status_code == 200


@pytest.mark.parametrize(
    "base", ["http://news.example", "http://192.0.2.1:8000", "http://localhost.evil.example"]
)
def test_plain_http_is_refused_in_one_line(app: Flask, editor: User, base: str) -> None:
    for method in ("GET", "POST"):
        response = app.test_client().open(LOGIN, method=method, base_url=base, headers=SAME_ORIGIN)
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
    assert answer.headers["Location"] == "https://spectator.example/newsroom/stories/?status=draft"
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
    assert notices.NOTICES["publish"] in client.get(f"{LIST}?done=publish").text
    assert 'class="notice"' not in client.get(f"{LIST}?done=nonsense").text


def test_oversized_login_forms_are_refused(app: Flask) -> None:
    response = post(app.test_client(), LOGIN, {"email": "x" * 2_000_000, "password": "x"})
    assert response.status_code == 413
    response = post(app.test_client(), LOGIN, {"email": "x" * 10_000, "password": "y" * 20_000})
    assert response.status_code == 413
    response = post(app.test_client(), LOGIN, {"email": "x" * 5_000, "password": "y" * 5_000})
    assert response.status_code == 422
    assert len(response.text) < 10_000
