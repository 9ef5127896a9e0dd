"""The locks of a process on SQLite's file outlast everything else that the process does with it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask

from spectator.db import database_file, sqlite
from spectator.operations import backup, diagnosis
from spectator.operations.storage import StorageMonitor

pytestmark = pytest.mark.sqlite
# A program of its own, because a process does not meet its own locks.
WRITE = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('BEGIN IMMEDIATE')"


def can_another_process_write(path: Path) -> bool:
    command = [sys.executable, "-c", WRITE, str(path)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture
def locked_file(app: Flask) -> Iterator[Path]:
    """The database of a site without a wheel of SQLite, while this process writes to it."""
    path = database_file(app.config["DATABASE_URL"])
    assert path is not None
    with closing(sqlite.connect(str(path), isolation_level=None)) as connection:
        assert connection.execute("PRAGMA journal_mode=DELETE").fetchone() == ("delete",)
        assert can_another_process_write(path)
        connection.execute("BEGIN IMMEDIATE")
        yield path


def test_checks_and_backups_leave_the_locks(
    app: Flask, locked_file: Path, tmp_path: Path
) -> None:
    StorageMonitor(app.config).find_fault()  # as /readyz does
    diagnosis.examine(app.config)
    backup.make(app.config, tmp_path / "site.backup")
    assert not can_another_process_write(locked_file)
