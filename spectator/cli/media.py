"""`spectator media`: copying the pictures to another directory or bucket."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
from flask import Flask

from spectator import config, media, queries
from spectator.cli.context import fail, with_app
from spectator.db import db
from spectator.hosts import registry
from spectator.i18n import gettext
from spectator.object_storage import StoreError
from spectator.operations import media_move, site_lock

MAX_FAILURES = 20  # to print


@click.group("media")
def media_group() -> None:
    """Copy the pictures to another place."""


@media_group.command("move")
@click.argument("url")
@with_app()
def move(app: Flask, url: str) -> None:
    """Copy all pictures to URL, a bucket (s3://bucket/prefix) or a directory, and verify them.

    The site may run meanwhile. Nothing is deleted: the site uses the old pictures until you change
    SPECTATOR_MEDIA. An unfinished copy can be repeated.

    Example: spectator media move s3://news-pictures/site
    """
    source, target = app.config["MEDIA"], _parse_target(url)
    if source == target:
        raise click.BadParameter(gettext("the pictures are already there"), param_hint="URL")
    # Read before the copy: pictures that are uploaded meanwhile are left to the next one.
    originals = [f"{picture.digest}.{picture.extension}" for picture in queries.picture_states()]
    db.session.rollback()  # The copy may take hours, and a long read keeps SQLite's log growing.
    try:
        report = _copy_with_progress(source, target)
        missing = media.missing_originals(target, originals)
    except StoreError as error:
        fail(str(error))
    for failure in report.failures[:MAX_FAILURES]:
        click.echo(gettext("not copied: %(failure)s", failure=failure), err=True)
    click.echo(
        gettext(
            "files copied and verified: %(copied)s; already there: %(present)s",
            copied=report.copied,
            present=report.present,
        )
    )
    if report.failures or missing:
        fail(
            gettext(
                "files not copied: %(failed)s; originals missing in %(target)s: %(missing)s of "
                "%(total)s. Run the command again, or restore a backup.",
                failed=len(report.failures),
                target=target,
                missing=len(missing),
                total=len(originals),
            )
        )
    _print_next_steps(app.config["DATA_DIR"], target)


def _parse_target(url: str) -> media.Location:
    """Return the location that a URL or a path names. Raises click.BadParameter."""
    value = url if "://" in url else str(Path(url).absolute())
    try:
        # The checks are those of the setting, which will have this value.
        settings = config.load(os.environ | {"SPECTATOR_MEDIA": value})
    except config.ConfigError as error:
        raise click.BadParameter(str(error), param_hint="URL") from error
    location: media.Location = settings["MEDIA"]
    return location


def _copy_with_progress(source: media.Location, target: media.Location) -> media_move.MoveReport:
    with click.progressbar(length=0, label=gettext("copying pictures"), file=sys.stderr) as bar:

        def start(total: int) -> None:
            bar.length = total

        return media_move.move(source, target, start, lambda: bar.update(1))


def _print_next_steps(data: Path, target: media.Location) -> None:
    """Say how to switch to the copy."""
    setting = f"SPECTATOR_MEDIA={target}"
    if site_lock.is_site_running(data) or registry.other_running_hosts():
        message = gettext(
            "The site is running. Stop it on every host, run this command again for the pictures "
            "uploaded meanwhile, then set %(setting)s on every host and start the site.",
            setting=setting,
        )
    else:
        message = gettext(
            "Now set %(setting)s on every host and start the site.", setting=setting
        )
    click.echo(message)
