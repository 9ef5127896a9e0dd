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
from spectator.db import database_file, sqlite
from spectator.db.poller import PollError
from spectator.db.sqlite_engine import STORAGE_CODES
from spectator.i18n import gettext
from spectator.migrations import Schema
from spectator.operations import postgresql
from spectator.operations.database_copy import UNFINISHED
from spectator.operations.edition_addresses import examine_addresses
from spectator.operations.faults import (
    INIT,
    Cause,
    Fault,
    check_access,
    examine_directory,
    examine_space,
    full_disk_fault,
)
from spectator.operations.sqlite_faults import RESTORE_ADVICE, explain_sqlite, sidecar_files

BUSY_CODES = (5, 6)  # SQLITE_BUSY, SQLITE_LOCKED
REQUIRED_TABLES = frozenset({"article", "outbox", "revision", "section", "user"})


def examine(settings: Mapping[str, Any]) -> list[Fault]:
    """Return the faults of an installation's files, most basic first; change nothing."""
    data: Path = settings["DATA_DIR"]
    if faults := list(examine_directory(data, "data directory")):
        return faults
    media: Path | str = settings["MEDIA"]
    return [
        # First: whoever closes the database may free space, so that a full disk would not be seen.
        *examine_space(data),
        *_examine_key(settings),
        *(database_faults := list(examine_database(settings["DATABASE_URL"]))),
        *(() if database_faults else examine_addresses(settings)),
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


def _examine_key(settings: Mapping[str, Any]) -> Iterator[Fault]:
    if settings["SECRET_KEY"]:
        return
    path: Path = settings["DATA_DIR"] / config.SECRET_FILE
    if not path.exists():
        message = gettext(
            "The secret key %(path)s is missing. A new one logs nobody out, but "
            "pages open now must be reloaded.",
            path=path,
        )
        yield Fault(Cause.MISSING, path, message, INIT)
    elif not path.is_file():
        yield Fault(
            Cause.WRONG_KIND,
            path,
            gettext("%(path)s is not a file, but the secret key should be one.", path=path),
            _removal_advice(path),
        )
    elif faults := list(check_access(path, "secret key")):
        yield from faults
    elif path.stat().st_size == 0:
        yield Fault(
            Cause.EMPTY, path, gettext("The secret key %(path)s is empty.", path=path), INIT
        )
    else:
        try:
            config.secret_key(settings)
        except config.ConfigError:
            yield Fault(
                Cause.DAMAGED,
                path,
                gettext("The secret key %(path)s is damaged.", path=path),
                _removal_advice(path),
            )


def _removal_advice(path: Path) -> str:
    return gettext(
        "Restore it from a backup, or create a new one: rm -r %(path)s && spectator init",
        path=path,
    )


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
        yield Fault(
            Cause.WRONG_KIND,
            path,
            gettext("%(path)s is a broken link.", path=path),
            gettext("Remove or correct it."),
        )
    elif not path.exists():
        yield from examine_directory(path.parent, "directory of the database")
        message = gettext(
            "The database %(path)s is missing. If there was one, restore a backup first.",
            path=path,
        )
        yield Fault(Cause.MISSING, path, message, INIT)
    elif not path.is_file():
        remedy = gettext("Move it away, or set SPECTATOR_DATABASE_URL to the database.")
        yield Fault(
            Cause.WRONG_KIND,
            path,
            gettext("%(path)s is not a file, but the database should be one.", path=path),
            remedy,
        )
    elif faults := [
        fault
        for file in (path.parent, path, *sidecar_files(path))
        for fault in check_access(file, "database")
    ]:
        yield from faults
    else:
        yield from _examine_content(path)


def _examine_content(path: Path) -> Iterator[Fault]:
    """Yield the faults of the content, which only SQLite reads.

    If a process closes any handle of the file, it loses the locks of all its connections
    (sqlite.org/howtocorrupt.html, section 2.2): two processes would write at the same time.
    """
    if path.stat().st_size == 0:
        message = gettext(
            "The database %(path)s is empty. If it had stories, restore a backup first.",
            path=path,
        )
        yield Fault(Cause.EMPTY, path, message, INIT)
    else:
        try:
            yield from _examine_schema(path, _read_schema(path))
        except sqlite.Error as error:
            yield explain_sqlite(getattr(error, "sqlite_errorcode", 0), str(error), path)


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
        yield Fault(
            Cause.EMPTY, path, gettext("The database %(name)s is empty.", name=name), INIT
        )
    elif version is None and not tables & REQUIRED_TABLES:
        message = gettext("%(name)s is the database of another program.", name=name)
        yield Fault(
            Cause.FOREIGN,
            path,
            message,
            gettext("Check SPECTATOR_DATABASE_URL, or move the file away."),
        )
    elif UNFINISHED.name in tables:
        message = gettext("The database %(name)s is a copy that was not finished.", name=name)
        remedy = gettext("Set SPECTATOR_DATABASE_URL to the old database, then repeat the copy.")
        yield Fault(Cause.DAMAGED, path, message, remedy)
    elif version is None or (schema.is_usable and not tables >= REQUIRED_TABLES):
        yield Fault(
            Cause.DAMAGED,
            path,
            gettext("The database %(name)s is damaged (tables are missing).", name=name),
            RESTORE_ADVICE,
        )
    elif version == migrations.HEAD:
        return
    elif schema.is_newer:
        message = gettext(
            "The database %(name)s has schema %(version)s, but this code knows only "
            "%(newest)s and older. A newer version of the site upgraded it.",
            name=name,
            version=version,
            newest=migrations.HEAD,
        )
        remedy = gettext(
            "Update the code in %(directory)s, or restore the backup made before the upgrade.",
            directory=config.PROJECT_ROOT,
        )
        if schema.is_usable:
            message = " ".join((message, gettext("This code can use it too.")))
            remedy = gettext(
                "Update the code in %(directory)s soon.", directory=config.PROJECT_ROOT
            )
        yield Fault(Cause.NEWER, path, message, remedy, stops_reading=not schema.is_usable)
    else:
        message = gettext(
            "The database %(name)s has the older schema %(version)s; this code needs %(newest)s.",
            name=name,
            version=version,
            newest=migrations.HEAD,
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
        cause,
        path,
        f"{path}: {error.strerror}.",
        gettext("Check the file, its owner and its disk."),
    )
