"""`spectator import feed`: stories from feeds."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from flask import Flask

from spectator import queries
from spectator.cli.context import fail, with_app
from spectator.cli.import_reports import print_report, write_receipt
from spectator.cli.imports import dry_run_option, overwrite_option, receipt_option
from spectator.db import db
from spectator.i18n import gettext, gettext_noop
from spectator.importers import feeds, inputs, runner
from spectator.importers.downloads import DownloadError, download
from spectator.importers.jsonl import DEFAULT_SECTION
from spectator.importers.receipt import Receipt
from spectator.importers.story_values import site_of
from spectator.publishing.validation import is_http_url

MAX_DOWNLOAD_BYTES = 50_000_000


section_option = click.option(
    "--section",
    default=DEFAULT_SECTION,
    help=gettext_noop("Section of stories without a topic that is a section."),
)


@click.command("feed")
@click.argument("source", metavar="FILE|URL")
@click.option(
    "--published", is_flag=True, help=gettext_noop("Publish the stories; without, add drafts.")
)
@section_option
@click.option(
    "--url",
    default="",
    help=gettext_noop("Address of the site whose feed it is; without, the one of URL."),
)
@dry_run_option
@overwrite_option
@receipt_option
@click.option("--allow-loopback", is_flag=True, help=gettext_noop("Let URL be on this machine."))
@with_app()
def import_feed(
    app: Flask,
    source: str,
    published: bool,
    section: str,
    url: str,
    dry_run: bool,
    overwrite: bool,
    receipt: Path | None,
    allow_loopback: bool,
) -> None:
    """Import stories from a feed: RSS, Atom or JSON Feed.

    Importing the same feed again adds what is new, and updates the fields that nobody has changed
    on this site. FILE can be a pipe, or - for standard input.

    Example: spectator import feed https://wire.example/feed.xml
    """
    if url and not is_http_url(url):
        raise click.BadParameter(gettext("%(url)s is not a web address", url=url[:200]))
    options = feeds.FeedOptions(
        language=app.config["LANGUAGE"],
        section=section,
        zone=ZoneInfo(app.config["TIMEZONE"]),
        sections=section_slugs(),
        is_published=published,
        site_url=app.config["SITE_URL"],
        site=site_of(url or (source if _is_url(source) else "")),
    )
    with _open_source(source, allow_loopback) as opened:
        collected = Receipt(opened.name)
        try:
            with opened.progress(has_lines=False) as advance:
                entries = feeds.read(opened.file, options)
                report = runner.import_records(
                    entries,
                    app.config["MEDIA"],
                    dry_run,
                    advance,
                    overwrite=overwrite,
                    receipt=collected,
                )
        except feeds.FeedError as error:
            fail(f"{opened.name}: {error}")
    code = print_report(report, dry_run)
    write_receipt(collected, receipt, dry_run)
    sys.exit(code)


def section_slugs() -> frozenset[str]:
    """Return the slugs of the site's sections."""
    slugs = frozenset(section.slug for section in queries.sections())
    db.session.rollback()
    return slugs


def _is_url(source: str) -> bool:
    return source.lower().startswith(("http://", "https://"))


@contextmanager
def _open_source(source: str, allows_loopback: bool) -> Iterator[inputs.Input]:
    """Open a file, standard input, or the content of a URL."""
    if not _is_url(source):
        path = Path(source)
        if source != "-" and not path.exists():
            raise click.BadParameter(gettext("%(name)s does not exist", name=source[:200]))
        with inputs.open_input(path) as opened:
            yield opened
        return
    try:
        result = download(source, MAX_DOWNLOAD_BYTES, allows_loopback=allows_loopback)
    except DownloadError as error:
        fail(f"{source[:200]}: {error}")
    yield inputs.Input(BytesIO(result.content), source[:200], None)
