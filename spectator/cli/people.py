"""`spectator user`: the people of the newsroom."""

from __future__ import annotations

import os

import click
from flask import Flask

from spectator import accounts, queries
from spectator.cli.context import with_app
from spectator.models import ROLES


def as_utf8(_context: click.Context, _parameter: click.Parameter, name: str) -> str:
    """Return a name as it was typed, also where the locale knows only ASCII."""
    return os.fsencode(name).decode("utf-8", "replace")


@click.group()
def user() -> None:
    """Manage the people of the newsroom."""


@user.command("add")
@click.argument("email")
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.option(
    "--name",
    default="",
    callback=as_utf8,
    help="As colleagues see it; default: the e-mail's first part.",
)
@with_app()
def user_add(_app: Flask, email: str, role: str, name: str) -> None:
    """Add somebody who can log in, with a random password that is printed once.

    Example: spectator user add amina@news.example --role editor --name "Amina Diallo"
    """
    _, password = accounts.add_user(email, name or email.partition("@")[0], role)
    click.echo(f"{email} can log in as {role} with the password {password}  (shown this once)")


@user.command("list")
@with_app()
def user_list(_app: Flask) -> None:
    """List who can log in.

    Example: spectator user list
    """
    for person in queries.users():
        click.echo(
            f"{person.email:40} {person.role:8} {'' if person.is_active else 'disabled':10} {person.name}"
        )


@user.command("disable")
@click.argument("email")
@with_app()
def user_disable(_app: Flask, email: str) -> None:
    """End somebody's sessions and let them log in no more.

    Example: spectator user disable amina@news.example
    """
    accounts.disable_user(email)
    click.echo(f"{email} can no longer log in.")


@user.command("enable")
@click.argument("email")
@with_app()
def user_enable(_app: Flask, email: str) -> None:
    """Let a disabled person log in again, with the password they had.

    Example: spectator user enable amina@news.example
    """
    accounts.enable_user(email)
    click.echo(f"{email} can log in again. For a new password, run: spectator user reset {email}")


@user.command("role")
@click.argument("email")
@click.argument("role", type=click.Choice(ROLES))
@with_app()
def user_role(_app: Flask, email: str, role: str) -> None:
    """Give somebody another role; it counts from their next click on.

    Example: spectator user role amina@news.example admin
    """
    accounts.set_role(email, role)
    click.echo(f"{email} now has the role {role}.")


@user.command("rename")
@click.argument("email")
@click.argument("name", callback=as_utf8)
@with_app()
def user_rename(_app: Flask, email: str, name: str) -> None:
    """Change the name that colleagues see; bylines of stories stay as they are.

    Example: spectator user rename amina@news.example "Amina Diallo"
    """
    click.echo(f"{email} is now called {accounts.rename_user(email, name)}.")


@user.command("reset")
@click.argument("email")
@with_app()
def user_reset(_app: Flask, email: str) -> None:
    """Give somebody a new random password, printed once, and end their sessions.

    Example: spectator user reset amina@news.example
    """
    click.echo(
        f"The new password of {email} is {accounts.reset_password(email)}  (shown this once)"
    )
