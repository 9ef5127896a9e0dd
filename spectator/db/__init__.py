"""The database: engine, session, and `db.write()`, the only way to write.

SQLite is the default; PostgreSQL behaves like it (`postgresql_engine`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, TypeVar
from zoneinfo import ZoneInfo

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, Engine, MetaData, event
from sqlalchemy.engine import Dialect, make_url
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from spectator.db import postgresql_engine, sqlite_engine
from spectator.db.postgresql_engine import NO_ANSWER as NO_ANSWER
from spectator.db.sqlite_engine import is_wal_safe as is_wal_safe
from spectator.db.sqlite_engine import sqlite as sqlite

log = logging.getLogger(__name__)
# `take_turns` pauses after every turn. SQLite tries at least every 0.1 s to get the write lock, so
# a longer pause lets a waiting writer in.
TURN_SECONDS, PAUSE_SECONDS = 0.5, 0.15
WRITE_OPTION = "spectator_write"
WRITE_REFUSED = (sqlite_engine.WRITE_REFUSED, postgresql_engine.WRITE_REFUSED)
Item = TypeVar("Item")


class StorageError(Exception):
    """The disk, the database's file or its server is at fault, or somebody else keeps writing.

    `cause` is a value of the engine's STORAGE_CODES, such as "full". Views that store pictures also
    use "no memory" (newsroom/storage_errors.py).
    """

    def __init__(self, cause: str, original: BaseException) -> None:
        super().__init__(f"storage fault ({cause}): {original}")
        self.cause = cause
        self.original = original


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
    """Flask-SQLAlchemy with transactions that are read-only outside `write()`.

    Each function in `write_checks` is called at the beginning of a transaction that writes, and may
    raise an exception.
    """

    write_checks: ClassVar[set[Callable[[Session], None]]] = set()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open a transaction that writes; commit at the end, roll back on any exception.

        Objects loaded before are detached: load again what the block decides on, since somebody
        else may have changed it. The transaction holds the only write lock: hash, sanitize and
        decode before entering it.

        Raises RuntimeError if nested, StorageError if the storage is at fault.
        """
        session = self.session()
        if session.info.get(WRITE_OPTION):
            raise RuntimeError("db.write() is already open")
        session.expunge_all()  # before the rollback, so that the caller's objects stay readable
        session.rollback()
        session.info[WRITE_OPTION] = True
        try:
            session.connection(execution_options={WRITE_OPTION: True})
            for check in self.write_checks:
                check(session)
            yield session
            session.commit()
        except BaseException as error:
            session.rollback()
            if storage_error := find_storage_error(error, is_writing=True):
                raise storage_error from error
            raise
        finally:
            session.info[WRITE_OPTION] = False


db = Database(model_class=Base)


def take_turns(items: Iterable[Item]) -> Iterator[Item]:
    """Yield items, which the caller writes in a transaction each; pause to let others write."""
    resumed_at = time.monotonic()
    for item in items:
        yield item
        if time.monotonic() - resumed_at >= TURN_SECONDS:
            time.sleep(PAUSE_SECONDS)
            resumed_at = time.monotonic()


@contextmanager
def suppress_busy_errors(*further_causes: str) -> Iterator[None]:
    """Suppress and log the error of a database to which somebody else keeps writing.

    The caller tries again later. `further_causes` are other causes of a StorageError to suppress.
    """
    try:
        yield
    except Exception as error:
        storage_error = find_storage_error(error)
        if storage_error is None or storage_error.cause not in ("busy", *further_causes):
            raise
        log.warning("will try again: %s", storage_error)
        db.session.rollback()


def find_storage_error(
    error: BaseException | None, is_writing: bool = False
) -> StorageError | None:
    """Return the storage error that caused an exception, None if there is none.

    It follows the chain of causes: on a full disk SQLite ends the whole transaction, and the
    visible error is then about a missing savepoint. A refused write is the fault of the storage
    only in a transaction that may write (`is_writing`); in any other it is a mistake in the code.
    """
    while error is not None:
        if isinstance(error, StorageError):
            return error
        original = getattr(error, "orig", error)
        code = getattr(original, "sqlite_errorcode", None) or getattr(original, "sqlstate", None)
        if code in WRITE_REFUSED and not is_writing:
            return None
        cause = sqlite_engine.storage_cause(original) or postgresql_engine.storage_cause(original)
        if isinstance(error, PoolTimeoutError):
            cause = "busy"  # every connection is in use
        if cause is not None:
            return StorageError(cause, original)
        error = error.__cause__ or error.__context__
    return None


@event.listens_for(Session, "before_flush")
def refuse_flush_outside_write(session: Session, _context: Any, _instances: Any) -> None:
    """Raise RuntimeError if code changes an object outside `db.write()`."""
    if not session.info.get(WRITE_OPTION) and (session.new or session.dirty or session.deleted):
        raise RuntimeError("flush outside db.write(): change objects inside `with db.write():`")


def init_engine(app: Flask) -> None:
    """Create and set up the app's engine, without opening a connection."""
    app.config["SQLALCHEMY_DATABASE_URI"] = app.config["DATABASE_URL"]
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"pool_timeout": 10} | engine_options(
        app.config["DATABASE_URL"]
    )
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine, ZoneInfo(app.config["TIMEZONE"]))


def engine_options(url: str) -> dict[str, Any]:
    """Return the options of `create_engine` for a database."""
    if database_file(url) is not None:
        return {"module": sqlite}
    timeouts = {"connect_timeout": postgresql_engine.CONNECT_SECONDS} | postgresql_engine.TIMEOUTS
    return {
        "pool_pre_ping": True,
        "connect_args": timeouts,
        "json_serializer": postgresql_engine.dump_json,
    }


def prepare_engine(engine: Engine, zone: ZoneInfo) -> None:
    """Set up the transactions of an engine, and what SQLite needs for the newsroom's time zone."""
    if engine.dialect.name == "sqlite":
        sqlite_engine.prepare(engine, zone, WRITE_OPTION)
    else:
        postgresql_engine.prepare(engine, WRITE_OPTION)


def database_file(url: str) -> Path | None:
    """Return the file in a database URL, None for PostgreSQL."""
    parts = make_url(url)
    return Path(parts.database or "") if parts.get_backend_name() == "sqlite" else None
