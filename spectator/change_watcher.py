"""A cheap check for changes: microseconds, where querying the changes takes milliseconds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from spectator.db.poller import PollError, PollingConnection

LOCK_WAIT_SECONDS = 0.2
POLL_SECONDS, POSTGRESQL_POLL_SECONDS = 0.1, 0.15  # a query costs more than looking at files
# Two commits in one tick of the file system's clock share a time, so the database is queried too.
QUERY_INTERVAL_SECONDS = 1.0
DATA_VERSION = "PRAGMA data_version"  # sqlite.org/pragma.html
# PostgreSQL counts the transactions of all its databases together, so the newest rows of the
# tables that the worker follows stand for a state.
NEWEST_ROWS = """
SELECT (SELECT max(seq) FROM outbox), (SELECT max(id) FROM revision), (SELECT max(id) FROM picture)
"""

SHARED_SECONDS = 0.17  # how old the answer of another watcher may be

DatabaseState = tuple[object, ...]
_newest_rows: dict[str, tuple[float, object]] = {}  # the last answer, by the database's URL


class ChangeWatcher:
    """A watcher whose state differs after every commit and every new file in some directories.

    It compares file times on every call, and queries SQLite once a second, PostgreSQL on every
    call; there, only commits count that give the worker something to do. Its connection never
    writes, so that the process's own commits count too. For use by one thread. Files overwritten in
    place go unnoticed.

    With `reuses_recent_state` the state of PostgreSQL may be one that another watcher of this
    process has read a moment ago, because each query wakes a process of the server too.
    """

    def __init__(
        self,
        url: str,
        directories: Sequence[Path] = (),
        reuses_recent_state: bool = False,
    ) -> None:
        self.url, self.reuses_recent_state = url, reuses_recent_state
        self.connection = PollingConnection(url, LOCK_WAIT_SECONDS)
        self.paths = list(map(str, directories))
        self.query, self.interval, self.poll_seconds = NEWEST_ROWS, 0.0, POSTGRESQL_POLL_SECONDS
        if not self.connection.is_postgresql:
            database = self.connection.url.database
            self.paths += [f"{database}", f"{database}-wal"]
            self.query, self.interval = DATA_VERSION, QUERY_INTERVAL_SECONDS
            self.poll_seconds = POLL_SECONDS
        self.version: object = None
        self.next_query_at = 0.0

    def current_state(self) -> DatabaseState | None:
        """Return the current state, or None if the database does not answer."""
        if time.monotonic() >= self.next_query_at:
            self.version = self._data_version()
            self.next_query_at = time.monotonic() + self.interval
        return None if self.version is None else (self.version, *map(_file_state, self.paths))

    def wait_for_change(
        self, state: DatabaseState | None, deadline: float, should_stop: Callable[[], bool]
    ) -> None:
        """Sleep until there is another state, a monotonic time has come, or work should stop."""
        time.sleep(self.poll_seconds)
        while (
            not should_stop()
            and time.monotonic() < deadline
            and state is not None
            and self.current_state() == state
        ):
            time.sleep(self.poll_seconds)

    def _data_version(self) -> object:
        try:
            if not self.connection.is_postgresql:
                (version,) = self.connection.fetch(self.query)
                return tuple(version)
            read_at, newest_rows = _newest_rows.get(self.url, (float("-inf"), None))
            if not self.reuses_recent_state or time.monotonic() - read_at > SHARED_SECONDS:
                newest_rows = self.connection.fetch_texts(self.query)
                _newest_rows[self.url] = time.monotonic(), newest_rows
        except PollError:
            return None
        return newest_rows

    def close(self) -> None:
        """Close the connection; the next check opens a new one."""
        self.connection.close()


def _file_state(path: str) -> tuple[int, int, int] | None:
    """Return a value that changes with a file or a directory's entries; None if it is missing."""
    try:
        status = os.stat(path)  # a Path would cost as much again
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
