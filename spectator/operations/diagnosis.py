"""The diagnosis of an installation: faults with cause, file and remedy.

It needs no running site: it examines files and reads only the schema of the database.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from spectator import config, migrations
from spectator.db import STORAGE_CODES, database_file, sqlite
from spectator.db.poller import PollError
from spectator.migrations import Schema
from spectator.operations import postgresql
from spectator.operations.database_copy import UNFINISHED
from spectator.operations.faults import (
    INIT,
    Cause,
    Fault,
    check_access,
    examine_directory,
    examine_space,
    full_disk_fault,
)

RESTORE_ADVICE = "Stop the site and restore a backup (docs/operations.md, “Restoring a backup”)."
BUSY_CODES = (5, 6)  # SQLITE_BUSY, SQLITE_LOCKED
REQUIRED_TABLES = frozenset({"article", "outbox", "revision", "section", "user"})


def examine(settings: Mapping[str, Any]) -> list[Fault]:
    """Return the faults of an installation's files, most basic first; change nothing."""
    data: Path = settings["DATA_DIR"]
    if faults := list(examine_directory(data, "data directory")):
        return faults
    media: Path | str = settings["MEDIA"]
    return [
        *examine_space(data),
        *_examine_key(settings),
        *examine_database(settings["DATABASE_URL"]),
        # A site starts without its bucket; only `doctor` asks for it.
        *(examine_directory(media, "directory of pictures") if isinstance(media, Path) else ()),
        *_examine_worker_files(data),
    ]


def explain(error: BaseException, settings: Mapping[str, Any]) -> str:
    """Return one line that says why a command failed: a fault if there is one, else the error."""
    original = getattr(error, "original", None) or getattr(error, "orig", None) or error
    code = getattr(original, "sqlite_errorcode", None) or 0
    database = database_file(settings["DATABASE_URL"])
    if database and (code & 0xFF in STORAGE_CODES or code & 0xFF in BUSY_CODES):
        return str(explain_sqlite(code, str(original), database))
    if isinstance(error, OSError) and error.errno in _DISK_CAUSES:
        return str(_explain_disk(error, settings["DATA_DIR"]))
    if faults := examine(settings):
        return str(faults[0])
    return f"{original.__class__.__name__}: {original}"


def explain_sqlite(code: int, detail: str, path: Path) -> Fault:
    """Return the fault for an error code of SQLite (sqlite.org/rescode.html)."""
    match STORAGE_CODES.get(code & 0xFF):
        case "full":
            return full_disk_fault(path)
        case "damaged":
            return Fault(
                Cause.DAMAGED, path, f"The database {path} is damaged ({detail}).", RESTORE_ADVICE
            )
        case "not a database":
            return _not_a_database(path)
        case "read-only" | "cannot be opened":
            for candidate in (path.parent, path, *_sidecar_files(path)):
                for fault in check_access(candidate, "database"):
                    return fault
            return Fault(
                Cause.NO_ACCESS,
                path,
                f"The database {path} cannot be opened for writing ({detail}).",
                "Check its owner and its directory.",
            )
        case "disk error" if path.parent.is_dir() and list(examine_space(path.parent)):
            # Readers cannot connect either: SQLite cannot create its -shm file.
            return full_disk_fault(path, stops_reading=True)
        case "disk error":
            message = f"The disk of the database {path} reports an error ({detail})."
            return Fault(
                Cause.DISK_ERROR,
                path,
                message,
                "Check the disk and the system log (dmesg).",
            )
    message = f"The database {path} does not answer ({detail})."
    return Fault(
        Cause.BUSY, path, message, "Stop the program that locks it, or try again in a minute."
    )


def _examine_key(settings: Mapping[str, Any]) -> Iterator[Fault]:
    if settings["SECRET_KEY"]:
        return
    path: Path = settings["DATA_DIR"] / config.SECRET_FILE
    if not path.exists():
        message = (
            f"The secret key {path} is missing. A new one logs nobody out, "
            "but pages open now must be reloaded."
        )
        yield Fault(Cause.MISSING, path, message, INIT)
    elif not path.is_file():
        yield Fault(
            Cause.WRONG_KIND,
            path,
            f"{path} is not a file, but the secret key should be one.",
            _removal_advice(path),
        )
    elif faults := list(check_access(path, "secret key")):
        yield from faults
    elif path.stat().st_size == 0:
        yield Fault(Cause.EMPTY, path, f"The secret key {path} is empty.", INIT)
    else:
        try:
            config.secret_key(settings)
        except config.ConfigError:
            yield Fault(
                Cause.DAMAGED, path, f"The secret key {path} is damaged.", _removal_advice(path)
            )


def _removal_advice(path: Path) -> str:
    return f"Restore it from a backup, or create a new one: rm -r {path} && spectator init"


def examine_database(url: str) -> Iterator[Fault]:
    """Yield the faults of the database and its schema."""
    if path := database_file(url):
        yield from _examine_file(path)
        return
    try:
        yield from postgresql.examine_server(url)
        yield from _examine_schema(postgresql.database_name(url), postgresql.read_schema(url))
    except PollError as error:
        yield postgresql.no_answer_fault(url, error)


