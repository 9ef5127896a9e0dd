"""The database: one engine, one session, the SQLite connection recipe, and `db.write()`, the one door to writing."""

from __future__ import annotations

import sqlite3 as system_sqlite
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, Engine, MetaData, event
from sqlalchemy.engine import Connection, Dialect, make_url
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from spectator.times import month_key

try:
    from pysqlite3 import dbapi2
except ImportError:  # no wheel for this machine: the system's SQLite, with the safer journal below
    dbapi2 = system_sqlite

sqlite: ModuleType = dbapi2  # the driver every process of the site uses: never two on one file

BUSY_TIMEOUT_MILLISECONDS = 5000
WRITE_FLAG = "spectator_write"
# Result codes that blame the storage, not what was asked of it (sqlite.org/rescode.html), by their primary code.
STORAGE_CODES = {
    8: "read-only",
    10: "disk error",
    11: "damaged",
    13: "full",
    14: "cannot be opened",
    26: "not a database",
}


class StorageError(Exception):
    """Nothing can be written: the disk or the database's file is at fault. `cause` is a word of STORAGE_CODES."""

    def __init__(self, cause: str, original: BaseException) -> None:
        super().__init__(f"the database cannot be written: {original}")
        self.cause = cause
        self.original = original


def is_wal_safe(version: tuple[int, ...]) -> bool:
    """Say whether this SQLite is free of the WAL-reset corruption bug (3.7.0-3.51.2; sqlite.org/wal.html)."""
    return (
        version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    )


class UTCDateTime(TypeDecorator[datetime]):
    """A moment: stored as naive UTC, handed back aware; naive values are refused."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware moment into the stored one; raises ValueError for a naive one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the stored moment as aware UTC."""
        return None if value is None else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """The parent of every model; names of constraints are fixed so that migrations can find them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Database(SQLAlchemy):
    """Flask-SQLAlchemy with read-only transactions by default and one named way to write."""

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open an IMMEDIATE transaction; commit at the end, roll back on any exception.

        What was read before is forgotten, so that decisions are taken on what the database says now.
        Raises RuntimeError when nested, StorageError where the disk or the file is at fault. Hash, clean and decode
        before entering: the one writer's lock is held inside.
        """
        session = self.session()
        if session.info.get(WRITE_FLAG):
            raise RuntimeError("db.write() is already open")
        session.expunge_all()  # before the rollback: what the caller holds stays readable
        session.rollback()
        session.info[WRITE_FLAG] = True
        try:
            session.connection(execution_options={WRITE_FLAG: True})
            yield session
            session.commit()
        except BaseException as error:
            session.rollback()
            if fault := find_storage_error(error):
                raise fault from error
            raise
        finally:
            session.info[WRITE_FLAG] = False


db = Database(model_class=Base)


def find_storage_error(error: BaseException | None) -> StorageError | None:
    """Return the fault of the storage that an exception stems from, None where there is none.

    On a full disk SQLite ends the whole transaction; the error that comes up is then that of a savepoint which is
    gone, and the cause stands behind it.
    """
    while error is not None:
        original = getattr(error, "orig", error)
        cause = STORAGE_CODES.get((getattr(original, "sqlite_errorcode", None) or 0) & 0xFF)
        if cause is not None:
            return StorageError(cause, original)
        error = error.__cause__ or error.__context__
    return None


def prepare_engine(engine: Engine, zone: ZoneInfo) -> None:
    """Hang the connection recipe on an engine: pragmas at connect, our own BEGIN at begin.

    SQLite knows no time zones, so `newsroom_month(moment)` gives statements the month of a stored moment in `zone`.

    Source of the recipe: SQLAlchemy's page on pysqlite transactions, sqlite.org/pragma.html.
    """
    is_safe = is_wal_safe(sqlite.sqlite_version_info)
    pragmas = (
        f"busy_timeout={BUSY_TIMEOUT_MILLISECONDS}",  # first: setting the journal mode may itself have to wait
        f"journal_mode={'WAL' if is_safe else 'DELETE'}",
        "synchronous=FULL",  # an acknowledged save survives a power cut
        "foreign_keys=ON",
        "journal_size_limit=67108864",
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not open transactions of its own
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
        connection.create_function("newsroom_month", 1, newsroom_month, deterministic=True)

    def newsroom_month(stored: str) -> int:
        return month_key(datetime.fromisoformat(stored).replace(tzinfo=UTC), zone)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        is_writing = connection.get_execution_options().get(WRITE_FLAG, False)
        cursor = connection.connection.cursor()
        if (
            connection.info.get(WRITE_FLAG) is not is_writing
        ):  # only then: it makes SQLite prepare every statement anew
            cursor.execute(f"PRAGMA query_only={0 if is_writing else 1}")
            connection.info[WRITE_FLAG] = is_writing
        cursor.execute("BEGIN IMMEDIATE" if is_writing else "BEGIN")
        cursor.close()


@event.listens_for(Session, "before_flush")
def refuse_flush_outside_write(session: Session, _context: Any, _instances: Any) -> None:
    """Fail loudly where code changes an object without `db.write()`."""
    if not session.info.get(WRITE_FLAG) and (session.new or session.dirty or session.deleted):
        raise RuntimeError("a flush outside db.write(): open one around the change")


def init_engine(app: Flask) -> None:
    """Give the app its engine, with the connection recipe; no connection is opened yet."""
    app.config["SQLALCHEMY_DATABASE_URI"] = app.config["DATABASE_URL"]
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"module": sqlite, "pool_timeout": 10}
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine, ZoneInfo(app.config["TIMEZONE"]))


def database_path() -> str:
    """Return the file that the database lives in."""
    return db.engine.url.database or ""


def database_file(url: str) -> str:
    """Return the file that a database address names."""
    return make_url(url).database or ""
