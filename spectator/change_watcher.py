"""A cheap look at whether anything has changed: some microseconds, where asking for what changed costs milliseconds."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from spectator.db import sqlite

LOCK_WAIT_SECONDS = 0.2
# Two commits within one tick of the file system's clock can leave one time; the database itself is asked this often.
QUERY_INTERVAL_SECONDS = 1.0

DatabaseState = tuple[object, ...]


class ChangeWatcher:
    """A mark that differs after every commit to a database and after every new file in some directories.

    The times of the files come first, `PRAGMA data_version` (sqlite.org/pragma.html) once a second. The connection
    never writes, so that the process's own commits count too; it is for one thread. Files of the directories that are
    written over in place are not seen.
    """

    def __init__(self, database: str, directories: Sequence[Path] = ()) -> None:
        self.database = database
        self.paths = [database, f"{database}-wal", *map(str, directories)]
        self.connection: Any = None
        self.version: int | None = None
        self.next_query_at = 0.0

    def current_state(self) -> DatabaseState | None:
        """Return the mark of this moment; None where the database is silent, which equals no mark."""
        if time.monotonic() >= self.next_query_at:
            self.version = self._data_version()
            self.next_query_at = time.monotonic() + QUERY_INTERVAL_SECONDS
        return None if self.version is None else (self.version, *map(_file_state, self.paths))

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
        """Close the connection; the next mark opens another."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def _file_state(path: str) -> tuple[int, int, int] | None:
    """Return what changes with a file, or with the names in a directory; None where there is none."""
    try:
        status = os.stat(path)  # a Path would cost as much again
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
