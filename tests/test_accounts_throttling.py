"""Throttled logins: nobody guesses passwords, and no attack locks the owner out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, update

from spectator import accounts
from spectator.accounts import throttling
from spectator.db import db
from spectator.models import LoginAttempt, LoginClient, User
from tests.login_attempts import (
    ELSEWHERE,
    EMAIL,
    OFFICE,
    PASSWORD,
    age_attempts,
    refused_login,
)
from tests.newsroom_client import count_rows


def fail_from_unknown_clients(number: int, email: str = EMAIL) -> None:
    """Try this number of wrong passwords, each from another address of one /24."""
    for last in range(number):
        refused_login(email, client=accounts.Client(f"203.0.113.{last}"))


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
    assert count_rows(LoginAttempt) == 5, "a throttled attempt is not counted"


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
    assert count_rows(LoginClient) <= throttling.MAX_KNOWN_CLIENTS
    assert "device 29" not in str(db.session.scalars(select(LoginClient.value)).all())
    with db.write() as session:
        session.execute(
            update(LoginClient).values(
                seen_at=datetime.now(UTC) - throttling.KNOWN_CLIENT_LIFETIME
            )
        )
    accounts.delete_expired()
    assert count_rows(LoginClient) == 0


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
    assert count_rows(LoginAttempt) == 0


def test_attempts_from_a_time_when_the_clock_was_ahead_lock_nobody_out(
    app: Flask, editor: User
) -> None:
    for _ in range(6):
        refused_login()
    age_attempts(-timedelta(days=2))
    assert accounts.log_in(EMAIL, PASSWORD, OFFICE)


def test_a_login_deletes_only_the_failed_attempts_of_its_account(
    app: Flask, editor: User
) -> None:
    refused_login("other@news.example")
    refused_login()
    accounts.log_in(EMAIL, PASSWORD, OFFICE)
    assert db.session.scalars(select(LoginAttempt.email)).all() == ["other@news.example"]
