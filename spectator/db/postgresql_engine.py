"""PostgreSQL: its transactions and its error codes. The driver comes with the extra `postgres`."""

from __future__ import annotations

import json
import time
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine import Connection

# How long a transaction waits for the write lock, and how long each of its attempts. Attempts are
# shorter than IDLE_TIMEOUT_SECONDS, because the server goes on with those of a suspended host: the
# first to get the lock keeps it until the server ends it, and by then the others have given up.
LOCK_TIMEOUT_SECONDS, ATTEMPT_SECONDS = 5, 1
WRITE_LOCK = 0x5BEC7A70  # any number: advisory locks are separate for each database
CONNECT_SECONDS = 3  # how long a request waits for a server that does not answer
# If the server vanishes, a connection fails after some ten seconds; the kernel would wait for a
# quarter of an hour. For connections that wait for an answer:
KEEPALIVES = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}
# For those whose query did not arrive, in milliseconds:
TIMEOUTS: dict[str, Any] = KEEPALIVES | {"tcp_user_timeout": 10_000}
PREPARE_THRESHOLD = 5  # executions after which psycopg prepares a statement (its default)
NO_ANSWER = "does not answer"
# Error codes for faults of the server and not of the statement (postgresql.org/docs,
# "PostgreSQL Error Codes"), by code or by class.
STORAGE_CODES = {
    "25006": "read-only",
    "25P03": "busy",  # see IDLE_TIMEOUT_SECONDS
    "53100": "full",
    "55P03": "busy",
    "08": NO_ANSWER,
    "53": "busy",
    "57P": NO_ANSWER,
    "58": "disk error",
    "XX": "damaged",
}
# It may also be the fault of a statement that writes outside `db.write()`.
WRITE_REFUSED = "25006"
# A host that is suspended or cut off inside a writing transaction must not keep all others from
# writing: the server ends a transaction that waits that long for its next statement.
IDLE_TIMEOUT_SECONDS = 2
TAKE_WRITE_LOCK = f"""
SET LOCAL lock_timeout = '{ATTEMPT_SECONDS}s';
SET LOCAL idle_in_transaction_session_timeout = '{IDLE_TIMEOUT_SECONDS}s';
SELECT pg_advisory_xact_lock({WRITE_LOCK});
SET LOCAL lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'
"""
# Transactions that write derived data lock only its rows, for as long as it takes. The server gives
# up a frozen client after ten seconds, and after 25 one that is cut off, even during a COPY, in
# which it is not idle. Nobody stops waiting before that.
LIMIT_DERIVED = """
SET LOCAL lock_timeout = '60s';
SET LOCAL idle_in_transaction_session_timeout = '10s';
SET LOCAL tcp_keepalives_idle = 10;
SET LOCAL tcp_keepalives_interval = 5;
SET LOCAL tcp_keepalives_count = 3
"""
# The execution option of these transactions.
DERIVED_FLAG = "spectator_derived"


class DerivedDatabase:
    """Connections for data that are derived from others and outside the session, such as an index.

    What is written there never holds up what people save.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def reading(self) -> AbstractContextManager[Connection]:
        """Return a context with a connection in a read-only transaction that sees one state."""
        return self.engine.connect()

    def writing(self) -> AbstractContextManager[Connection]:
        """Return a context that commits what was written at its end, without the write lock."""
        return self.engine.execution_options(**{DERIVED_FLAG: True}).begin()


def prepare(engine: Engine, write_option: str) -> None:
    """Set up an engine whose transactions behave like SQLite's.

    A transaction with the execution option named by `write_option` holds the only write lock. It is
    released after the commit, so that the numbers of the outbox follow the order of the commits,
    and nobody decides on a row that somebody else is changing. All other transactions are read-only
    and see one state of the database.

    Nothing depends on the session, because PgBouncer may give every transaction another one.
    """

    from psycopg import IsolationLevel
    from psycopg.types.string import StrDumper

    class WithoutNull(StrDumper):
        """Leaves out the character U+0000, which PostgreSQL cannot store."""

        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\0", ""))

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        connection.adapters.register_dumper(str, WithoutNull)
        # Behind PgBouncer the process that answers is not the one that the driver was told of, and
        # a prepared statement may be unknown to the next.
        connection.autocommit = True
        (pid,) = connection.execute("SELECT pg_backend_pid()").fetchone()
        connection.autocommit = False
        is_direct = pid == connection.info.backend_pid
        connection.prepare_threshold = PREPARE_THRESHOLD if is_direct else None

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        is_writing = options.get(write_option, False)
        is_read_only = not (is_writing or options.get(DERIVED_FLAG, False))
        driver: Any = connection.connection.dbapi_connection
        driver.read_only = is_read_only
        driver.isolation_level = (
            IsolationLevel.REPEATABLE_READ if is_read_only else IsolationLevel.READ_COMMITTED
        )
        if is_writing:
            take_write_lock(driver)
        elif not is_read_only:
            driver.execute(LIMIT_DERIVED)


def take_write_lock(driver: Any) -> None:
    """Begin a transaction that holds the write lock; raise LockNotAvailable if others keep it."""
    from psycopg.errors import LockNotAvailable

    deadline = time.monotonic() + LOCK_TIMEOUT_SECONDS
    while True:
        try:
            driver.execute(TAKE_WRITE_LOCK)
            return
        except LockNotAvailable:
            if time.monotonic() >= deadline:
                raise
            driver.rollback()


def dump_json(value: object) -> str:
    """Return a value as JSON without U+0000, which PostgreSQL stores there but cannot read."""
    text = json.dumps(value)
    return json.dumps(_without_null(value)) if r"\u0000" in text else text


def _without_null(value: object) -> object:
    if isinstance(value, dict):
        return {_without_null(key): _without_null(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_null(item) for item in value]
    return value.replace("\0", "") if isinstance(value, str) else value


def storage_cause(error: BaseException) -> str | None:
    """Return the fault of the server that an error of the driver reports, None if there is none."""
    code = getattr(error, "sqlstate", "")
    if code is None and any(kind.__name__ == "OperationalError" for kind in type(error).__mro__):
        return NO_ANSWER  # no code: there is no connection
    code = code or ""
    return next((STORAGE_CODES[code[:n]] for n in (5, 3, 2) if code[:n] in STORAGE_CODES), None)
