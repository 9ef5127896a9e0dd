"""`spectator check-addresses`: whether a running site answers as the receipt of an import says."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import urlsplit

import click

from spectator.cli.context import fail, report_errors
from spectator.formats import format_number
from spectator.i18n import gettext, gettext_noop
from spectator.operations.address_check import AddressChecker, ReceiptError, read_receipt
from spectator.publishing.validation import clean_line

MAX_LISTED = 100


def _base_url(_context: click.Context, _parameter: click.Parameter, text: str) -> str:
    """Return the URL of the site to ask; exit with code 2 if it is none."""
    try:
        parts = urlsplit(text)
        is_valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_valid = False
    if not is_valid:
        raise click.BadParameter(gettext("This is not a URL that starts with http or https."))
    return text


@click.command("check-addresses")
@click.argument("receipt", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--base",
    metavar="URL",
    required=True,
    callback=_base_url,
    help=gettext_noop("Where the site runs, such as http://127.0.0.1:8000."),
)
@report_errors
def check_addresses(receipt: Path, base: str) -> None:
    """Ask a running site for every old address of a receipt, and list wrong answers.

    RECEIPT is a file that an import wrote with --receipt, as HTML or as JSON.

    Example: spectator check-addresses receipt.html --base http://127.0.0.1:8000
    """
    try:
        entries, site = read_receipt(receipt)
    except ReceiptError as error:
        fail(str(error))
    faults: list[str] = []
    checker = AddressChecker(base, site)
    try:
        with click.progressbar(length=len(entries), label=base, file=sys.stderr) as bar:
            for address, fault in checker.check(entries):
                faults += [f"{address}: {fault}"] if fault else []
                bar.update(1)
    except OSError as error:
        fail(gettext("%(url)s does not answer: %(error)s", url=base, error=error))
    finally:
        checker.close()
    sys.exit(_print_faults(faults, len(entries)))


def _print_faults(faults: list[str], count: int) -> int:
    """Print the result, and return the exit code."""
    for fault in faults[:MAX_LISTED]:
        click.echo(clean_line(fault), err=True)
    if len(faults) > MAX_LISTED:
        rest = format_number(len(faults) - MAX_LISTED)
        click.echo(gettext("and %(count)s more", count=rest), err=True)
    numbers = {"right": format_number(count - len(faults)), "count": format_number(count)}
    click.echo(gettext("%(right)s of %(count)s addresses answer rightly.", **numbers))
    return 1 if faults else 0
