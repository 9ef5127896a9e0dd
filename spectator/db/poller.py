"""Connections for polling: one query in microseconds, without an ORM session or a pool."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

from sqlalchemy.engine import URL, make_url

from spectator.db import postgresql_engine, sqlite_engine

RETRY_SECONDS = 1.0
# The least time to wait for the answer of PostgreSQL: a busy server may need some of it. One that
# is suspended never answers, while its kernel goes on confirming what it is sent.
MIN_ANSWER_SECONDS = 1.0
Result = TypeVar("Result")


class PollError(Exception):
    """The database does not answer."""


class PollingConnection:
    """A read-only connection that opens itself and never starts a transaction.

    It may be shared by threads that take turns. After a fork it opens another connection.
    """

    def __init__(self, url: str, timeout: float) -> None:
        self.url: URL = make_url(url)
        self.timeout = timeout
        self.is_postgresql = self.url.get_backend_name() == "postgresql"
        self.connection: Any = None
        self.owner_pid = 0
        self.error: type[Exception] = sqlite_engine.sqlite.Error
        self.next_attempt_at = 0.0

    def fetch(self, sql: str, parameters: Sequence[object] = ()) -> list[Any]:
        """Return the rows of a query with `?` for parameters.

        Raises PollError; a later call then opens another connection, at most one a second.
        """
        if self.is_postgresql:
            sql = sql.replace("?", "%s")
        return self._attempt(lambda: list(self.connection.execute(sql, parameters).fetchall()))

    def fetch_texts(self, sql: str) -> tuple[bytes | None, ...]:
        """Return the only row of a query without parameters, as PostgreSQL writes it.

        It takes half as long as `fetch`, for queries many times a second. Raises PollError.
        """
        return self._attempt(lambda: self._fetch_texts(sql))

    def _attempt(self, fetch: Callable[[], Result]) -> Result:
        if time.monotonic() < self.next_attempt_at:
            raise PollError("the server did not answer within the last second")
        try:
            if self.owner_pid != os.getpid():
                self._open()
            return fetch()
        except self.error as error:
            self.close()
            # A server that drops packets must not make every request wait for it.
            self.next_attempt_at = time.monotonic() + RETRY_SECONDS if self.is_postgresql else 0.0
            raise PollError(str(error)) from error

    def _fetch_texts(self, sql: str) -> tuple[bytes | None, ...]:
        from psycopg import errors, generators

        connection = self.connection.pgconn
        connection.send_query(sql.encode())
        result = self.connection.wait(generators.execute(connection))[-1]
        if result.ntuples != 1:
            raise errors.error_from_result(result)
        return tuple(result.get_value(0, column) for column in range(result.nfields))

    def _open(self) -> None:
        if self.is_postgresql:
            import psycopg

            self.error = psycopg.Error
            self.connection = psycopg.connect(
                self.url.set(drivername="postgresql").render_as_string(hide_password=False),
                autocommit=True,
                connect_timeout=max(2, round(self.timeout)),
                **postgresql_engine.TIMEOUTS,
                prepare_threshold=None,
                client_encoding="utf8",
            )
            seconds = max(MIN_ANSWER_SECONDS, self.timeout)
            self.connection.wait = partial(self.connection.wait, timeout=seconds)
        else:
            self.connection = sqlite_engine.sqlite.connect(
                f"file:{quote(self.url.database or '')}?mode=ro",
                uri=True,
                timeout=self.timeout,
                check_same_thread=False,
            )
        self.owner_pid = os.getpid()

    def close(self) -> None:
        """Close the connection, unless it is the parent process's."""
        if self.connection is not None and self.owner_pid == os.getpid():
            self.connection.close()
        self.connection, self.owner_pid = None, 0