def _examine_file(path: Path) -> Iterator[Fault]:
    """Yield the faults of SQLite's file, its sidecar files and its schema."""
    if os.path.islink(path) and not path.exists():
        yield Fault(Cause.WRONG_KIND, path, f"{path} is a broken link.", "Remove or correct it.")
    elif not path.exists():
        yield from examine_directory(path.parent, "directory of the database")
        message = f"The database {path} is missing. If there was one, restore a backup first."
        yield Fault(Cause.MISSING, path, message, INIT)
    elif not path.is_file():
        remedy = "Move it away, or set SPECTATOR_DATABASE_URL to the database."
        yield Fault(
            Cause.WRONG_KIND,
            path,
            f"{path} is not a file, but the database should be one.",
            remedy,
        )
    elif faults := [
        fault
        for file in (path.parent, path, *_sidecar_files(path))
        for fault in check_access(file, "database")
    ]:
        yield from faults
    else:
        yield from _examine_content(path)


def _sidecar_files(path: Path) -> list[Path]:
    """Return the existing files that SQLite keeps beside a database."""
    sidecars = (path.with_name(path.name + suffix) for suffix in ("-wal", "-shm", "-journal"))
    return [file for file in sidecars if file.exists()]


def _examine_content(path: Path) -> Iterator[Fault]:
    """Yield the faults of the content, which only SQLite reads.

    If a process closes any handle of the file, it loses the locks of all its connections
    (sqlite.org/howtocorrupt.html, section 2.2): two processes would write at the same time.
    """
    if path.stat().st_size == 0:
        message = f"The database {path} is empty. If it had stories, restore a backup first."
        yield Fault(Cause.EMPTY, path, message, INIT)
    else:
        try:
            yield from _examine_schema(path, _read_schema(path))
        except sqlite.Error as error:
            yield explain_sqlite(getattr(error, "sqlite_errorcode", 0), str(error), path)


def _not_a_database(path: Path) -> Fault:
    message = f"{path} is not a database, or its first page is damaged."
    return Fault(
        Cause.NOT_A_DATABASE, path, message, f"Check SPECTATOR_DATABASE_URL. {RESTORE_ADVICE}"
    )


def read_schema(url: str) -> Schema:
    """Return the schema of the database at a URL. Raises PollError or an error of SQLite."""
    path = database_file(url)
    return _read_schema(path) if path else postgresql.read_schema(url)


def _read_schema(path: Path) -> Schema:
    """Return the schema of a database file; never create a file."""
    with closing(
        sqlite.connect(f"file:{quote(str(path))}?mode=rw", uri=True, timeout=1)
    ) as connection:
        connection.execute("PRAGMA query_only=1")

        def fetch(query: str) -> list[Any]:
            return list(connection.execute(query).fetchall())

        tables = fetch("SELECT name FROM sqlite_master WHERE type = 'table'")
        return migrations.read_schema(fetch, [name for (name,) in tables])


def _examine_schema(name: Path | str, schema: Schema) -> Iterator[Fault]:
    tables, version = schema.tables, schema.version
    path = name if isinstance(name, Path) else None
    if not tables:
        yield Fault(Cause.EMPTY, path, f"The database {name} is empty.", INIT)
    elif version is None and not tables & REQUIRED_TABLES:
        message = f"{name} is the database of another program."
        yield Fault(
            Cause.FOREIGN, path, message, "Check SPECTATOR_DATABASE_URL, or move the file away."
        )
    elif UNFINISHED.name in tables:
        message = f"The database {name} is a copy that was not finished."
        remedy = "Set SPECTATOR_DATABASE_URL to the old database, then repeat the copy."
        yield Fault(Cause.DAMAGED, path, message, remedy)
    elif version is None or (schema.is_usable and not tables >= REQUIRED_TABLES):
        yield Fault(
            Cause.DAMAGED,
            path,
            f"The database {name} is damaged (tables are missing).",
            RESTORE_ADVICE,
        )
    elif version == migrations.HEAD:
        return
    elif schema.is_newer:
        message = (
            f"The database {name} has schema {version}, but this code knows only {migrations.HEAD} "
            "and older. A newer version of the site upgraded it."
        )
        remedy = (
            f"Update the code in {config.PROJECT_ROOT}, "
            "or restore the backup made before the upgrade."
        )
        if schema.is_usable:
            message += " This code can use it too."
            remedy = f"Update the code in {config.PROJECT_ROOT} soon."
        yield Fault(Cause.NEWER, path, message, remedy, stops_reading=not schema.is_usable)
    else:
        message = (
            f"The database {name} has the older schema {version}; "
            f"this code needs {migrations.HEAD}."
        )
        yield Fault(Cause.OLDER, path, message, INIT)


def _examine_worker_files(data: Path) -> Iterator[Fault]:
    for name, kind in (
        ("worker.lock", "lock of the worker"),
        ("index", "search index"),
        ("index-newsroom", "newsroom's search index"),
    ):
        if (data / name).exists():
            yield from check_access(data / name, kind)


_DISK_CAUSES = {
    errno.ENOSPC: Cause.FULL,
    errno.EDQUOT: Cause.FULL,
    errno.EROFS: Cause.READ_ONLY,
    errno.EIO: Cause.DISK_ERROR,
    errno.EACCES: Cause.NO_ACCESS,
    errno.EPERM: Cause.NO_ACCESS,
}


def _explain_disk(error: OSError, data: Path) -> Fault:
    path = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else data
    cause = _DISK_CAUSES[error.errno or 0]
    if cause is Cause.FULL:
        return full_disk_fault(path)
    existing = next(parent for parent in (path, *path.parents) if os.path.exists(parent))
    for fault in check_access(existing, "file" if existing.is_file() else "directory"):
        return fault
    return Fault(
        cause, path, f"{path}: {error.strerror}.", "Check the file, its owner and its disk."
    )
