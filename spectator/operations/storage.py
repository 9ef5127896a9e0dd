"""The storage monitor: whether a running site can save, checked on demand at a limited rate.

A quick check looks at the disk and the database file; a full check reads the whole database.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import quote

from spectator.db import database_file, sqlite
from spectator.db.sqlite_engine import STORAGE_CODES
from spectator.operations import diagnosis, faults, sqlite_faults
from spectator.operations.faults import Fault

QUICK_CHECK_SECONDS = 2.0
# How long a call waits for the full check that it starts, if that is the first or there is damage.
FULL_CHECK_WAIT_SECONDS = 0.5
FULL_CHECK_SECONDS = 60.0  # the shortest pause between full checks
DAMAGED_CHECK_SECONDS = 5.0  # the same while there is damage, which somebody may be repairing
MAX_CHECK_SHARE = 0.003  # the largest share of a core that full checks may take


class StorageMonitor:
    """A monitor of one process's storage, safe to call from any thread."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.data: Path = settings["DATA_DIR"]
        self.url: str = settings["DATABASE_URL"]
        self.database = database_file(self.url)
        self.lock = threading.Lock()
        self.fault: Fault | None = None
        self.next_quick_check_at = 0.0
        self.damage: Fault | None = None
        self.next_full_check_at = 0.0
        self.check_thread: threading.Thread | None = None

    def find_fault(self) -> Fault | None:
        """Return the fault that keeps the site from saving, or None."""
        with self.lock:
            if time.monotonic() >= self.next_quick_check_at:
                self.fault = self._quick_check()
                self.next_quick_check_at = time.monotonic() + QUICK_CHECK_SECONDS
            self._start_full_check_when_due()
            return self.fault or self.damage

    def _quick_check(self) -> Fault | None:
        directories = {self.data, self.database.parent if self.database else self.data}
        disk_faults = chain.from_iterable(
            faults.examine_space(directory) for directory in directories if directory.is_dir()
        )
        all_faults = chain(disk_faults, diagnosis.examine_database(self.url))
        return next((fault for fault in all_faults if fault.stops_saving), None)

    def _start_full_check_when_due(self) -> None:
        """Check a whole SQLite file in a thread, if due; it takes a second per 200 MB."""
        is_running = self.check_thread is not None and self.check_thread.is_alive()
        if not self.database or time.monotonic() < self.next_full_check_at or is_running:
            return
        is_first = self.check_thread is None
        self.check_thread = threading.Thread(
            target=self._full_check, name="database-check", daemon=True
        )
        self.check_thread.start()
        if is_first or self.damage:
            self.check_thread.join(FULL_CHECK_WAIT_SECONDS)

    def _full_check(self) -> None:
        assert self.database
        started = time.monotonic()
        self.damage = find_damage(self.database)
        duration = time.monotonic() - started
        pause = DAMAGED_CHECK_SECONDS if self.damage else FULL_CHECK_SECONDS
        self.next_full_check_at = time.monotonic() + max(pause, duration / MAX_CHECK_SHARE)


def find_damage(database: Path) -> Fault | None:
    """Read a whole database and return its damage; None if there is none or it is busy."""
    try:
        with closing(
            sqlite.connect(f"file:{quote(str(database))}?mode=ro", uri=True, timeout=1)
        ) as connection:
            # This "quick" check reads every page too; it only leaves out comparing indexes.
            result = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite.Error as error:
        code = getattr(error, "sqlite_errorcode", 0)
        # The low byte of an extended code is SQLite's primary code.
        is_damage = STORAGE_CODES.get(code & 0xFF) in ("damaged", "not a database", "disk error")
        return sqlite_faults.explain_sqlite(code, str(error), database) if is_damage else None
    # 11 is SQLITE_CORRUPT.
    return None if result == "ok" else sqlite_faults.explain_sqlite(11, result, database)
