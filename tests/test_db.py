"""Database connections: reads cannot write, writes are immediate, no update is lost."""

from __future__ import annotations

import multiprocessing
import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError

from spectator import create_app
from spectator import db as database
from spectator.db import (
    PAUSE_SECONDS,
    StorageError,
    UTCDateTime,
    db,
    find_storage_error,
    is_wal_safe,
    poller,
    sqlite,
    take_turns,
)
from spectator.db.poller import PollError, PollingConnection
from spectator.models import Section
from tests.conftest import settings


@pytest.mark.sqlite
def test_pragmas(app: Flask) -> None:
    pragmas = {
        name: db.session.scalar(text(f"PRAGMA {name}"))
        for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "query_only")
    }
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 5000,
        "query_only": 1,
    }


def test_a_lock_that_another_process_holds_too_long_is_a_storage_error(tmp_path: Path) -> None:
    path = str(tmp_path / "locked.db")
    with (
        closing(sqlite.connect(path, isolation_level=None)) as holder,
        closing(sqlite.connect(path, isolation_level=None, timeout=0)) as waiting,
    ):
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite.OperationalError) as caught:
            waiting.execute("BEGIN IMMEDIATE")
    error = find_storage_error(caught.value)
    assert error is not None and error.cause == "busy"


@pytest.mark.parametrize("turn_seconds", [0.0, 60.0])
def test_many_transactions_leave_pauses_in_which_others_write(
    monkeypatch: pytest.MonkeyPatch, turn_seconds: float
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(database, "TURN_SECONDS", turn_seconds)
    monkeypatch.setattr(time, "sleep", pauses.append)
    assert list(take_turns("abc")) == ["a", "b", "c"]
    assert pauses == ([PAUSE_SECONDS] * 3 if turn_seconds == 0 else [])
    assert PAUSE_SECONDS > 0.1, "SQLite asks for a lock every tenth of a second"


def test_the_installed_sqlite_has_no_wal_reset_bug() -> None:
    assert is_wal_safe(sqlite.sqlite_version_info)


@pytest.mark.parametrize(
    ("version", "is_safe"),
    [
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51), False),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 53, 4), True),
    ],
)
def test_sqlite_versions_with_the_wal_reset_bug_are_detected(
    version: tuple[int, ...], is_safe: bool
) -> None:
    assert is_wal_safe(version) is is_safe


def test_a_session_outside_db_write_is_read_only(app: Flask) -> None:
    with pytest.raises(DBAPIError, match=r"readonly|read-only") as caught:
        db.session.execute(update(Section).values(name="x"))
    assert find_storage_error(caught.value) is None, "a mistake in the code, not a read-only disk"


@pytest.mark.sqlite
def test_a_refused_write_in_db_write_is_a_storage_error(app: Flask) -> None:
    with pytest.raises(StorageError) as caught, db.write() as session:
        session.execute(text("PRAGMA query_only=1"))  # fails like a read-only disk
        session.execute(update(Section).values(name="x"))
    assert caught.value.cause == "read-only"
    message = "storage fault (read-only): attempt to write a readonly database"
    assert str(caught.value) == message


def test_a_flush_outside_write_raises(app: Flask) -> None:
    db.session.add(Section(slug="x", name="X"))
    with pytest.raises(RuntimeError, match=r"db\.write"):
        db.session.flush()
    db.session.rollback()


def test_write_commits_or_rolls_back(app: Flask) -> None:
    with db.write() as session:
        session.add(Section(slug="x", name="X"))
    with pytest.raises(ZeroDivisionError), db.write() as session:
        session.add(Section(slug="y", name="Y"))
        session.flush()
        raise ZeroDivisionError
    assert set(db.session.scalars(select(Section.slug).where(Section.slug.in_(("x", "y"))))) == {
        "x"
    }
    with pytest.raises(RuntimeError, match="already"), db.write(), db.write():
        pass


def test_objects_loaded_before_db_write_stay_readable_in_and_after_it(app: Flask) -> None:
    section = db.session.scalars(select(Section)).first()
    assert section is not None
    with db.write():
        assert section.slug == "politics"
    assert section.slug == "politics"


def test_a_reader_does_not_wait_for_a_writer(app: Flask) -> None:
    durations: list[float] = []

    def read() -> None:
        with app.app_context():
            started = time.monotonic()
            db.session.scalar(select(func.count()).select_from(Section))
            durations.append(time.monotonic() - started)

    with db.write() as session:
        session.execute(update(Section).values(name="x"))
        thread = threading.Thread(target=read)
        thread.start()
        thread.join()
    [duration] = durations
    assert duration < 2, "a blocked read would wait for busy_timeout, 5 s"


def _raise_positions(data: Path, times: int) -> None:
    app = create_app(settings(data))
    with app.app_context():
        for _ in range(times):
            with db.write() as session:
                section = session.scalars(select(Section).where(Section.slug == "politics")).one()
                section.position += 1


def test_four_processes_lose_no_update(app: Flask) -> None:
    data = app.config["DATA_DIR"]
    before = db.session.scalar(select(Section.position).where(Section.slug == "politics")) or 0
    db.session.rollback()
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_raise_positions, args=(data, 25)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    assert (
        db.session.scalar(select(Section.position).where(Section.slug == "politics"))
        == before + 100
    )


def test_stored_datetimes_have_a_time_zone(app: Flask) -> None:
    kind = UTCDateTime()
    with pytest.raises(ValueError, match="time zone"):
        kind.process_bind_param(datetime(2026, 1, 1), db.engine.dialect)  # noqa: DTZ001
    stored = datetime(2026, 1, 1)  # noqa: DTZ001
    assert kind.process_result_value(stored, db.engine.dialect) == datetime(
        2026, 1, 1, tzinfo=UTC
    )


def test_a_server_that_does_not_answer_is_asked_once_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    attempts: list[float] = []
    clock = iter((10.0, 10.0, 10.9, 11.0, 11.0))
    monkeypatch.setattr(poller.time, "monotonic", lambda: next(clock))
    connection = PollingConnection("postgresql+psycopg://nobody@127.0.0.1:1/none", 1)

    def refuse() -> None:
        attempts.append(1)
        raise connection.error("refused")

    monkeypatch.setattr(connection, "_open", refuse)
    for _ in range(3):
        with pytest.raises(PollError):
            connection.fetch("SELECT 1")
    assert len(attempts) == 2


def test_a_polling_connection_is_opened_once(app: Flask) -> None:
    connection = PollingConnection(app.config["DATABASE_URL"], 1.0)
    with closing(connection):
        assert connection.fetch("SELECT 1")[0][0] == 1
        opened = connection.connection
        assert connection.fetch("SELECT 2")[0][0] == 2
        assert connection.connection is opened
