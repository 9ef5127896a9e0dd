"""The checks of `spectator doctor`."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from spectator import indexing, media, publishing, queries, search_log
from spectator.config import PROJECT_ROOT
from spectator.db import database_file, db, is_wal_safe, sqlite
from spectator.hosts import registry
from spectator.i18n import gettext
from spectator.models import User
from spectator.object_storage import CHECKING, StoreError, open_store
from spectator.operations import (
    certificate,
    diagnosis,
    faults,
    file_limits,
    file_modes,
    postgresql,
    site_status,
)
from spectator.operations.sqlite_faults import RESTORE_ADVICE
from spectator.search import engine_fault


def problems(app: Flask) -> Iterator[str]:
    """Yield each problem of this installation, with what to do about it."""
    if is_sqlite(app.config):
        yield from _engine_problems()
    findings = diagnosis.examine(app.config)
    yield from map(str, findings)
    if any(fault.stops_reading for fault in findings):
        return
    yield from _mode_problems(app.config)
    yield from _script_problems(app.config)
    bucket_problems = dict(_bucket_problems(app.config))
    yield from bucket_problems.values()
    yield from _old_rendition_problems(app.config)
    yield from certificate.problems(app.config)
    try:
        yield from _database_problems(app.config)
        warnings = site_status.read(app.config).warnings
        if "BACKUP_TO" in bucket_problems:
            del warnings["backup"]
        if not is_shared_search(app.config) and engine_fault():
            del warnings["index"]
        yield from chain.from_iterable(warnings.values())
    except SQLAlchemyError as error:
        yield diagnosis.explain(error, app.config)


def _engine_problems() -> Iterator[str]:
    if not is_wal_safe(sqlite.sqlite_version_info):
        yield (
            gettext(
                "SQLite %(sqlite_version)s can corrupt a database in WAL mode, so the "
                "site uses the slower journal_mode=DELETE. Use a machine with a wheel of "
                "pysqlite3, or SQLite 3.51.3 or newer.",
                sqlite_version=sqlite.sqlite_version,
            )
        )


def _mode_problems(settings: Mapping[str, Any]) -> Iterator[str]:
    for mode in file_modes.wrong_modes(settings):
        command = f"chmod {mode.correct:o} {mode.path}"
        if mode.is_too_open:
            yield gettext(
                "Others can read or change %(path)s. Run: %(command)s",
                path=mode.path,
                command=command,
            )
        else:
            yield gettext(
                "Others cannot reach the pictures below %(path)s. Run: %(command)s",
                path=mode.path,
                command=command,
            )
    owner = faults.user_name(settings["DATA_DIR"].stat().st_uid)
    for mode in file_modes.wrong_owners(settings):
        other = faults.user_name(mode.owner)
        yield (
            gettext(
                "%(path)s belongs to %(other)s, but the data directory to %(owner)s. Run "
                "the site and its commands as one user; as root: chown -R %(owner)s "
                "%(path)s",
                path=mode.path,
                other=other,
                owner=owner,
            )
        )


def _script_problems(settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield a problem if htmx is served by this site and is missing or changed."""
    url: str = settings["HTMX_URL"]
    if not url.startswith("/static/"):
        return
    path = PROJECT_ROOT / url[1:]
    if not path.is_file():
        yield gettext(
            "SPECTATOR_HTMX_URL=%(url)s names a missing file. Put htmx into %(path)s.",
            url=url,
            path=path,
        )
        return
    algorithm, _, expected = settings["HTMX_INTEGRITY"].partition("-")
    if base64.b64encode(hashlib.new(algorithm, path.read_bytes()).digest()).decode() != expected:
        yield (
            gettext(
                "SPECTATOR_HTMX_INTEGRITY does not match %(path)s, so browsers refuse "
                "it. Set it to the file's digest.",
                path=path,
            )
        )


