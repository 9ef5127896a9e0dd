"""Accounts: passwords, throttled logins, sessions that can be ended."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from spectator import accounts, tokens
from spectator.accounts import hashing, sessions, throttling
from spectator.db import db
from spectator.models import KnownClient, LoginAttempt, User, UserSession
from spectator.text.words import normalization
from tests.conftest import add_user

OFFICE, ELSEWHERE = accounts.Client("192.0.2.1"), accounts.Client("198.51.100.7")
EMAIL, PASSWORD = "editor@news.example", "a long password of editor"


def refused_login(
    email: str = EMAIL, password: str = "wrong password", client: accounts.Client = OFFICE
) -> accounts.LoginError:
    """Try to log in; return the error, which has `retry_after_seconds` if it was throttled."""
    with pytest.raises(accounts.LoginError) as caught:
        accounts.log_in(email, password, client)
    return caught.value


def fail_from_unknown_clients(number: int, email: str = EMAIL) -> None:
    """Try this number of wrong passwords, each from another address of one /24."""
    for last in range(number):
        refused_login(email, client=accounts.Client(f"203.0.113.{last}"))


def age_attempts(age: timedelta) -> None:
    with db.write() as session:
        session.execute(update(LoginAttempt).values(at=datetime.now(UTC) - age))


def age_sessions(**columns: timedelta) -> None:
    with db.write() as session:
        session.execute(
            update(UserSession).values({n: datetime.now(UTC) - age for n, age in columns.items()})
        )


def count(model: type[LoginAttempt] | type[UserSession] | type[KnownClient]) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


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
    ["", "ninechars", "x" * 129, "password123", "PassWord123", "c@news.example", "C@News.Example"],
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
    assert messages == {accounts.WRONG_CREDENTIALS}


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


def test_at_most_two_passwords_are_hashed_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
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
    threads = [threading.Thread(target=accounts.hash_password, args=("x",)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


def test_a_network_is_throttled_after_five_failed_logins_to_an_account(
    app: Flask, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        assert refused_login().retry_after_seconds is None
    monkeypatch.setattr(
        accounts, "check_password", lambda *_: pytest.fail("hashed although throttled")
    )
    late = refused_login(password=PASSWORD)
    assert late.retry_after_seconds is not None
    assert 800 < late.retry_after_seconds <= 901
    assert count(LoginAttempt) == 5, "a throttled attempt is not counted"


def test_failed_logins_from_another_network_do_not_lock_the_owner_out(
    app: Flask, editor: User
) -> None:
    for _ in range(6):
        refused_login(client=ELSEWHERE)
    assert accounts.log_in(EMAIL, PASSWORD, OFFICE)


def test_one_address_cannot_try_many_accounts(app: Flask, editor: User) -> None:
    for number in range(20):
        assert refused_login(f"u{number}@news.example").retry_after_seconds is None
    assert refused_login(password=PASSWORD).retry_after_seconds
    assert accounts.log_in(EMAIL, PASSWORD, ELSEWHERE)


def test_after_50_failed_logins_unknown_clients_get_one_attempt_in_30_seconds(
    app: Flask, editor: User
) -> None:
    fail_from_unknown_clients(50)
    late = refused_login(password=PASSWORD, client=accounts.Client("203.0.113.99"))
    assert late.retry_after_seconds is not None
    assert late.retry_after_seconds <= 31
    assert "30 seconds" in late.message or "29 seconds" in late.message
    age_attempts(throttling.ACCOUNT_PAUSE + timedelta(seconds=1))
    assert accounts.log_in(EMAIL, PASSWORD, accounts.Client("203.0.113.99"))


def attack(networks: Iterable[str]) -> int:
    """Try a wrong password from each network; return how many attempts were admitted."""
    admitted = 0
    for network in networks:
        admitted += refused_login(client=accounts.Client(network)).retry_after_seconds is None
    return admitted


@pytest.mark.parametrize("owner", ["198.51.100.7", "2001:db9:5:6::7"])
def test_the_owner_can_log_in_from_a_new_network_while_two_48_prefixes_attack(
    app: Flask, editor: User, owner: str
) -> None:
    assert (
        attack(f"2001:db8:{1 + number % 2}:{number:x}::1" for number in range(90))
        == throttling.MAX_OF_ACCOUNT
    )
    assert accounts.log_in(EMAIL, PASSWORD, accounts.Client(owner))


def test_exempt_first_attempts_are_limited_for_each_prefix(app: Flask, editor: User) -> None:
    fail_from_unknown_clients(50)
    assert attack(f"198.51.100.{last}" for last in range(9)) == 2
    assert attack(f"198.51.{third}.1" for third in range(9)) == 6
    assert attack(f"2001:db9:1:{last}::1" for last in range(9)) == 2
    assert attack(f"2001:db9:{third}::1" for third in range(2, 12)) == 6
    assert attack(["not an address"] * 9) == 2


def test_unknown_networks_together_have_at_most_22080_attempts_a_day(
    app: Flask, editor: User
) -> None:
    assert (
        attack(f"10.{second}.{third}.1" for second in range(50) for third in range(8))
        == throttling.MAX_OF_UNKNOWN_CLIENTS
    )
    assert refused_login(password=PASSWORD, client=ELSEWHERE).retry_after_seconds
    pauses = throttling.WINDOW // throttling.ACCOUNT_PAUSE
    assert (throttling.MAX_OF_UNKNOWN_CLIENTS + pauses) * (
        timedelta(days=1) // throttling.WINDOW
    ) == 22_080
    security = Path(__file__).parent.parent / "docs/security.md"
    assert "22,080" in security.read_text(encoding="utf-8")


@pytest.mark.parametrize("attempts", [50, 200])
def test_an_attack_cannot_lock_out_a_known_address_or_device(
    app: Flask, editor: User, attempts: int
) -> None:
    phone = accounts.Client("192.0.2.77", "token of the phone")
    accounts.log_in(EMAIL, PASSWORD, OFFICE)
    accounts.log_in(EMAIL, PASSWORD, phone)
    fail_from_unknown_clients(min(attempts, 50))
    with db.write() as session:  # the rows of a longer attack
        for number in range(attempts - 50):
            now = datetime.now(UTC)
            session.add(LoginAttempt(email=EMAIL, address=f"198.18.0.{number}", at=now))
    assert accounts.log_in(EMAIL, PASSWORD, OFFICE)
    assert accounts.log_in(EMAIL, PASSWORD, accounts.Client("203.0.113.200", phone.device))
    assert refused_login(
        password=PASSWORD, client=accounts.Client("203.0.113.201")
    ).retry_after_seconds
    assert refused_login(
        password=PASSWORD, client=accounts.Client("203.0.113.202", "a guess")
    ).retry_after_seconds


def test_a_known_device_can_log_in_from_a_throttled_network(app: Flask, editor: User) -> None:
    phone = accounts.Client("192.0.2.77", "token of the phone")
    accounts.log_in(EMAIL, PASSWORD, phone)
    for number in range(20):
        refused_login(f"u{number}@news.example", client=phone)
    assert accounts.log_in(EMAIL, PASSWORD, phone)
    assert refused_login("u1@news.example", client=phone).retry_after_seconds, (
        "the device is known only to one account"
    )


def test_a_known_device_has_a_limit_of_its_own(app: Flask, editor: User) -> None:
    accounts.log_in(EMAIL, PASSWORD, accounts.Client("192.0.2.77", "token of the phone"))
    for last in range(5):
        refused_login(client=accounts.Client(f"203.0.113.{last}", "token of the phone"))
    late = refused_login(
        password=PASSWORD, client=accounts.Client("203.0.113.9", "token of the phone")
    )
    assert late.retry_after_seconds is not None
    assert late.retry_after_seconds > 800


def test_a_session_counts_failed_logins_by_others(app: Flask, editor: User) -> None:
    fail_from_unknown_clients(7)
    refused_login()
    token = accounts.log_in(EMAIL, PASSWORD, OFFICE)
    session = accounts.session_by_token(token)
    assert session is not None
    assert session.failed_logins == 7, "failures at the same client are not counted"
    session = accounts.session_by_token(accounts.log_in(EMAIL, PASSWORD, OFFICE))
    assert session is not None
    assert session.failed_logins == 0


def test_an_attack_cannot_lock_out_known_clients_after_a_password_reset(
    app: Flask, editor: User
) -> None:
    laptop = accounts.Client("203.0.113.77", "token of the laptop")
    token = accounts.log_in(EMAIL, PASSWORD, laptop)
    accounts.disable_user(EMAIL)
    accounts.enable_user(EMAIL)
    password = accounts.reset_password(EMAIL)
    fail_from_unknown_clients(50)
    assert accounts.user_by_token(token) is None
    assert accounts.log_in(EMAIL, password, accounts.Client("203.0.113.78", laptop.device))
    assert accounts.log_in(EMAIL, password, accounts.Client(laptop.address))


def test_known_clients_are_limited_and_expire(app: Flask, editor: User) -> None:
    for last in range(30):
        accounts.log_in(EMAIL, PASSWORD, accounts.Client(f"203.0.113.{last}", f"device {last}"))
    assert count(KnownClient) <= throttling.MAX_KNOWN_CLIENTS
    assert "device 29" not in str(db.session.scalars(select(KnownClient.value)).all())
    with db.write() as session:
        session.execute(
            update(KnownClient).values(seen_at=datetime.now(UTC) - throttling.KNOWN_CLIENT_LIFETIME)
        )
    accounts.delete_expired()
    assert count(KnownClient) == 0


@pytest.mark.parametrize(
    ("first", "second"),
    [("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"), ("::ffff:192.0.2.1", "192.0.2.1")],
)
def test_one_network_counts_as_one_address(
    app: Flask, editor: User, first: str, second: str
) -> None:
    for _ in range(5):
        refused_login(client=accounts.Client(first))
    assert refused_login(client=accounts.Client(second)).retry_after_seconds
    assert not refused_login(client=accounts.Client("2001:db8:1:3::1")).retry_after_seconds


def test_login_attempts_expire_and_are_deleted(app: Flask, editor: User) -> None:
    for _ in range(5):
        refused_login()
    age_attempts(throttling.WINDOW + timedelta(seconds=1))
    assert accounts.log_in(EMAIL, PASSWORD, OFFICE)
    assert count(LoginAttempt) == 0


def test_a_login_deletes_only_the_failed_attempts_of_its_account(app: Flask, editor: User) -> None:
    refused_login("other@news.example")
    refused_login()
    accounts.log_in(EMAIL, PASSWORD, OFFICE)
    assert db.session.scalars(select(LoginAttempt.email)).all() == ["other@news.example"]


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
    ("column", "limit"), [("seen_at", sessions.IDLE_LIMIT), ("created_at", sessions.ABSOLUTE_LIMIT)]
)
def test_a_session_expires(app: Flask, editor: User, column: str, limit: timedelta) -> None:
    token = accounts.log_in(EMAIL, PASSWORD, OFFICE)
    age_sessions(**{column: limit - timedelta(minutes=1)})
    assert accounts.user_by_token(token)
    age_sessions(**{column: limit + timedelta(minutes=1)})
    assert accounts.user_by_token(token) is None
    accounts.delete_expired()
    assert count(UserSession) == 0


def test_delete_expired_leaves_active_sessions_and_recent_attempts(
    app: Flask, editor: User
) -> None:
    token = accounts.log_in(EMAIL, PASSWORD, OFFICE)
    refused_login()
    accounts.delete_expired()
    assert accounts.user_by_token(token)
    assert count(LoginAttempt) == 1
    age_attempts(throttling.WINDOW + timedelta(seconds=1))
    accounts.delete_expired()
    assert count(LoginAttempt) == 0


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
    assert count(UserSession) == 0


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


def test_the_log_of_a_login_cannot_be_forged(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    refused_login("a@b.example\r\nlogin of 'editor@news.example' from 127.0.0.1")
    assert len(caplog.messages) == 1
    assert "\n" not in caplog.messages[0]
    assert "wrong password" not in caplog.text
