"""`spectator user`: no account is lost, and every message names the command that helps."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from spectator import accounts
from spectator.cli import context, main
from spectator.db import db
from spectator.models import User
from tests.conftest import add_user

EMAIL = "author@news.example"
HERE = accounts.Client("192.0.2.1")


@pytest.fixture
def command(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Return a function that runs `spectator user` on this site."""
    monkeypatch.setattr(context, "create_ready_app", lambda: app)
    return lambda *words: CliRunner().invoke(main, ["user", *words], prog_name="spectator")


def author() -> User:
    db.session.rollback()
    return db.session.query(User).filter_by(email=EMAIL).one()


def test_an_enabled_account_has_its_password_again(command: Callable[..., Result]) -> None:
    add_user("author")
    assert command("disable", EMAIL).exit_code == 0
    assert not author().is_active
    result = command("enable", EMAIL)
    assert result.exit_code == 0 and f"spectator user reset {EMAIL}" in result.output
    assert accounts.log_in(EMAIL, "a long password of author", HERE)


def test_no_new_password_is_made_for_a_disabled_account(command: Callable[..., Result]) -> None:
    add_user("author")
    before = author().password_hash
    command("disable", EMAIL)
    for words in (["reset", EMAIL], ["add", EMAIL, "--role", "author"]):
        result = command(*words)
        assert result.exit_code == 1 and f"spectator user enable {EMAIL}" in result.output
        assert "password" not in result.output
    assert author().password_hash == before
    command("enable", EMAIL)
    password = command("reset", EMAIL).output.split(" is ")[1].split()[0]
    assert accounts.log_in(EMAIL, password, HERE)


def test_roles_and_names_can_be_changed(command: Callable[..., Result]) -> None:
    add_user("author")
    assert command("role", EMAIL, "editor").exit_code == 0
    assert (
        command("rename", EMAIL, "  Amina   Diallo ").output
        == f"{EMAIL} is now called Amina Diallo.\n"
    )
    assert (author().role, author().name) == ("editor", "Amina Diallo")
    assert command("role", EMAIL, "owner").exit_code == 2
    assert command("rename", EMAIL, " ").exit_code == 1


def test_every_change_of_an_account_is_confirmed(command: Callable[..., Result]) -> None:
    add_user("author")
    assert command("disable", EMAIL).output == f"{EMAIL} can no longer log in.\n"
    assert command("enable", EMAIL).output == (
        f"{EMAIL} can log in again. For a new password, run: spectator user reset {EMAIL}\n"
    )
    assert command("role", EMAIL, "editor").output == f"{EMAIL} now has the role editor.\n"
    reset = command("reset", EMAIL).output
    assert re.fullmatch(rf"The new password of {EMAIL} is \S+  \(shown this once\)\n", reset)


@pytest.mark.parametrize(
    "words", [["enable"], ["disable"], ["reset"], ["rename", "X"], ["role", "editor"]]
)
def test_commands_on_an_unknown_email_name_the_user_list(
    command: Callable[..., Result], words: list[str]
) -> None:
    result = command(words[0], "nobody@news.example", *words[1:])
    assert result.exit_code == 1 and "spectator user list" in result.output
