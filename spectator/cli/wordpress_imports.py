"""`spectator import wordpress`: a newsroom moves in from WordPress."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path

import click
from flask import Flask

from spectator.cli.context import fail, with_app
from spectator.cli.import_reports import echo_line, echo_rest, print_report, write_receipt
from spectator.cli.imports import dry_run_option, overwrite_option, receipt_option
from spectator.formats import format_number
from spectator.i18n import gettext, gettext_noop
from spectator.importers.receipt import Receipt
from spectator.importers.wordpress.category_map import MappingError
from spectator.importers.wordpress.importer import Options, Outcome, import_site
from spectator.importers.xml_text import XmlError

MAX_LISTED = 20  # missing pictures


@click.command("wordpress")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@dry_run_option
@overwrite_option
@receipt_option
@click.option(
    "--media",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help=gettext_noop("Directory with a copy of the old site's wp-content/uploads."),
)
@click.option(
    "--fetch-media",
    is_flag=True,
    help=gettext_noop("Get pictures from the old site, from the hosts that the files name."),
)
@click.option(
    "--media-host",
    multiple=True,
    metavar="HOST",
    help=gettext_noop("A further host from which pictures may be fetched; can be repeated."),
)
@click.option(
    "--mapping",
    type=click.Path(dir_okay=False, path_type=Path),
    help=gettext_noop("File that says what categories become; a missing one is proposed."),
)
@with_app()
def import_wordpress(
    app: Flask,
    files: tuple[Path, ...],
    dry_run: bool,
    overwrite: bool,
    receipt: Path | None,
    media: Path | None,
    fetch_media: bool,
    media_host: tuple[str, ...],
    mapping: Path | None,
) -> None:
    """Import stories from export files of WordPress (WXR), all files of a site together.

    Importing the same files again updates the fields that nobody has changed on this site.

    Example: spectator import wordpress posts.xml media.xml --media uploads
    """
    options = Options(dry_run, overwrite, media, mapping, fetch_media, media_host)
    collected = Receipt(", ".join(path.name for path in files)[:200])
    for path in files:
        if not path.is_file():
            fail(gettext("%(file)s is not a file. It will be read twice.", file=path))
    with ExitStack() as stack:
        sources = [(path.name, stack.enter_context(path.open("rb"))) for path in files]
        size = 2 * sum(os.fstat(file.fileno()).st_size for _, file in sources)
        label = gettext("importing stories")
        with click.progressbar(length=size, label=label, file=sys.stderr) as bar:
            try:
                outcome = import_site(sources, app.config, options, collected, bar.update)
            except (XmlError, MappingError) as error:
                fail(str(error))
    _print_outcome(outcome)
    code = print_report(outcome.report, dry_run)
    write_receipt(collected, receipt, dry_run)
    sys.exit(code)


def _print_outcome(outcome: Outcome) -> None:
    """Print where the mapping and the comments are, what was left out, and missing pictures."""
    survey, mapping = outcome.survey, outcome.mapping
    if outcome.is_proposed:
        message = gettext(
            "What categories become is in %(file)s. Change it and import again.", file=mapping
        )
        echo_line(message)
    if others := outcome.left_out():
        names = ", ".join(f"{name} ({format_number(count)})" for name, count in others)
        echo_line(gettext("not imported: %(names)s", names=names))
    if outcome.comments:
        number = format_number(survey.comments.total())
        message = gettext(
            "comments: %(count)s, saved in %(file)s", count=number, file=outcome.comments
        )
        echo_line(message)
    for url, reason in list(outcome.missing.items())[:MAX_LISTED]:
        line = gettext("picture missing: %(url)s (%(reason)s)", url=url, reason=reason)
        echo_line(line, err=True)
    echo_rest(len(outcome.missing) - MAX_LISTED, err=True)
