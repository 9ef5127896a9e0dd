"""`spectator user`: the newsroom's accounts."""

from __future__ import annotations

import os

import click
from flask import Flask

from spectator import accounts, queries
from spectator.cli.context import with_app
from spectator.i18n import gettext, gettext_noop, pgettext
from spectator.models import ROLES


def as_utf8(_context: click.Context, _parameter: click.Parameter, name: str) -> str:
    """Return a name from the command line as UTF-8, even in an ASCII locale."""
    return os.fsencode(name).decode("utf-8", "replace")


@click.group()
def user() -> None:
    """Manage the newsroom's accounts."""


@user.command("add")
@click.argument("email")
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.option(
    "--name",
    default="",
    callback=as_utf8,
    help=gettext_noop("Name that colleagues see; default: the email's first part."),
)
@with_app()
def user_add(_app: Flask, email: str, role: str, name: str) -> None:
    """Add an account with a random password, which is printed once.

    Example: spectator user add amina@news.example --role editor --name "Amina Diallo"
    """
    _, password = accounts.add_user(email, name or email.partition("@")[0], role)
    click.echo(
        gettext(
            "%(email)s can log in as %(role)s with the password %(password)s  (shown this once)",
            email=email,
            role=role,
            password=password,
        )
    )


@user.command("list")
@with_app()
def user_list(_app: Flask) -> None:
    """List all accounts.

    Example: spectator user list
    """
    for person in queries.users():
        state = "" if person.is_active else pgettext("account", "disabled")
        click.echo(f"{person.email:40} {person.role:8} {state:10} {person.name}")


@user.command("disable")
@click.argument("email")
@with_app()
def user_disable(_app: Flask, email: str) -> None:
    """Disable an account and end its sessions.

    Example: spectator user disable amina@news.example
    """
    accounts.disable_user(email)
    click.echo(gettext("%(email)s can no longer log in.", email=email))


@user.command("enable")
@click.argument("email")
@with_app()
def user_enable(_app: Flask, email: str) -> None:
    """Enable a disabled account; its password stays the same.

    Example: spectator user enable amina@news.example
    """
    accounts.enable_user(email)
    click.echo(
        gettext(
            "%(email)s can log in again. For a new password, run: spectator user reset %(email)s",
            email=email,
        )
    )


@user.command("role")
@click.argument("email")
@click.argument("role", type=click.Choice(ROLES))
@with_app()
def user_role(_app: Flask, email: str, role: str) -> None:
    """Change the role of an account; it applies from the next page on.

    Example: spectator user role amina@news.example admin
    """
    accounts.set_role(email, role)
    click.echo(gettext("%(email)s now has the role %(role)s.", email=email, role=role))


@user.command("rename")
@click.argument("email")
@click.argument("name", callback=as_utf8)
@with_app()
def user_rename(_app: Flask, email: str, name: str) -> None:
    """Change the name that colleagues see; bylines stay the same.

    Example: spectator user rename amina@news.example "Amina Diallo"
    """
    name = accounts.rename_user(email, name)
    click.echo(gettext("%(email)s is now called %(name)s.", email=email, name=name))


@user.command("reset")
@click.argument("email")
@with_app()
def user_reset(_app: Flask, email: str) -> None:
    """Set a new random password, printed once, and end all sessions.

    Example: spectator user reset amina@news.example
    """
    click.echo(
        gettext(
            "The new password of %(email)s is %(password)s  (shown this once)",
            email=email,
            password=accounts.reset_password(email),
        )
    )