def _database_problems(settings: Mapping[str, Any]) -> Iterator[str]:
    data: Path = settings["DATA_DIR"]
    result = db.session.scalar(text("PRAGMA quick_check(1)")) if is_sqlite(settings) else "ok"
    if result != "ok":
        yield gettext(
            "The database is damaged (%(result)s). %(advice)s",
            result=result,
            advice=RESTORE_ADVICE,
        )
        return
    if db.session.scalar(select(User.id).where(User.is_active).limit(1)) is None:
        yield gettext("Nobody can log in yet. Run: spectator user add EMAIL --role admin")
    if not publishing.are_listings_correct(db.session()):
        yield gettext(
            "Story lists or counts do not match the stories. Run: spectator reindex --check"
        )
    yield from _picture_problems(settings["MEDIA"])
    if not is_shared_search(settings):
        yield from file_limits.problems(indexing.index_directories(data))
        yield from filter(None, [engine_fault()])
    if sentence := search_log.find_problem(data):
        yield sentence
    yield from registry.find_setting_differences()


def _bucket_problems(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the name of the setting and the problem of each bucket that cannot be used."""
    for name in ("MEDIA", "BACKUP_TO"):
        url = settings[name]
        try:
            if isinstance(url, str):
                open_store(url, CHECKING).probe()
        except StoreError as error:
            yield (
                name,
                gettext(
                    "SPECTATOR_%(name)s cannot be used. Check its address and keys (AWS_…). "
                    "%(error)s",
                    name=name,
                    error=error,
                ),
            )


def _old_rendition_problems(settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield a problem if pictures that were moved to a bucket are still on the disk."""
    old_renditions: Path = settings["DATA_DIR"] / "media/renditions"
    if isinstance(settings["MEDIA"], str) and old_renditions.is_dir():
        yield (
            gettext(
                "Pictures were moved to a bucket, but nginx still sends those in "
                "%(directory)s, also when they are withdrawn. Run: mv %(parent)s "
                "%(parent)s.old",
                directory=old_renditions,
                parent=old_renditions.parent,
            )
        )


def _picture_problems(location: media.Location) -> Iterator[str]:
    pictures = queries.picture_states()
    names = [f"{picture.digest}.{picture.extension}" for picture in pictures]
    try:
        missing = media.missing_originals(location, names)
    except StoreError as error:
        yield gettext("The pictures cannot be listed. %(error)s", error=error)
        return
    if missing:
        yield (
            gettext(
                "%(missing)s of %(pictures)s pictures have no original, such as "
                "%(example)s. Restore %(location)s/originals from a backup.",
                missing=len(missing),
                pictures=len(pictures),
                example=missing[0],
                location=location,
            )
        )


def is_sqlite(settings: Mapping[str, Any]) -> bool:
    """Return whether the site's database is SQLite."""
    return database_file(settings["DATABASE_URL"]) is not None


def is_shared_search(settings: Mapping[str, Any]) -> bool:
    """Return whether all hosts share one search index, in the database."""
    return bool(settings["SEARCH"] == "postgres")


def describe_search(app: Flask) -> str:
    """Return one line with the search engine and how far the readers' index is behind."""
    engine = "PostgreSQL" if is_shared_search(app.config) else "Whoosh"
    lag = indexing.lag(app.config["DATA_DIR"])
    if lag.offset == lag.newest_number:
        return gettext("Search index: %(engine)s, up to date", engine=engine)
    if lag.offset is None:
        return gettext("Search index: %(engine)s, missing", engine=engine)
    seconds = round(lag.seconds)
    return gettext(
        "Search index: %(engine)s, %(seconds)s s behind", engine=engine, seconds=seconds
    )


def describe_database(settings: Mapping[str, Any]) -> str:
    """Return one line with the database's version, and SQLite's journal mode."""
    if not is_sqlite(settings):
        return f"PostgreSQL {postgresql.version(settings['DATABASE_URL'])}"
    is_safe = is_wal_safe(sqlite.sqlite_version_info)
    return f"SQLite {sqlite.sqlite_version}: {'WAL' if is_safe else 'journal_mode=DELETE'}"
