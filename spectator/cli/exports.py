"""`spectator export`: the site as files for other servers and systems."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from flask import Flask

from spectator.cli.context import fail, with_app
from spectator.exporters import json_site, static_site
from spectator.exporters.directories import ExportDirectory, ExportError
from spectator.exporters.warc import WarcWriter
from spectator.formats import format_number
from spectator.i18n import gettext, gettext_noop
from spectator.media import StoreError

MAX_MISSING = 20  # to print


@click.group("export")
def export_group() -> None:
    """Write the site to files."""


@export_group.command("site")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--warc",
    type=click.Path(dir_okay=False, path_type=Path),
    help=gettext_noop("Also write a web archive (WARC 1.1) to this new file."),
)
@with_app()
def export_site(app: Flask, directory: Path, warc: Path | None) -> None:
    """Write the public site to DIRECTORY, for any web server or a USB stick.

    Start with index.html. Links and search work without a server. Exporting to the same directory
    again changes only what has changed.

    Example: spectator export site /srv/static-copy
    """
    if warc is not None and warc.exists():
        fail(gettext("%(target)s exists. Name a new file.", target=warc))
    try:
        with ExportDirectory(directory, "site") as target, _open_warc(warc) as archive:
            with progress(gettext("writing pages")) as show:
                missing = static_site.export_site(app, target, archive, show).missing
            target.finish()
    except ExportError as error:
        fail(str(error))
    click.echo(
        gettext(
            "%(pages)s pages and other files written: %(start)s",
            pages=format_number(len(target.digests)),
            start=directory / "index.html",
        )
    )
    _report_missing(missing)


@export_group.command("json")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@with_app()
def export_json(app: Flask, directory: Path) -> None:
    """Write everything to DIRECTORY as JSON, with drafts, histories and original pictures.

    Passwords and other secrets are left out. Keep the files as confidential as the newsroom.

    Example: spectator export json /srv/move
    """
    try:
        with ExportDirectory(directory, "json") as target:
            with progress(gettext("writing files")) as show:
                missing = json_site.export_json(app, target, show).missing
            target.finish()
    except (ExportError, StoreError) as error:
        fail(str(error))
    files = format_number(len(target.digests))
    click.echo(
        gettext("%(files)s files written: %(directory)s", files=files, directory=directory)
    )
    _report_missing(missing)


def _report_missing(paths: Sequence[str]) -> None:
    """Print what is missing in an export and exit with 1, unless nothing is."""
    for path in paths[:MAX_MISSING]:
        click.echo(gettext("missing: %(path)s", path=path), err=True)
    if paths:
        sys.exit(1)


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar; yield the function that moves it to a number of a total."""
    with click.progressbar(length=0, label=label, file=sys.stderr) as bar:

        def show(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        yield show


@contextmanager
def _open_warc(path: Path | None) -> Iterator[WarcWriter | None]:
    """Open a web archive, whose file gets its name when it is whole."""
    if path is None:
        yield None
        return
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        with unfinished.open("wb") as file:
            yield WarcWriter(file, static_site.last_change(), static_site.software())
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)
