"""`spectator media`: moving the pictures to another directory or bucket."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
from flask import Flask

from spectator import config, queries
from spectator import media as pictures
from spectator.cli.context import fail, with_app
from spectator.i18n import gettext
from spectator.object_storage import StoreError
from spectator.operations import media_move, site_lock
from spectator.operations.setup import NotReadyError

MAX_FAILURES = 20  # to print


@click.group("media")
def media() -> None:
    """Move the pictures."""


@media.command("move")
@click.argument("url")
@with_app()
def move(app: Flask, url: str) -> None:
    """Copy all pictures to URL, a bucket (s3://bucket/prefix) or a directory, and verify them.

    The site may run meanwhile. The pictures that SPECTATOR_MEDIA names now stay as they are. An
    unfinished move can be repeated.

    Example: spectator media move s3://news-pictures/site
    """
    source, target = app.config["MEDIA"], _parse_target(url)
    if source == target:
        raise click.BadParameter(gettext("the pictures are already there"), param_hint="URL")
    try:
        report = _copy_with_progress(source, target)
        names = [f"{state.digest}.{state.extension}" for state in queries.picture_states()]
        lost = pictures.missing_originals(target, names)
    except StoreError as error:
        fail(str(error))
    for failure in report.failures[:MAX_FAILURES]:
        click.echo(gettext("not copied: %(failure)s", failure=failure), err=True)
    click.echo(
        gettext(
            "copied and verified %(copied)s files; %(present)s were there already",
            copied=report.copied,
            present=report.present,
        )
    )
    if report.failures or lost:
        fail(
            gettext(
                "%(failed)s files were not copied, and %(lost)s of %(total)s originals are missing "
                "in %(target)s. Run the command again, or restore a backup.",
                failed=len(report.failures),
                lost=len(lost),
                total=len(names),
                target=target,
            )
        )
    _print_next_steps(app.config["DATA_DIR"], target)


def _parse_target(url: str) -> pictures.Location:
    """Return the location that a URL or a path names. Raises click.BadParameter."""
    value = url if "://" in url else str(Path(url).absolute())
    try:
        location: pictures.Location = config.load(os.environ | {"SPECTATOR_MEDIA": value})[
            "MEDIA"
        ]
    except config.ConfigError as error:
        raise click.BadParameter(str(error), param_hint="URL") from error
    return location


def _copy_with_progress(
    source: pictures.Location, target: pictures.Location
) -> media_move.MoveReport:
    with click.progressbar(length=0, label=gettext("copying pictures"), file=sys.stderr) as bar:

        def start(total: int) -> None:
            bar.length = total

        return media_move.move(source, target, start, lambda: bar.update(1))


def _print_next_steps(data: Path, target: pictures.Location) -> None:
    """Say how to switch to the copy."""
    setting = f"SPECTATOR_MEDIA={target}"
    try:
        with site_lock.require_stopped_site(data):
            click.echo(
                gettext("Now set %(setting)s on every host and start the site.", setting=setting)
            )
    except NotReadyError:
        click.echo(
            gettext(
                "The site is running. Stop it, run this command again for the pictures uploaded "
                "meanwhile, then set %(setting)s on every host and start the site.",
                setting=setting,
            )
        )
