"""The database: engine, session, SQLite's settings, and `db.write()`, the only way to write."""

from __future__ import annotations

import logging
import sqlite3 as system_sqlite
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import ModuleType
from typing import Any, TypeVar
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
except ImportError:  # no wheel for this platform: use the system's SQLite
    dbapi2 = system_sqlite

log = logging.getLogger(__name__)
sqlite: ModuleType = dbapi2  # every process must use the same driver for the database file

BUSY_TIMEOUT_MILLISECONDS = 5000
# SQLite asks for the write lock again at most every tenth of a second.
TURN_SECONDS, PAUSE_SECONDS = 0.5, 0.15
WRITE_FLAG = "spectator_write"
Item = TypeVar("Item")
# Primary result codes for faults of the storage and not of the statement (sqlite.org/rescode.html).
STORAGE_CODES = {
    5: "busy",
    8: "read-only",
    10: "disk error",
    11: "damaged",
    13: "full",
    14: "cannot be opened",
    26: "not a database",
}


class StorageError(Exception):
    """The disk or the database file is at fault; `cause` is a value of STORAGE_CODES."""

    def __init__(self, cause: str, original: BaseException) -> None:
        super().__init__(f"the database cannot be written: {original}")
        self.cause = cause
        self.original = original


def is_wal_safe(version: tuple[int, ...]) -> bool:
    """Return whether a SQLite version is free of the WAL-reset bug.

    The bug corrupts databases in versions 3.7.0 to 3.51.2 (sqlite.org/wal.html).
    """
    return (
        version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    )


class UTCDateTime(TypeDecorator[datetime]):
    """A datetime column: stored as naive UTC, loaded as aware UTC; naive values are rejected."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return an aware datetime in its stored form. Raises ValueError for a naive one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("cannot store a datetime without a time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return a stored datetime as aware UTC."""
        return None if value is None else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """The base class of every model; migrations rely on its fixed constraint names."""

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
    """Flask-SQLAlchemy with transactions that are read-only outside `write()`."""

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open an IMMEDIATE transaction; commit at the end, roll back on any exception.

        Objects loaded before are detached, so that decisions use current data. The transaction
        holds the only write lock: hash, sanitize and decode before entering it.

        Raises RuntimeError if nested, StorageError if the disk or the file is at fault.
        """
        session = self.session()
        if session.info.get(WRITE_FLAG):
            raise RuntimeError("db.write() is already open")
        session.expunge_all()  # before the rollback, so that the caller's objects stay readable
        session.rollback()
        session.info[WRITE_FLAG] = True
        try:
            session.connection(execution_options={WRITE_FLAG: True})
            yield session
            session.commit()
        except BaseException as error:
            session.rollback()
            if storage_error := find_storage_error(error):
                raise storage_error from error
            raise
        finally:
            session.info[WRITE_FLAG] = False


db = Database(model_class=Base)


def take_turns(items: Iterable[Item]) -> Iterator[Item]:
    """Yield items to be written in a transaction each; pause now and then, so that others write."""
    resumed_at = time.monotonic()
    for item in items:
        yield item
        if time.monotonic() - resumed_at >= TURN_SECONDS:
            time.sleep(PAUSE_SECONDS)
            resumed_at = time.monotonic()


@contextmanager
def wait_while_busy() -> Iterator[None]:
    """End what is inside, to be tried again later, if somebody else keeps writing to the database.

    Any other error is raised.
    """
    try:
        yield
    except Exception as error:
        storage_error = find_storage_error(error)
        if storage_error is None or storage_error.cause != "busy":
            raise
        log.warning("will try again: %s", storage_error)
        db.session.rollback()


def find_storage_error(error: BaseException | None) -> StorageError | None:
    """Return the storage error that caused an exception, None if there is none.

    It follows the chain of causes: on a full disk SQLite ends the whole transaction, and the
    visible error is then about a missing savepoint.
    """
    while error is not None:
        original = getattr(error, "orig", error)
        cause = STORAGE_CODES.get((getattr(original, "sqlite_errorcode", None) or 0) & 0xFF)
        if cause is not None:
            return StorageError(cause, original)
        error = error.__cause__ or error.__context__
    return None


def prepare_engine(engine: Engine, zone: ZoneInfo) -> None:
    """Set up an engine: pragmas for new connections, an explicit BEGIN for transactions.

    SQLite knows no time zones, so the SQL function `newsroom_month(datetime)` returns the month of
    a stored datetime in `zone`.

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
        is_writing = connection.get_execution_options().get(WRITE_FLAG, False)
        cursor = connection.connection.cursor()
        # Only when the mode changes: the pragma makes SQLite prepare every statement again.
        if connection.info.get(WRITE_FLAG) is not is_writing:
            cursor.execute(f"PRAGMA query_only={0 if is_writing else 1}")
            connection.info[WRITE_FLAG] = is_writing
        cursor.execute("BEGIN IMMEDIATE" if is_writing else "BEGIN")
        cursor.close()


@event.listens_for(Session, "before_flush")
def refuse_flush_outside_write(session: Session, _context: Any, _instances: Any) -> None:
    """Raise RuntimeError if code changes an object outside `db.write()`."""
    if not session.info.get(WRITE_FLAG) and (session.new or session.dirty or session.deleted):
        raise RuntimeError("flush outside db.write(); change objects inside one")


def init_engine(app: Flask) -> None:
    """Create and set up the app's engine, without opening a connection."""
    app.config["SQLALCHEMY_DATABASE_URI"] = app.config["DATABASE_URL"]
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"module": sqlite, "pool_timeout": 10}
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine, ZoneInfo(app.config["TIMEZONE"]))


def database_path() -> str:
    """Return the path of the database file."""
    return db.engine.url.database or ""


def database_file(url: str) -> str:
    """Return the file path in a database URL."""
    return make_url(url).database or ""
