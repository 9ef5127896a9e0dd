"""Rules for passwords."""

from __future__ import annotations

import pytest
from flask import Flask

from spectator import accounts
from spectator.accounts.passwords import common_passwords, require_good_password
from spectator.models import User

CONTEXT = ("amina.diallo@gazette.example", "Amina Diallo", "The African Spectator")


def test_the_list_of_common_passwords_is_long() -> None:
    assert len(common_passwords()) >= 3000
    assert {"password", "qwertyuiop", "1q2w3e4r5t", "basketball"} < common_passwords()


@pytest.mark.parametrize(
    "password",
    [
        "basketball",
        "BASKETBALL",
        " basketball ",
        "1234567890",
        "qwertyuiop",
        "password2026",
        "Password!!",
        "2026football",
        "football12345678",
        "dragondragon",
        "aaaaaaaaaa",
        "abababababab",
        "1111111111111111",
        "aminadiallo",
        "Amina-Diallo-1987",
        "diallo@gazette",
        "the african spectator",
        "spectator2026",
        "newsroom-editor",
        "gazette gazette 99",
        "tiny",
        "x" * 129,
    ],
)
def test_passwords_that_are_easy_to_guess_too_short_or_too_long_are_refused(
    password: str,
) -> None:
    with pytest.raises(accounts.PasswordError) as refused:
        require_good_password(password, CONTEXT)
    assert password not in str(refused.value)


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("rain roof", "Use at least 10 characters. A short phrase works well."),
        ("z7" * 64 + "y", "Use at most 128 characters."),
        ("e\u0301 " * 171, "Use at most 128 characters."),
        ("abababababab", "This password repeats the same characters. Choose a short phrase"),
        ("football12345678", "This password is too common. Choose one that nobody would guess."),
        ("!!football", "This password is too common."),
        ("dragondragon", "This password is too common."),
        (
            "Amina Diallo abc",
            "This password is mostly your name, email, role or the site's name.",
        ),
        ("editor editor", "This password is mostly your name"),
    ],
)
def test_a_refused_password_has_a_reason(password: str, reason: str) -> None:
    with pytest.raises(accounts.PasswordError) as refused:
        require_good_password(password, CONTEXT)
    assert str(refused.value).startswith(reason)


@pytest.mark.parametrize(
    "password", ["rainy roof", "Amina Diallo abcd", "!1!1! football", "football 12 rains"]
)
def test_a_password_just_within_the_rules_is_accepted(password: str) -> None:
    require_good_password(password, CONTEXT)


@pytest.mark.parametrize(
    "password",
    [
        "rain on the tin roof",
        "amina likes cold mangoes",
        "k7fqp-2mzcd-8hxwa-vt3rn",
        "correct horse battery staple",
        "የዝናብ ድምፅ በጣራ ላይ",
        "🌍🌍 my world tour",
        "y" + "z7" * 63,
    ],
)
def test_passwords_that_are_hard_to_guess_are_accepted(editor: User, password: str) -> None:
    browser = accounts.Client("192.0.2.1")
    accounts.change_own_password(editor.id, "a long password of editor", password, browser)
    assert accounts.log_in(editor.email, password, browser)


def test_passwords_made_of_the_site_name_the_email_or_the_own_name_are_refused(
    app: Flask, editor: User
) -> None:
    for password in ("african spectator", "editor@news.example"):
        with pytest.raises(accounts.PasswordError):
            accounts.change_own_password(
                editor.id, "a long password of editor", password, accounts.Client("192.0.2.1")
            )
    with pytest.raises(accounts.AccountError):
        accounts.add_user("sekou@news.example", "Sekou Toure", "author", "sekoutoure11")
