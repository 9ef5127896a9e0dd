"""Login, sessions and passwords in the newsroom."""

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
    SESSION_COOKIE,
    log_in,
    logged_in_client,
    post,
    session_token,
)

LOGIN, LIST = "/newsroom/login", "/newsroom/stories/"
FORM = "application/x-www-form-urlencoded"


def routes_that_need_a_session(app: Flask) -> list[tuple[str, str]]:
    """Return (method, path) of every newsroom route except the public ones."""
    return [
        (
            method,
            re.sub(r"<any\((\w+)[^>]*>", r"\1", path).replace("<kind>", "authors"),
        )
        for rule in app.url_map.iter_rules()
        for path in [re.sub(r"<int[^>]*>", "1", rule.rule)]
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
def test_a_login_redirects_only_to_newsroom_paths(
    app: Flask, editor: User, next_path: str
) -> None:
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
        for path in (
            "/newsroom/stories/7",
            "/newsroom/stories/?q=%E2%80%99&page=2",
            "/newsroom/",
        ):
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
    assert (
        log_in(client, "editor", environ_base={"REMOTE_ADDR": "198.51.100.9"}).status_code == 303
    )
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


def test_oversized_login_forms_are_refused(app: Flask) -> None:
    response = post(app.test_client(), LOGIN, {"email": "x" * 2_000_000, "password": "x"})
    assert response.status_code == 413
    response = post(app.test_client(), LOGIN, {"email": "x" * 10_000, "password": "y" * 20_000})
    assert response.status_code == 413
    response = post(app.test_client(), LOGIN, {"email": "x" * 5_000, "password": "y" * 5_000})
    assert response.status_code == 422
    assert len(response.text) < 10_000
