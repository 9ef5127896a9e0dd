"""`spectator export`: the site as files for other servers and systems."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from flask import Flask

from spectator.cli.context import fail, with_app
from spectator.exporters import static_site
from spectator.exporters.directories import ExportDirectory, ExportError
from spectator.exporters.warc import WarcWriter
from spectator.formats import format_number
from spectator.i18n import gettext, gettext_noop

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
            with click.progressbar(
                length=0, label=gettext("writing pages"), file=sys.stderr
            ) as bar:

                def show(written: int, total: int) -> None:
                    bar.length = total
                    bar.update(written - bar.pos)

                site = static_site.export_site(app, target, archive, show)
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
    for path in site.missing[:MAX_MISSING]:
        click.echo(gettext("missing: %(path)s", path=path), err=True)
    if site.missing:
        sys.exit(1)


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
