"""A cheap check for changes: microseconds, where querying the changes takes milliseconds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from spectator.db import sqlite

LOCK_WAIT_SECONDS, POLL_SECONDS = 0.2, 0.1
# Two commits in one tick of the file system's clock share a time, so the database is queried too.
QUERY_INTERVAL_SECONDS = 1.0

DatabaseState = tuple[object, ...]


class ChangeWatcher:
    """A watcher whose state differs after every commit and every new file in some directories.

    It compares file times on every call and `PRAGMA data_version` (sqlite.org/pragma.html) once a
    second. Its connection never writes, so that the process's own commits count too. For use by one
    thread. Files overwritten in place go unnoticed.
    """

    def __init__(self, database: str, directories: Sequence[Path] = ()) -> None:
        self.database = database
        self.paths = [database, f"{database}-wal", *map(str, directories)]
        self.connection: Any = None
        self.version: int | None = None
        self.next_query_at = 0.0

    def current_state(self) -> DatabaseState | None:
        """Return the current state, or None if the database does not answer."""
        if time.monotonic() >= self.next_query_at:
            self.version = self._data_version()
            self.next_query_at = time.monotonic() + QUERY_INTERVAL_SECONDS
        return None if self.version is None else (self.version, *map(_file_state, self.paths))

    def wait_for_change(
        self, state: DatabaseState | None, deadline: float, should_stop: Callable[[], bool]
    ) -> None:
        """Sleep until there is another state, a monotonic time has come, or work should stop."""
        time.sleep(POLL_SECONDS)
        while (
            not should_stop()
            and time.monotonic() < deadline
            and state is not None
            and self.current_state() == state
        ):
            time.sleep(POLL_SECONDS)

    def _data_version(self) -> int | None:
        try:
            if self.connection is None:
                address = f"file:{quote(self.database)}?mode=ro"
                self.connection = sqlite.connect(address, uri=True, timeout=LOCK_WAIT_SECONDS)
            ((version,),) = self.connection.execute("PRAGMA data_version").fetchall()
        except sqlite.Error:
            self.close()
            return None
        return int(version)

    def close(self) -> None:
        """Close the connection; the next check opens a new one."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def _file_state(path: str) -> tuple[int, int, int] | None:
    """Return a value that changes with a file or a directory's entries; None if it is missing."""
    try:
        status = os.stat(path)  # a Path would cost as much again
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
