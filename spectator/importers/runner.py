"""Saves the records of any importer, in batches, with a report at the end."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from html import unescape
from pathlib import Path
from typing import Any

from spectator import media, publishing
from spectator.db import db
from spectator.importers.pictures import open_picture
from spectator.importers.records import BadRecord, Record, reason_of
from spectator.text.slugs import slugify

log = logging.getLogger(__name__)
BATCH = 500
BATCH_CHARACTERS = 4_000_000  # of bodies: what a batch holds in memory is some ten times as much
LINES = ("headline", "dek", "source_name", "source_url", "picture_alt", "picture_caption", "picture_credit")
NAMES = ("authors", "topics", "countries")
# With its semicolon only: "AT&T" and "R&D&copy" are what they say.
_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
Entry = Record | tuple[str, BadRecord]


@dataclass(slots=True)
class Report:
    """What an import did: stories added, updated and unchanged, sections created, unknown keys by count.

    `kept` says by place which fields of a story stayed since people changed them here, `refused` what is wrong with a
    bad record. `is_empty`: there was no record at all.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    is_empty: bool = True
    sections: list[str] = field(default_factory=list)
    unknown_keys: Counter[str] = field(default_factory=Counter)
    kept: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


def run(
    entries: Iterable[Entry],
    media_dir: Path,
    is_dry: bool = False,
    progress: Callable[[int], None] | None = None,
    pictures: Path | None = None,
    overwrite: bool = False,
) -> Report:
    """Save every good record, in commits of at most 500; a dry run does it all and rolls back. Returns the report.

    Pictures are taken from below the directory `pictures`. `overwrite` lets the source win over what people changed.
    """
    report = Report()
    for batch in _batches(entries):
        report.is_empty = False
        ready = list(_prepared(batch, report, media_dir, pictures, is_dry))
        try:
            with db.write() as session:
                outcome = publishing.take_imports(session, [story for _, story in ready], overwrite)
                if is_dry:
                    raise _RollBack
        except _RollBack:
            pass
        _add_outcome(report, outcome, [place for place, _ in ready])
        if progress:
            progress(len(batch))
    report.sections = list(dict.fromkeys(report.sections))
    return report


def _add_outcome(report: Report, outcome: publishing.Outcome, places: list[str]) -> None:
    report.added += outcome.added
    report.updated += outcome.updated
    report.unchanged += outcome.unchanged
    report.sections += outcome.sections
    report.kept += [(places[position], fields) for position, fields in outcome.kept]
    report.refused += [(places[position], reason) for position, reason in outcome.refused]


class _RollBack(Exception):
    """Ends a dry run's transaction."""


def _batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    batch: list[Entry] = []
    characters = 0
    for entry in entries:
        batch.append(entry)
        characters += len(entry.draft.body) if isinstance(entry, Record) else 0
        if len(batch) == BATCH or characters >= BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _prepared(
    batch: list[Entry], report: Report, media_dir: Path, pictures: Path | None, is_dry: bool
) -> Iterator[tuple[str, publishing.Imported]]:
    """Yield (place, story) of every good record: cleaned and decoded before the write lock is taken."""
    for entry in batch:
        if isinstance(entry, tuple):
            report.refused.append((entry[0], str(entry[1])))
            continue
        report.unknown_keys.update(entry.unknown_keys)
        try:
            story = _imported(entry, media_dir, pictures, is_dry)
        except (publishing.Invalid, BadRecord) as error:
            report.refused.append((entry.place, str(error)))
        except Exception as error:
            log.debug("%s cannot be read", entry.place, exc_info=True)
            report.refused.append((entry.place, reason_of(error)))
        else:
            yield entry.place, story


def _imported(record: Record, media_dir: Path, pictures: Path | None, is_dry: bool) -> publishing.Imported:
    section = decode_once(record.section)
    draft = replace(record.draft, section=slugify(section), **_decoded(record.draft))
    return publishing.Imported(
        prepared=publishing.prepare(draft),
        section=section,
        external_id=record.external_id,
        status=record.status,
        published_at=record.published_at,
        updated_at=record.updated_at,
        picture=_picture(record, media_dir, pictures, is_dry),
        is_picture_known=not (is_dry and record.picture),
        feed_id=record.feed_id,
    )


def _decoded(draft: publishing.Draft) -> dict[str, Any]:
    """Return the lines and names of a draft that hold character references, decoded once; the body is HTML already."""
    changes: dict[str, Any] = {name: decode_once(text) for name in LINES if "&" in (text := getattr(draft, name))}
    for name in NAMES:
        names = getattr(draft, name)
        if any("&" in each for each in names):
            changes[name] = tuple(map(decode_once, names))
    return changes


def decode_once(text: str) -> str:
    """Return text with `&amp;`, `&#8217;` and the like decoded once: other systems store headlines so."""
    return _REFERENCE.sub(lambda match: unescape(match[0]), text) if "&" in text else text


def _picture(record: Record, media_dir: Path, pictures: Path | None, is_dry: bool) -> media.TakenPicture | None:
    if not record.picture:
        return None
    with open_picture(record.picture, pictures) as file:
        if is_dry:
            return None
        try:
            return media.take_in(file, media_dir)
        except (OSError, media.PictureRefused) as error:
            raise BadRecord(f"lead_image: {error}") from error
