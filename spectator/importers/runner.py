"""Saves the records of any importer, in batches, with a report at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from spectator import media, publishing
from spectator.db import db
from spectator.importers.records import BadRecord, Record
from spectator.models import Section
from spectator.text.slugs import slugify

BATCH = 200
Entry = Record | tuple[str, BadRecord]
Ready = tuple[Record, publishing.Prepared, media.TakenPicture | None]


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
    """Save every good record, in commits of 200; a dry run does it all and rolls back. Returns the report."""
    report, iterator = Report(), iter(entries)
    while batch := list(islice(iterator, BATCH)):
        ready = list(_prepared(batch, report, media_dir, is_dry))
        try:
            with db.write() as session:
                for each in ready:
                    _save(session, each, report)
                if is_dry:
                    raise _RollBack
        except _RollBack:
            pass
        if progress:
            progress(len(batch))
    report.sections = list(dict.fromkeys(report.sections))
    return report


class _RollBack(Exception):
    """Ends a dry run's transaction."""


def _prepared(batch: list[Entry], report: Report, media_dir: Path, is_dry: bool) -> Iterator[Ready]:
    """Clean and decode before the write lock is taken."""
    for entry in batch:
        if isinstance(entry, tuple):
            report.refused.append((entry[0], str(entry[1])))
            continue
        report.unknown_keys.update(entry.unknown_keys)
        try:
            picture = _picture(entry, media_dir, is_dry)
            draft = replace(entry.draft, section=slugify(entry.section))
            yield entry, publishing.prepare(draft), picture
        except (publishing.Invalid, BadRecord) as error:
            report.refused.append((entry.place, str(error)))


def _picture(record: Record, media_dir: Path, is_dry: bool) -> media.TakenPicture | None:
    if record.picture is None or is_dry:
        return None
    try:
        with record.picture.open("rb") as file:
            return media.take_in(file, media_dir)
    except (OSError, media.PictureRefused) as error:
        raise BadRecord(f"lead_image: {error}") from error


def _save(session: Session, ready: Ready, report: Report) -> None:
    record, prepared, taken = ready
    try:
        with session.begin_nested():
            if session.scalar(select(func.count()).where(Section.slug == prepared.draft.section)) == 0:
                report.sections.append(publishing.add_section(session, record.section).name)
            if taken is not None:
                picture_id = publishing.add_picture(session, taken, None)
                prepared = replace(prepared, draft=replace(prepared.draft, picture_id=picture_id))
            is_new = publishing.take_import(
                session, prepared, record.external_id, record.status, record.published_at, record.updated_at
            )
    except publishing.Invalid as error:
        report.refused.append((record.place, str(error)))
        return
    report.added += is_new
    report.updated += not is_new
