"""`spectator import`: stories from elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from flask import Flask

from spectator.cli.context import in_app
from spectator.importers import jsonl, runner


@click.group("import")
def import_group() -> None:
    """Bring stories in from elsewhere."""


@import_group.command("jsonl")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check everything, change nothing.")
@in_app()
def import_jsonl(app: Flask, file: Path, dry_run: bool) -> None:
    """Import stories, one JSON object a line; the same id again updates its story.

    Example: spectator import jsonl stories.jsonl --dry-run
    """
    with file.open("rb") as lines:
        total = sum(1 for _ in lines)
    with click.progressbar(length=total, label=file.name, file=sys.stderr) as bar:
        entries = jsonl.read(file, app.config["LANGUAGE"])
        report = runner.run(entries, app.config["MEDIA"], dry_run, bar.update)
    sys.exit(_show(report, dry_run))


def _show(report: runner.Report, is_dry: bool) -> int:
    click.echo(f"{report.added} added, {report.updated} updated{' (dry run: nothing was kept)' if is_dry else ''}")
    if report.sections:
        click.echo(f"sections created: {', '.join(report.sections)}")
    if report.unknown_keys:
        ignored = (f"{name} ({count})" for name, count in sorted(report.unknown_keys.items()))
        click.echo(f"unknown keys ignored: {', '.join(ignored)}")
    for place, reason in report.refused:
        click.echo(f"{place}: {reason}", err=True)
    return 1 if report.refused else 0
