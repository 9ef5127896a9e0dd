"""`spectator import json`: a whole site that another installation has exported."""

from __future__ import annotations

from pathlib import Path

import click
from flask import Flask

from spectator.cli.context import fail, with_app
from spectator.cli.exports import progress
from spectator.formats import format_number
from spectator.i18n import gettext
from spectator.importers import json_site
from spectator.importers.json_site import SiteReport
from spectator.media import PictureError, StoreError
from spectator.publishing.validation import clean_line
from spectator.publishing.whole_sites import SiteImportError


@click.command("json")
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@with_app()
def import_json(app: Flask, directory: Path) -> None:
    """Import a whole site, which spectator export json has written, into a new installation.

    People need new passwords: spectator user reset EMAIL.

    Example: spectator import json /srv/move
    """
    try:
        with progress(gettext("reading files")) as show:
            report = json_site.import_site(app, directory, show)
    except (SiteImportError, PictureError, StoreError) as error:
        fail(clean_line(str(error)))
    counts = {
        name: format_number(report.counts[name])
        for name in ("stories", "pages", "pictures", "people")
    }
    click.echo(
        gettext(
            "stories: %(stories)s, pages: %(pages)s, pictures: %(pictures)s, people: %(people)s",
            **counts,
        )
    )
    if settings := _other_settings(app, report):
        click.echo(gettext("Set these as on the former site: %(settings)s", settings=settings))


def _other_settings(app: Flask, report: SiteReport) -> str:
    """Return the former settings that differ from those of this installation."""
    assignments = []
    for name in json_site.SETTINGS:
        value = report.settings.get(name)
        text = ",".join(map(str, value)) if isinstance(value, list) else value
        current = app.config[name]
        current = ",".join(current) if isinstance(current, tuple) else current
        if isinstance(text, str) and text != current:
            assignments.append(clean_line(f"SPECTATOR_{name}={text!r}"))
    return ", ".join(assignments)
