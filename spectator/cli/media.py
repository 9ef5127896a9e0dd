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
        raise click.BadParameter("the pictures are already there", param_hint="URL")
    try:
        report = _copy_with_progress(source, target)
        names = [f"{state.digest}.{state.extension}" for state in queries.picture_states()]
        lost = pictures.missing_originals(target, names)
    except StoreError as error:
        fail(str(error))
    for failure in report.failures[:MAX_FAILURES]:
        click.echo(f"not copied: {failure}", err=True)
    click.echo(f"copied and verified {report.copied} files; {report.present} were there already")
    if report.failures or lost:
        fail(
            f"{len(report.failures)} files were not copied, and {len(lost)} of {len(names)} "
            f"originals are missing in {target}. Run the command again, or restore a backup."
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
    with click.progressbar(length=0, label="copying pictures", file=sys.stderr) as bar:

        def start(total: int) -> None:
            bar.length = total

        return media_move.move(source, target, start, lambda: bar.update(1))


def _print_next_steps(data: Path, target: pictures.Location) -> None:
    """Say how to switch to the copy."""
    setting = f"set SPECTATOR_MEDIA={target} on every host and start the site"
    try:
        with site_lock.require_stopped_site(data):
            click.echo(f"Now {setting}.")
    except NotReadyError:
        click.echo(
            "The site is running. Stop it, run this command again for the pictures uploaded "
            f"meanwhile, then {setting}."
        )
