"""What `spectator import` prints about an import."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from spectator.formats import format_number
from spectator.i18n import gettext
from spectator.importers import runner
from spectator.importers.receipt import Receipt
from spectator.publishing import ImportResult
from spectator.publishing.validation import clean_line


def echo_line(line: str, err: bool = False) -> None:
    """Print a line that quotes the source, without the control characters of a terminal."""
    click.echo(clean_line(line), err=err)


def echo_rest(count: int, err: bool = False) -> None:
    """Print how many more stories there are than the report lists, if any."""
    if count > 0:
        click.echo(gettext("and %(count)s more", count=format_number(count)), err=err)


def _describe_counts(report: ImportResult, dry_run: bool) -> str:
    """Return one line with the numbers of stories or pages by what was done with them."""
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


def print_report(
    report: runner.ImportReport, dry_run: bool, pages: ImportResult | None = None
) -> int:
    """Print the result of an import; return the exit code, 1 if a story or page was refused."""
    click.echo(_describe_counts(report, dry_run))
    if pages is not None:
        click.echo(gettext("pages: %(counts)s", counts=_describe_counts(pages, dry_run)))
        report.add(replace(pages, added=0, updated=0, unchanged=0))
    _print_names(report)
    _print_preserved(report)
    for location, change in report.changes:
        echo_line(f"{location}: {change}")
    echo_rest(report.changes_count - len(report.changes))
    for location, reason in report.refused:
        echo_line(f"{location}: {reason}", err=True)
    echo_rest(report.refused_count - len(report.refused), err=True)
    return 1 if report.refused else 0


def _print_names(report: runner.ImportReport) -> None:
    """Print the names of new sections, and of keys that were ignored."""
    if report.sections:
        echo_line(gettext("sections created: %(names)s", names=", ".join(report.sections)))
    if report.unknown_keys:
        keys = sorted(report.unknown_keys.items())
        names = ", ".join(f"{name} ({count})" for name, count in keys)
        if report.has_more_unknown_keys:
            names = gettext("%(names)s and others", names=names)
        echo_line(gettext("unknown keys ignored: %(names)s", names=names))


def _print_preserved(report: runner.ImportReport) -> None:
    """Print the stories with fields that stayed as edited on this site."""
    for location, fields in report.preserved:
        echo_line(
            gettext(
                "%(story)s: not overwritten, changed on this site: %(fields)s",
                story=location,
                fields=fields,
            )
        )
    echo_rest(report.preserved_count - len(report.preserved))
    if report.preserved:
        click.echo(
            gettext("To replace changes made on this site, import again with --overwrite.")
        )


def write_receipt(receipt: Receipt, path: Path | None, dry_run: bool) -> None:
    """Write the receipt of an import to a file, if there is one, and print what is in it.

    After a dry run there is nothing that could answer at the old addresses.
    """
    if path is None:
        return
    if dry_run:
        click.echo(gettext("No receipt was written: nothing was saved."))
        return
    label = gettext("checking addresses")
    with click.progressbar(length=receipt.address_count, label=label, file=sys.stderr) as bar:
        totals = receipt.write(path, bar.update)
    lost = totals["missing"] + totals["elsewhere"]
    numbers = {"count": format_number(totals.total()), "lost": format_number(lost)}
    click.echo(
        gettext(
            "receipt: %(file)s (old addresses: %(count)s, without their page: %(lost)s)",
            file=path,
            **numbers,
        )
    )
