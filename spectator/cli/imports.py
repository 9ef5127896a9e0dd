"""`spectator import`: stories from other systems."""

from __future__ import annotations

import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from flask import Flask

from spectator.cli.context import fail, with_app
from spectator.cli.import_reports import print_report, write_receipt
from spectator.i18n import gettext, gettext_noop
from spectator.importers import inputs, jsonl, runner
from spectator.importers.receipt import Receipt

dry_run_option = click.option(
    "--dry-run", is_flag=True, help=gettext_noop("Check everything, change nothing.")
)
overwrite_option = click.option(
    "--overwrite",
    is_flag=True,
    help=gettext_noop("Let the file replace changes made on this site."),
)

receipt_option = click.option(
    "--receipt",
    type=click.Path(dir_okay=False, path_type=Path),
    help=gettext_noop("HTML file to write: every old address and every story with its outcome."),
)


@click.group("import")
def import_group() -> None:
    """Import stories from other systems."""


@import_group.command("jsonl")
@click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
)
@dry_run_option
@overwrite_option
@receipt_option
@click.option(
    "--media",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help=gettext_noop("Directory of the lead pictures; default: the directory of FILE."),
)
@with_app()
def import_jsonl(
    app: Flask,
    file: Path,
    dry_run: bool,
    overwrite: bool,
    receipt: Path | None,
    media: Path | None,
) -> None:
    """Import stories from a file with one JSON object per line.

    Importing the same id again updates the fields that nobody has changed on this site.

    FILE can be a pipe, or - for standard input.

    Example: spectator import jsonl stories.jsonl --dry-run
    """
    with inputs.open_input(file) as source:
        collected = Receipt(source.name)
        entries = jsonl.read(
            source.file, app.config["LANGUAGE"], ZoneInfo(app.config["TIMEZONE"])
        )
        pictures = media or source.directory
        with source.progress() as advance:
            report = runner.import_records(
                entries, app.config["MEDIA"], dry_run, advance, pictures, overwrite, collected
            )
    if report.is_empty:
        fail(gettext("%(file)s is empty. It needs one JSON object per line.", file=source.name))
    code = print_report(report, dry_run)
    write_receipt(collected, receipt, dry_run)
    sys.exit(code)
