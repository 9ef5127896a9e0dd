"""Saves the records of any importer, in batches, with a report at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from spectator import media, publishing
from spectator.db import db
from spectator.importers.records import BadRecord, Record
from spectator.text.slugs import slugify

BATCH = 500
BATCH_CHARACTERS = 4_000_000  # of bodies: what a batch holds in memory is some ten times as much
Entry = Record | tuple[str, BadRecord]


@dataclass(slots=True)
class Report:
    """What an import did: stories added and updated, sections created, unknown keys by count, bad records by place."""

    added: int = 0
    updated: int = 0
    sections: list[str] = field(default_factory=list)
    unknown_keys: Counter[str] = field(default_factory=Counter)
    refused: list[tuple[str, str]] = field(default_factory=list)


def run(
    entries: Iterable[Entry], media_dir: Path, is_dry: bool = False, progress: Callable[[int], None] | None = None
) -> Report:
    """Save every good record, in commits of at most 500; a dry run does it all and rolls back. Returns the report."""
    report = Report()
    for batch in _batches(entries):
        ready = list(_prepared(batch, report, media_dir, is_dry))
        try:
            with db.write() as session:
                outcome = publishing.take_imports(session, [story for _, story in ready])
                if is_dry:
                    raise _RollBack
        except _RollBack:
            pass
        report.added += outcome.added
        report.updated += outcome.updated
        report.sections += outcome.sections
        report.refused += [(ready[position][0], reason) for position, reason in outcome.refused]
        if progress:
            progress(len(batch))
    report.sections = list(dict.fromkeys(report.sections))
    return report


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
    batch: list[Entry], report: Report, media_dir: Path, is_dry: bool
) -> Iterator[tuple[str, publishing.Imported]]:
    """Yield (place, story) of every good record: cleaned and decoded before the write lock is taken."""
    for entry in batch:
        if isinstance(entry, tuple):
            report.refused.append((entry[0], str(entry[1])))
            continue
        report.unknown_keys.update(entry.unknown_keys)
        try:
            yield entry.place, _imported(entry, media_dir, is_dry)
        except (publishing.Invalid, BadRecord) as error:
            report.refused.append((entry.place, str(error)))


def _imported(record: Record, media_dir: Path, is_dry: bool) -> publishing.Imported:
    picture = _picture(record, media_dir, is_dry)
    return publishing.Imported(
        prepared=publishing.prepare(replace(record.draft, section=slugify(record.section))),
        section=record.section,
        external_id=record.external_id,
        status=record.status,
        published_at=record.published_at,
        updated_at=record.updated_at,
        picture=picture,
    )


def _picture(record: Record, media_dir: Path, is_dry: bool) -> media.TakenPicture | None:
    if record.picture is None or is_dry:
        return None
    try:
        with record.picture.open("rb") as file:
            return media.take_in(file, media_dir)
    except (OSError, media.PictureRefused) as error:
        raise BadRecord(f"lead_image: {error}") from error
