"""`spectator import ghost`: stories from an export file of Ghost."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click
from flask import Flask

from spectator.cli.context import fail, with_app
from spectator.cli.feed_imports import section_option, section_slugs
from spectator.cli.import_reports import print_report, write_receipt
from spectator.cli.imports import dry_run_option, overwrite_option, receipt_option
from spectator.i18n import gettext, gettext_noop
from spectator.importers import ghost, inputs, runner
from spectator.importers.ghost.pictures import open_library
from spectator.importers.receipt import Receipt
from spectator.publishing.validation import is_http_url


@click.command("ghost")
@click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
)
@click.option(
    "--url",
    default="",
    help=gettext_noop("Address of the old site, which the file does not have."),
)
@click.option(
    "--media",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help=gettext_noop("Copy of the old site's directory “content”, for its pictures."),
)
@section_option
@dry_run_option
@overwrite_option
@receipt_option
@with_app()
def import_ghost(
    app: Flask,
    file: Path,
    url: str,
    media: Path | None,
    section: str,
    dry_run: bool,
    overwrite: bool,
    receipt: Path | None,
) -> None:
    """Import stories and pages from an export file of Ghost (JSON).

    What only members could read becomes a draft. Importing the file again updates the fields that
    nobody has changed on this site. FILE can be a pipe, or - for standard input.

    Example: spectator import ghost ghost.json --url https://old.example --media content
    """
    if url and not is_http_url(url):
        raise click.BadParameter(gettext("%(url)s is not a web address", url=url[:200]))
    options = ghost.GhostOptions(
        language=app.config["LANGUAGE"],
        section=section,
        sections=section_slugs(),
        site_url=url.rstrip("/"),
    )
    with (
        inputs.open_input(file) as source,
        inputs.seekable(source) as seekable,
        open_library(app.config["MEDIA"], media, dry_run) as library,
    ):
        options = replace(options, library=library)
        collected = Receipt(source.name)
        pages = ghost.PageImport(options, overwrite, dry_run, collected)
        try:
            with source.progress(has_lines=False) as advance:
                entries = ghost.read(seekable, options, pages)
                report = runner.import_records(
                    entries,
                    app.config["MEDIA"],
                    dry_run,
                    advance,
                    overwrite=overwrite,
                    receipt=collected,
                )
        except ghost.GhostError as error:
            fail(f"{source.name}: {error}")
    if report.is_empty and not pages.count:
        fail(gettext("%(file)s has no posts.", file=source.name))
    report.add_changes(pages.changes)
    if not dry_run:
        ghost.register_names(pages.joins, options.site_url, options.sections, collected)
    code = print_report(report, dry_run, pages.result if pages.count else None)
    write_receipt(collected, receipt, dry_run)
    sys.exit(code)
