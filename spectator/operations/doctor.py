"""What is wrong with this installation, in plain words: `spectator doctor`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from spectator import indexing, migrations, publishing, searchlog
from spectator.config import SECRET_FILE
from spectator.db import db, is_wal_safe, sqlite
from spectator.models import User

LATE_SECONDS = 30
LOW_DISK_BYTES = 500_000_000


def problems(app: Flask) -> Iterator[str]:
    """Yield what is wrong with this installation, each in a sentence that says what to do."""
    data: Path = app.config["DATA_DIR"]
    if not is_wal_safe(sqlite.sqlite_version_info):
        yield (
            f"SQLite {sqlite.sqlite_version} can corrupt a database in WAL mode; the site runs with the slower "
            "journal_mode=DELETE. Use a machine with a wheel of pysqlite3, or SQLite 3.51.3 or newer."
        )
    if not data.is_dir() or not os.access(data, os.W_OK):
        yield f"The data directory {data} is missing or not writable; run: spectator init"
        return
    if shutil.disk_usage(data).free < LOW_DISK_BYTES:
        yield f"Less than {LOW_DISK_BYTES // 1_000_000} MB are free in {data}; make room before saves fail."
    if not app.config["SECRET_KEY"]:
        yield "There is no secret key; run: spectator init"
    secret = data / SECRET_FILE
    if secret.is_file() and secret.stat().st_mode & 0o077:
        yield f"Others can read the secret key; run: chmod 600 {secret}"
    try:
        yield from _database_problems(data)
    except SQLAlchemyError as error:
        yield f"The database does not answer ({error.__class__.__name__}); run: spectator init, or restore a backup."


def _database_problems(data: Path) -> Iterator[str]:
    if not migrations.is_current():
        yield "The database is older than this version; run: spectator init"
        return
    if (found := db.session.scalar(text("PRAGMA quick_check(1)"))) != "ok":
        yield f"The database is damaged ({found}); stop the site and restore the newest backup."
    if db.session.scalar(select(User.id).where(User.is_active).limit(1)) is None:
        yield "Nobody can log in yet; run: spectator user add EMAIL --role admin"
    if not publishing.are_lists_true(db.session()):
        yield "Lists and counts of stories are not what the stories say; run: spectator reindex --check"
    yield from _index_problems("The search index", indexing.lag(data))
    yield from _index_problems("The newsroom's search index", indexing.lag(data, indexing.NEWSROOM))
    if found := searchlog.problem(data):
        yield found


def _index_problems(name: str, lag: indexing.Lag) -> Iterator[str]:
    if lag.position is None:
        yield f"{name} is missing or damaged; the worker rebuilds it, or run: spectator reindex"
    elif lag.seconds > LATE_SECONDS:
        yield f"{name} is {lag.seconds:.0f} s behind; start the worker: spectator run, or spectator worker"
    elif lag.position > lag.edition:
        yield f"{name} is ahead of the database (was it restored?); run: spectator reindex"


def versions() -> str:
    """Return one line that says which SQLite runs, and whether it is safe in WAL mode."""
    is_safe = is_wal_safe(sqlite.sqlite_version_info)
    return f"SQLite {sqlite.sqlite_version}: {'WAL' if is_safe else 'journal_mode=DELETE'}"
