"""A migration that is killed at any moment is repeated, and loses no row."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command  # noqa: F401 - loaded here, so that the forks need not
from sqlalchemy import Connection

from spectator import create_app, migrations
from spectator.db import db, sqlite
from spectator.operations import setup
from tests.conftest import settings
from tests.drills.sizes import drill_size
from tests.test_upgrades import assert_has_row, expected_rows
from tests.upgrades.make import DIRECTORY

pytestmark = pytest.mark.drill
KILLS = drill_size("MIGRATION_KILLS", 3, 100)
VERSIONS = sorted(migrations.supported_versions())
OLDEST = VERSIONS[0]


def start_init(data: Path, killed_in: str = "") -> int:
    """Run `spectator init` in a fork, which has the code already; return its process id.

    It kills itself at the end of the migration `killed_in`, before the upgrade is committed.
    """
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            store_oldest_code = migrations.store_oldest_code

            def store_or_die(connection: Connection, version: str) -> None:
                if version == killed_in:
                    os.kill(os.getpid(), signal.SIGKILL)
                store_oldest_code(connection, version)

            migrations.store_oldest_code = store_or_die
            app = create_app(settings(data))
            with app.app_context():
                setup.initialise(app)
            code = 0
        finally:
            os._exit(code)
    return pid


def exit_code(pid: int) -> int:
    """Wait for a process; return its exit code, negative if a signal ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def make_old_database(data: Path) -> None:
    data.mkdir()
    with closing(sqlite.connect(str(data / "spectator.db"))) as old:
        old.executescript((DIRECTORY / f"{OLDEST}.sql").read_text("utf-8"))


def stored_version(data: Path) -> str:
    with closing(sqlite.connect(str(data / "spectator.db"))) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return str(connection.execute(migrations.SELECT_VERSION).fetchone()[0])


def test_an_upgrade_that_is_killed_in_each_migration_loses_no_row(tmp_path: Path) -> None:
    data = tmp_path / "data"
    make_old_database(data)
    for version in VERSIONS[1:]:
        assert exit_code(start_init(data, killed_in=version)) == -signal.SIGKILL
        assert stored_version(data) == OLDEST, "one transaction for all migrations"
    assert_upgraded(data)


def test_an_upgrade_that_is_killed_at_any_moment_loses_no_row(tmp_path: Path) -> None:
    rng, kills, number = random.Random(16), 0, 0
    make_old_database(tmp_path / "measured")
    started = time.monotonic()
    assert exit_code(start_init(tmp_path / "measured")) == 0
    duration = time.monotonic() - started
    while kills < KILLS:
        number += 1
        data = tmp_path / f"data{number}"
        make_old_database(data)
        while stored_version(data) != migrations.HEAD and kills < KILLS:
            pid = start_init(data)
            time.sleep(rng.uniform(0.3, 1.0) * duration)
            os.kill(pid, signal.SIGKILL)
            kills += exit_code(pid) == -signal.SIGKILL
        assert_upgraded(data)


def assert_upgraded(data: Path) -> None:
    """Finish the upgrade, and check that all rows are as after one without kills."""
    app = create_app(settings(data))
    with app.app_context():
        setup.initialise(app)
        assert migrations.is_current()
        with db.engine.connect() as connection:
            for table, row in expected_rows(OLDEST):
                assert_has_row(connection, table, row)
        db.session.remove()
        db.engine.dispose()
