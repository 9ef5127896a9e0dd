"""SQLite: its driver, pragmas and transactions, and its error codes."""

from __future__ import annotations

import sqlite3 as system_sqlite
from datetime import UTC, datetime
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, event
from sqlalchemy.engine import Connection

from spectator.times import month_key

try:
    from pysqlite3 import dbapi2
except ImportError:  # no wheel for this platform: use the system's SQLite
    dbapi2 = system_sqlite

# Every process must use the same library: `prepare` sets the journal mode by the library's version,
# and processes with different versions would keep changing the mode of the database file.
sqlite: ModuleType = dbapi2

BUSY_TIMEOUT_MILLISECONDS = 5000
# Primary result codes for faults of the storage (sqlite.org/rescode.html).
STORAGE_CODES = {
    5: "busy",
    8: "read-only",
    10: "disk error",
    11: "damaged",
    13: "full",
    14: "cannot be opened",
    26: "not a database",
}
# Without an extended code, 8 may also be the fault of a statement that writes outside `db.write()`.
WRITE_REFUSED = 8


def is_wal_safe(version: tuple[int, ...]) -> bool:
    """Return whether a SQLite version is free of the WAL-reset bug.

    The bug corrupts databases in versions 3.7.0 to 3.51.2 (sqlite.org/wal.html), except for later
    releases of 3.44 and 3.50 that have the correction.
    """
    return (
        version >= (3, 51, 3)
        or (3, 50, 7) <= version < (3, 51)
        or (3, 44, 6) <= version < (3, 45)
    )


def storage_cause(error: BaseException) -> str | None:
    """Return the fault of the storage that a driver's error reports, None if there is none."""
    # The low byte of an extended code is the primary code.
    return STORAGE_CODES.get((getattr(error, "sqlite_errorcode", None) or 0) & 0xFF)


def prepare(engine: Engine, zone: ZoneInfo, write_option: str) -> None:
    """Set up an engine: pragmas for new connections, an explicit BEGIN for transactions.

    A transaction with the execution option named by `write_option` holds the only write lock; all
    others are read-only. SQLite knows no time zones, so the SQL function `newsroom_month(datetime)`
    returns the month of a stored datetime in `zone`, such as 202605.

    Sources: SQLAlchemy's documentation of pysqlite transactions, sqlite.org/pragma.html.
    """
    is_safe = is_wal_safe(sqlite.sqlite_version_info)
    pragmas = (
        # first, because setting the journal mode may have to wait for a lock
        f"busy_timeout={BUSY_TIMEOUT_MILLISECONDS}",
        f"journal_mode={'WAL' if is_safe else 'DELETE'}",
        "synchronous=FULL",  # committed changes survive a power cut
        "foreign_keys=ON",
        "journal_size_limit=67108864",
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # keeps the driver from opening transactions itself
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
        connection.create_function("newsroom_month", 1, newsroom_month, deterministic=True)

    def newsroom_month(stored: str) -> int:
        return month_key(datetime.fromisoformat(stored).replace(tzinfo=UTC), zone)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        is_writing = connection.get_execution_options().get(write_option, False)
        cursor = connection.connection.cursor()
        # Only when the mode changes: the pragma makes SQLite prepare every statement again.
        if connection.info.get(write_option) is not is_writing:
            cursor.execute(f"PRAGMA query_only={0 if is_writing else 1}")
            connection.info[write_option] = is_writing
        cursor.execute("BEGIN IMMEDIATE" if is_writing else "BEGIN")
        cursor.close()
