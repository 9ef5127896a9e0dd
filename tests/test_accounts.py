"""Accounts: passwords, roles, logins by disabled and unknown people, what the log says."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from spectator import accounts, tokens
from spectator.accounts import hashing, throttling
from spectator.db import db
from spectator.models import User, UserSession
from spectator.text.words import normalization
from tests.conftest import add_user
from tests.login_attempts import (
    ELSEWHERE,
    EMAIL,
    OFFICE,
    PASSWORD,
    refused_login,
)
from tests.newsroom_client import count_rows


def test_the_production_hasher_uses_the_recommended_costs() -> None:
    real = hashing.PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
    assert real.hash("x").startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    # Tests replace the hasher by a cheap one.
    source = Path(hashing.__file__).read_text(encoding="utf-8")
    assert "hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)" in source


def test_passwords_are_normalised_and_compared_in_full(app: Flask, editor: User) -> None:
    composed, decomposed = "caf\u00e9 au lait \u00e0 Bamako", "cafe\u0301 au lait a\u0300 Bamako"
    accounts.add_user("a@news.example", "A", "author", composed)
    assert accounts.log_in("a@news.example", decomposed, OFFICE)
    accounts.add_user("d@news.example", "D", "author", "\u1ebft\u1ebd" * 42)
    assert accounts.log_in("d@news.example", "e\u0302\u0301te\u0303" * 42, OFFICE)
    long = "x" * 126 + "yz"
    accounts.add_user("b@news.example", "B", "author", long)
    refused_login("b@news.example", long[:-1])
    refused_login("b@news.example", long + "more")
    assert accounts.log_in("b@news.example", long, OFFICE)


@pytest.mark.parametrize(
    "password",
    [
        "",
        "ninechars",
        "x" * 129,
        "password123",
        "PassWord123",
        "c@news.example",
        "C@News.Example",
    ],
)
def test_a_bad_password_is_refused(app: Flask, password: str) -> None:
    with pytest.raises(accounts.PasswordError):
        accounts.add_user("c@news.example", "C", "author", password)
    assert not db.session.scalars(select(User)).all()


def test_a_quarter_of_a_megabyte_is_refused_and_never_normalized(
    app: Flask, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths, normalize = [], normalization.normalize

    def count(text: str) -> str:
        lengths.append(len(text))
        return normalize(text)

    monkeypatch.setattr(normalization, "normalize", count)
    marks = "\u0301\u0316" * 62_500
    refused_login(password=marks)
    with pytest.raises(accounts.PasswordError, match="at most 128"):
        accounts.change_own_password(editor.id, PASSWORD, marks, OFFICE)
    accounts.hash_password(marks)
    assert max(lengths) <= 513


@pytest.mark.parametrize("password", ["tenletters", "1234567 8z", "xy z" * 32, "   . ,  ; "])
def test_passwords_need_no_mix_of_character_kinds(app: Flask, password: str) -> None:
    assert accounts.add_user("c@news.example", "C", "author", password)[1] == password


@pytest.mark.parametrize(
    ("email", "name", "role"),
    [
        ("no address", "A", "editor"),
        ("a@localhost", "A", "editor"),
        ("\u0430mina@news.example", "A", "editor"),
        ("a@news.example\n", "A\u202eB", "editor"),
        ("a@news.example", "", "editor"),
        ("a@news.example", "A" * 121, "editor"),
        ("a@news.example", "A", "owner"),
        ("a" * 250 + "@news.example", "A", "editor"),
    ],
)
def test_a_bad_account_is_refused(app: Flask, email: str, name: str, role: str) -> None:
    with pytest.raises(accounts.AccountError):
        accounts.add_user(email, name, role)


def test_a_random_password_is_long_readable_and_works(app: Flask) -> None:
    user_id, password = accounts.add_user(" Amina@News.Example ", "Amina  Diallo", "editor")
    assert len(password) == 23
    assert not set(password) & set("0O1lI")
    user = accounts.user_by_token(accounts.log_in("AMINA@news.example", password, OFFICE))
    assert user is not None
    assert (user.id, user.email, user.name) == (user_id, "amina@news.example", "Amina Diallo")
    with pytest.raises(accounts.AccountError, match="already"):
        accounts.add_user("amina@news.example", "Other", "author")


def test_only_the_hash_of_a_token_is_stored(app: Flask, editor: User) -> None:
    token = accounts.log_in(EMAIL, PASSWORD, OFFICE)
    assert len(token) >= 43
    assert db.session.scalars(select(UserSession.token_hash)).all() == [tokens.token_hash(token)]
    assert token != tokens.token_hash(token)
    assert accounts.user_by_token(tokens.token_hash(token)) is None


def test_unknown_emails_wrong_passwords_and_disabled_accounts_get_the_same_message(
    app: Flask, editor: User
) -> None:
    add_user("author")
    accounts.disable_user("author@news.example")
    messages = {
        refused_login("nobody@news.example").message,
        refused_login().message,
        refused_login("author@news.example", "a long password of author").message,
        refused_login("", "").message,
    }
    assert messages == {str(accounts.WRONG_CREDENTIALS)}


def test_a_password_is_hashed_for_an_unknown_email_too(
    app: Flask, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes: list[str] = []

    class RecordingHasher(hashing.PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:
            hashes.append(str(hash))
            return super().verify(hash, password)

    monkeypatch.setattr(
        hashing, "hasher", RecordingHasher(time_cost=1, memory_cost=8, parallelism=1)
    )
    refused_login("nobody@news.example")
    refused_login()
    assert len(hashes) == 2
    assert all(password_hash.startswith("$argon2id$") for password_hash in hashes)


@pytest.mark.parametrize(
    "compute", [lambda: hashing.hash_password("x"), lambda: hashing.check_password(None, "x")]
)
def test_at_most_two_passwords_are_hashed_at_a_time(
    monkeypatch: pytest.MonkeyPatch, compute: Callable[[], object]
) -> None:
    running, most = 0, 0
    lock = threading.Lock()

    class SlowHasher(hashing.PasswordHasher):
        def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.02)
            with lock:
                running -= 1
            return ""

    monkeypatch.setattr(hashing, "hasher", SlowHasher())
    threads = [threading.Thread(target=compute) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


def test_guesses_of_the_current_password_are_throttled(app: Flask, editor: User) -> None:
    for _ in range(5):
        with pytest.raises(accounts.LoginError, match="current"):
            accounts.change_own_password(editor.id, "guess", "another fine password", OFFICE)
    with pytest.raises(accounts.LoginError, match="Too many attempts"):
        accounts.change_own_password(editor.id, PASSWORD, "another fine password", OFFICE)


def test_a_new_password_is_looked_at_only_after_the_right_current_one(
    app: Flask, editor: User
) -> None:
    with pytest.raises(accounts.LoginError, match="current"):
        accounts.change_own_password(editor.id, "guess", "short", OFFICE)
    for _ in range(6):  # choosing badly is no failed login
        with pytest.raises(accounts.PasswordError):
            accounts.change_own_password(editor.id, PASSWORD, "short", OFFICE)
    assert accounts.log_in(EMAIL, PASSWORD, OFFICE)


def test_an_account_disabled_during_a_login_gets_no_session(
    app: Flask, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(_user: User, _password: str) -> bool:
        accounts.disable_user(EMAIL)
        return True

    monkeypatch.setattr(accounts, "check_password", check)
    assert refused_login(password=PASSWORD).message == accounts.WRONG_CREDENTIALS
    assert count_rows(UserSession) == 0


def test_roles_can_be_changed_and_unknown_emails_are_refused(app: Flask, editor: User) -> None:
    accounts.set_role(EMAIL, "admin")
    assert db.session.scalar(select(User.role)) == "admin"
    for action in (accounts.disable_user, accounts.reset_password):
        with pytest.raises(accounts.AccountError, match="user list"):
            action("nobody@news.example")
    with pytest.raises(accounts.AccountError):
        accounts.set_role(EMAIL, "owner")


def test_logs_name_known_accounts_and_contain_no_other_typed_text(
    app: Flask, editor: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for _ in range(6):
        refused_login("my secret password")
    refused_login(client=ELSEWHERE)
    accounts.log_in(EMAIL, PASSWORD, ELSEWHERE)
    lines = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert lines[0] == ("WARNING", f"login refused: {throttling.NO_ACCOUNT}, from 192.0.2.1")
    assert lines[5] == ("WARNING", f"login throttled: {throttling.NO_ACCOUNT}, from 192.0.2.1")
    assert lines[6:] == [
        ("WARNING", f"login refused: '{EMAIL}', from 198.51.100.7"),
        ("INFO", f"login: '{EMAIL}', from 198.51.100.7"),
    ]
    assert "secret" not in caplog.text


def test_the_log_of_a_login_cannot_be_forged(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    refused_login("a@b.example\r\nlogin of 'editor@news.example' from 127.0.0.1")
    assert len(caplog.messages) == 1
    assert "\n" not in caplog.messages[0]
    assert "wrong password" not in caplog.text
