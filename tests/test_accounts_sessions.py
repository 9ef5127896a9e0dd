"""Sessions: they end, expire and are replaced."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, update

from spectator import accounts, tokens
from spectator.accounts import sessions, throttling
from spectator.db import db
from spectator.models import LoginAttempt, User, UserSession
from tests.login_attempts import (
    ELSEWHERE,
    EMAIL,
    OFFICE,
    PASSWORD,
    age_attempts,
    refused_login,
)
from tests.newsroom_client import count_rows


def age_sessions(**columns: timedelta) -> None:
    with db.write() as session:
        session.execute(
            update(UserSession).values({n: datetime.now(UTC) - age for n, age in columns.items()})
        )


def test_a_login_ends_the_previous_session_of_the_browser(app: Flask, editor: User) -> None:
    first = accounts.log_in(EMAIL, PASSWORD, OFFICE)
    elsewhere = accounts.log_in(EMAIL, PASSWORD, ELSEWHERE)
    second = accounts.log_in(EMAIL, PASSWORD, OFFICE, first)
    assert first != second
    assert accounts.user_by_token(first) is None
    assert accounts.user_by_token(second)
    assert accounts.user_by_token(elsewhere)


def test_nginx_recognizes_the_cookie_of_a_session(app: Flask, editor: User) -> None:
    """nginx has higher limits for requests with a session."""
    configuration = (Path(__file__).parents[1] / "deploy/nginx-shared.conf").read_text()
    [pattern] = re.findall(r'"~(.*__Host-session=.*)" 1;', configuration)
    with db.write() as session:
        token = sessions.open_session(session, editor.id)
    assert re.search(pattern, f"__Host-device=d; __Host-session={token}")
    assert not re.search(pattern, f"__Host-session={token[:-1]}")


def test_a_token_says_whose_it_is_unless_it_is_forged(app: Flask, editor: User) -> None:
    with db.write() as session:
        token, other = (sessions.open_session(session, editor.id) for _ in range(2))
    owner = sessions.token_owner(token)
    assert owner == sessions.token_owner(other) == editor.id.to_bytes(4) and token != other
    forged = "AAAAB" + token[5:]  # of another person
    assert {sessions.token_owner(text) for text in ("", "x", token[:-1], forged)} == {b""}
    earlier, release = (sessions.token_owner(tokens.issue("session", 32)) for _ in range(2))
    assert earlier != release, "without an owner, tokens stand for themselves"


def test_a_person_has_a_limited_number_of_sessions(app: Flask, editor: User) -> None:
    with db.write() as session:
        oldest = sessions.open_session(session, editor.id)
        issued = [sessions.open_session(session, editor.id) for _ in range(sessions.MAX_SESSIONS)]
    assert accounts.user_by_token(oldest) is None, "the oldest ends"
    assert all(accounts.user_by_token(token) for token in issued)


def test_logout_ends_one_session(app: Flask, editor: User) -> None:
    token, other = (
        accounts.log_in(EMAIL, PASSWORD, OFFICE),
        accounts.log_in(EMAIL, PASSWORD, OFFICE),
    )
    accounts.log_out(token)
    accounts.log_out(token)
    assert accounts.user_by_token(token) is None
    assert accounts.user_by_token(other)


@pytest.mark.parametrize(
    ("column", "limit"),
    [("seen_at", sessions.IDLE_LIMIT), ("created_at", sessions.ABSOLUTE_LIMIT)],
)
def test_a_session_expires(app: Flask, editor: User, column: str, limit: timedelta) -> None:
    token = accounts.log_in(EMAIL, PASSWORD, OFFICE)
    age_sessions(**{column: limit - timedelta(minutes=1)})
    assert accounts.user_by_token(token)
    age_sessions(**{column: limit + timedelta(minutes=1)})
    assert accounts.user_by_token(token) is None
    accounts.delete_expired()
    assert count_rows(UserSession) == 0


def test_delete_expired_leaves_active_sessions_and_recent_attempts(
    app: Flask, editor: User
) -> None:
    token = accounts.log_in(EMAIL, PASSWORD, OFFICE)
    refused_login()
    accounts.delete_expired()
    assert accounts.user_by_token(token)
    assert count_rows(LoginAttempt) == 1
    age_attempts(throttling.WINDOW + timedelta(seconds=1))
    accounts.delete_expired()
    assert count_rows(LoginAttempt) == 0


def test_seen_at_is_updated_at_most_every_ten_minutes(app: Flask, editor: User) -> None:
    token = accounts.log_in(EMAIL, PASSWORD, OFFICE)
    query = select(UserSession.seen_at)
    before = db.session.scalar(query)
    accounts.user_by_token(token)
    assert db.session.scalar(query) == before
    age_sessions(seen_at=timedelta(minutes=11))
    user = accounts.user_by_token(token)
    assert user is not None
    assert user.role == "editor", "the user stays readable after the write"
    seen = db.session.scalar(query)
    assert seen is not None
    assert datetime.now(UTC) - seen < timedelta(minutes=1)


def test_disabling_ends_every_session(app: Flask, editor: User) -> None:
    tokens = [accounts.log_in(EMAIL, PASSWORD, OFFICE) for _ in range(2)]
    accounts.disable_user("EDITOR@news.example")
    assert [accounts.user_by_token(token) for token in tokens] == [None, None]
    refused_login(password=PASSWORD)


def test_a_session_row_of_an_inactive_person_is_ignored(app: Flask, editor: User) -> None:
    token = accounts.log_in(EMAIL, PASSWORD, OFFICE)
    with db.write() as session:
        session.execute(update(User).values(is_active=False))
    assert accounts.user_by_token(token) is None


def test_a_reset_ends_every_session_and_the_old_password(app: Flask, editor: User) -> None:
    token = accounts.log_in(EMAIL, PASSWORD, OFFICE)
    new = accounts.reset_password(EMAIL)
    assert accounts.user_by_token(token) is None
    refused_login(password=PASSWORD)
    assert accounts.log_in(EMAIL, new, OFFICE)


def test_changing_the_password_replaces_all_sessions_with_a_new_one(
    app: Flask, editor: User
) -> None:
    old, elsewhere = (
        accounts.log_in(EMAIL, PASSWORD, OFFICE),
        accounts.log_in(EMAIL, PASSWORD, ELSEWHERE),
    )
    new = accounts.change_own_password(editor.id, PASSWORD, "another fine password", OFFICE)
    assert [accounts.user_by_token(token) for token in (old, elsewhere)] == [None, None]
    assert accounts.user_by_token(new)
    refused_login(password=PASSWORD)
    assert accounts.log_in(EMAIL, "another fine password", OFFICE)
