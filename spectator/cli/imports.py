"""`spectator import`: stories from other systems."""

from __future__ import annotations

import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from flask import Flask

from spectator.cli.context import fail, with_app
from spectator.formats import format_number
from spectator.i18n import gettext, gettext_noop
from spectator.importers import inputs, jsonl, runner
from spectator.publishing.validation import clean_line


@click.group("import")
def import_group() -> None:
    """Import stories from other systems."""


@import_group.command("jsonl")
@click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
)
@click.option(
    "--dry-run",
    is_flag=True,
    help=gettext_noop("Check everything, change nothing."),
)
@click.option(
    "--overwrite",
    is_flag=True,
    help=gettext_noop("Let the file replace changes made on this site."),
)
@click.option(
    "--media",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help=gettext_noop("Directory of the lead pictures; default: the directory of FILE."),
)
@with_app()
def import_jsonl(
    app: Flask, file: Path, dry_run: bool, overwrite: bool, media: Path | None
) -> None:
    """Import stories from a file with one JSON object per line.

    Importing the same id again updates the fields that nobody has changed on this site.

    FILE can be a pipe, or - for standard input.

    Example: spectator import jsonl stories.jsonl --dry-run
    """
    with inputs.open_input(file) as source:
        entries = jsonl.read(
            source.file, app.config["LANGUAGE"], ZoneInfo(app.config["TIMEZONE"])
        )
        pictures = media or source.directory
        with source.progress() as advance:
            report = runner.import_records(
                entries, app.config["MEDIA"], dry_run, advance, pictures, overwrite
            )
    if report.is_empty:
        fail(gettext("%(file)s is empty. It needs one JSON object per line.", file=source.name))
    sys.exit(_print_report(report, dry_run))


def _echo(line: str, err: bool = False) -> None:
    """Print a line that quotes the source, without the control characters of a terminal."""
    click.echo(clean_line(line), err=err)


def _echo_rest(count: int, err: bool = False) -> None:
    """Print how many more stories there are than the report lists, if any."""
    if count:
        click.echo(gettext("and %(count)s more", count=format_number(count)), err=err)


def _describe_counts(report: runner.ImportReport, dry_run: bool) -> str:
    """Return one line with the numbers of stories by what was done with them."""
    numbers = {"added": report.added, "updated": report.updated, "unchanged": report.unchanged}
    if report.unchanged:
        counts = gettext(
            "%(added)s added, %(updated)s updated, %(unchanged)s unchanged", **numbers
        )
    else:
        counts = gettext("%(added)s added, %(updated)s updated", **numbers)
    return (
        gettext("%(counts)s (dry run: nothing was saved)", counts=counts) if dry_run else counts
    )


def _print_report(report: runner.ImportReport, dry_run: bool) -> int:
    click.echo(_describe_counts(report, dry_run))
    if report.sections:
        _echo(gettext("sections created: %(names)s", names=", ".join(report.sections)))
    if report.unknown_keys:
        keys = sorted(report.unknown_keys.items())
        names = ", ".join(f"{name} ({count})" for name, count in keys)
        if report.has_more_unknown_keys:
            names = gettext("%(names)s and others", names=names)
        _echo(gettext("unknown keys ignored: %(names)s", names=names))
    for location, fields in report.preserved:
        _echo(
            gettext(
                "%(story)s: not overwritten, changed on this site: %(fields)s",
                story=location,
                fields=fields,
            )
        )
    _echo_rest(report.preserved_count - len(report.preserved))
    if report.preserved:
        click.echo(
            gettext("To replace changes made on this site, import again with --overwrite.")
        )
    for location, reason in report.refused:
        _echo(f"{location}: {reason}", err=True)
    _echo_rest(report.refused_count - len(report.refused), err=True)
    return 1 if report.refused else 0
