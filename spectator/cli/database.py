"""`spectator database`: moving the database to another server or file."""

from __future__ import annotations

import os
import sys
from zoneinfo import ZoneInfo

import click
from flask import Flask
from sqlalchemy import create_engine
from sqlalchemy.exc import ArgumentError

from spectator import config
from spectator.cli.context import fail, with_app
from spectator.db import db, engine_options, prepare_engine
from spectator.hosts import registry
from spectator.i18n import gettext
from spectator.operations import database_copy
from spectator.operations.site_lock import require_stopped_site


@click.group("database")
def database() -> None:
    """Move the database."""


@database.command("copy")
@click.argument("url")
@with_app()
def copy(app: Flask, url: str) -> None:
    """Copy the database to the new, empty database at URL, and verify the copy.

    Stop the site before, and set SPECTATOR_DATABASE_URL to URL afterwards. The old database stays
    as it is. An unfinished copy can be repeated. With "-", URL is read from the
    standard input, so that other users of the machine do not see its password.

    Example: spectator database copy postgresql+psycopg://spectator@db.example/spectator
    """
    if url == "-":
        url = sys.stdin.readline().strip()
    try:
        # The search engine is a setting of its own, to be changed after the copy.
        config.load(os.environ | {"SPECTATOR_DATABASE_URL": url, "SPECTATOR_SEARCH": "whoosh"})
        target = create_engine(url, **engine_options(url))
    except (config.ConfigError, ArgumentError) as error:
        fail(str(error))
    prepare_engine(target, ZoneInfo(app.config["TIMEZONE"]))
    with require_stopped_site(app.config["DATA_DIR"]):
        if hosts := registry.other_running_hosts():
            fail(
                gettext(
                    "The site runs on %(host)s. Stop it there too, then try again.",
                    host=hosts[0].name,
                )
            )
        try:
            counts = database_copy.copy_database(db.engine, target, _show_progress)
        except database_copy.CopyError as error:
            fail(str(error))
        finally:
            target.dispose()
    click.echo(
        gettext(
            "copied and verified %(rows)s rows of %(tables)s tables",
            rows=sum(counts.values()),
            tables=len(counts),
        )
    )


def _show_progress(table: str, rows: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"{table}: {rows}\r", nl=False, err=True)
