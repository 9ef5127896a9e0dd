"""The runner of all importers: saves records in batches and reports the result."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from html import unescape
from pathlib import Path
from typing import Any

from spectator import media, publishing, queries
from spectator.db import db
from spectator.i18n import gettext
from spectator.importers.pictures import open_picture
from spectator.importers.receipt import Receipt
from spectator.importers.records import Record, RecordError, describe_unexpected_error
from spectator.publishing.fields import FIELDS, NAME_FIELDS, names_of
from spectator.publishing.imported_articles import MAX_LISTED
from spectator.text.words.slugs import slugify

log = logging.getLogger(__name__)
BATCH_SIZE = 500
BATCH_BYTES = 4_000_000  # of the source; a batch takes about ten times as much memory
MAX_UNKNOWN_KEYS = 100
ENCODED_LINES = names_of("line")
# A character reference must have its semicolon: "AT&T" and "R&D&copy" are plain text.
_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
Entry = Record | tuple[str, RecordError]


@dataclass(slots=True)
class ImportReport(publishing.ImportResult):
    """The result of an import, with the first hundred unknown keys and their counts.

    `is_empty`: the source had no record at all. `changes` holds pairs of a story's location and a
    sentence about what was converted or dropped, the first `MAX_LISTED` of `changes_count`.
    """

    is_empty: bool = True
    changes: list[tuple[str, str]] = field(default_factory=list)
    changes_count: int = 0
    unknown_keys: Counter[str] = field(default_factory=Counter)
    has_more_unknown_keys: bool = False

    def count_unknown_keys(self, keys: Iterable[str]) -> None:
        """Count the keys that are listed already, and others while there is room."""
        for key in keys:
            if key in self.unknown_keys or len(self.unknown_keys) < MAX_UNKNOWN_KEYS:
                self.unknown_keys[key] += 1
            else:
                self.has_more_unknown_keys = True

    def list_changes(self, batch: Iterable[Entry]) -> None:
        """List the changes of all records of a batch that were not refused."""
        refused = {location for location, _ in self.refused}
        for entry in batch:
            if isinstance(entry, Record) and entry.location not in refused:
                self.add_changes([(entry.location, text) for text in entry.changes])

    def add_changes(self, changes: Sequence[tuple[str, str]]) -> None:
        """List changes while there is room; each is a location and a sentence."""
        self.changes_count += len(changes)
        self.changes += changes[: max(0, MAX_LISTED - len(self.changes))]


def import_records(
    entries: Iterable[Entry],
    media_dir: Path,
    dry_run: bool = False,
    progress: Callable[[int], None] | None = None,
    pictures_dir: Path | None = None,
    overwrite: bool = False,
    receipt: Receipt | None = None,
) -> ImportReport:
    """Save every valid record, in commits of at most 500, and return the report.

    A dry run does the same and rolls back. Pictures are read from below `pictures_dir`. `overwrite`
    replaces what people changed on this site. The stories' old addresses lead to them from then on;
    `receipt` gets these and the changes.
    """
    report = ImportReport()
    for batch in _batches(entries):
        report.is_empty = False
        stories = list(_prepare_batch(batch, report, media_dir, pictures_dir, dry_run))
        report.add(publishing.import_batch(stories, overwrite, dry_run))
        report.list_changes(batch)
        records = [entry for entry in batch if isinstance(entry, Record)]
        if not dry_run:
            register_addresses(records)
        if receipt is not None:
            receipt.add_records(records)
        if progress:
            progress(len(batch))
    report.sections = list(dict.fromkeys(report.sections))
    return report


def register_addresses(records: Iterable[Record]) -> None:
    """Let the old addresses of stored stories lead to them; without changes write nothing."""
    addresses = {
        record.external_id: record.addresses
        for record in records
        if record.external_id is not None and record.addresses
    }
    ids = queries.article_ids_by_external_id(addresses)
    entries = [
        (address, ("article", ids[external_id]))
        for external_id, urls in addresses.items()
        if external_id in ids
        for address in urls
    ]
    if entries:
        with db.write() as session:
            publishing.register_old_addresses(session, entries)


def _batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    batch: list[Entry] = []
    size = 0
    for entry in entries:
        batch.append(entry)
        size += entry.size if isinstance(entry, Record) else 0
        if len(batch) == BATCH_SIZE or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _prepare_batch(
    batch: list[Entry],
    report: ImportReport,
    media_dir: Path,
    pictures_dir: Path | None,
    is_dry: bool,
) -> Iterator[publishing.ImportedArticle]:
    """Yield the story of every valid record, prepared before the write lock is taken."""
    for entry in batch:
        if isinstance(entry, tuple):
            report.refuse(entry[0], str(entry[1]))
            continue
        report.count_unknown_keys(entry.unknown_keys)
        try:
            yield _build_imported_article(entry, media_dir, pictures_dir, is_dry)
        except (publishing.ValidationError, RecordError) as error:
            report.refuse(entry.location, str(error))
        except Exception as error:
            log.debug("%s cannot be read", entry.location, exc_info=True)
            report.refuse(entry.location, describe_unexpected_error(error))


def _build_imported_article(
    record: Record, media_dir: Path, pictures_dir: Path | None, is_dry: bool
) -> publishing.ImportedArticle:
    section = decode_references(record.section)
    if len(section) > FIELDS["section"].limit:
        raise RecordError(
            gettext("“section” has over %(limit)s characters", limit=FIELDS["section"].limit)
        )
    draft = replace(record.draft, section=slugify(section), **_decode_lines(record.draft))
    return publishing.ImportedArticle(
        prepared=publishing.prepare(draft),
        section=section,
        external_id=record.external_id,
        status=record.status,
        published_at=record.published_at,
        updated_at=record.updated_at,
        picture=_lead_picture(record) or _store_picture(record, media_dir, pictures_dir, is_dry),
        pictures=record.pictures,
        is_picture_known=record.is_picture_known and not (is_dry and record.picture),
        is_publication_known=record.is_publication_known,
        feed_id=record.feed_id,
        location=record.location,
        may_number_slug=record.may_number_slug,
    )


def _decode_lines(draft: publishing.Draft) -> dict[str, Any]:
    """Return the decoded text fields of a draft that hold character references, except the body."""
    changes: dict[str, Any] = {
        name: decode_references(text)
        for name in ENCODED_LINES
        if "&" in (text := getattr(draft, name))
    }
    for field_name in NAME_FIELDS:
        names = getattr(draft, field_name)
        if any("&" in name for name in names):
            changes[field_name] = tuple(map(decode_references, names))
    return changes


def decode_references(text: str) -> str:
    """Return text with `&amp;`, `&#8217;` and the like decoded once; other systems store them."""
    return _REFERENCE.sub(lambda match: unescape(match[0]), text) if "&" in text else text


def _lead_picture(record: Record) -> media.StoredPicture | None:
    """Return the stored lead picture; a PDF that another system uses as one is none."""
    picture = record.stored_picture
    return picture if picture is not None and picture.width else None


def _store_picture(
    record: Record, media_dir: Path, pictures_dir: Path | None, is_dry: bool
) -> media.StoredPicture | None:
    if not record.picture:
        return None
    with open_picture(record.picture, pictures_dir) as file:
        if is_dry:
            return None
        try:
            return media.store_upload(file, media_dir)
        except (OSError, media.PictureError) as error:
            raise RecordError(f"lead_image: {error}") from error
