"""The worker's process: only one runs, it sleeps while idle, and it ends when told to."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
import time

import pytest
from flask import Flask

from spectator import (
    change_watcher,
    outbox,
    worker,
)
from spectator.db import db
from spectator.worker import Worker


def hold_lock(app: Flask) -> int:
    """Take the worker's lock as another worker does; closing the handle releases it."""
    handle = os.open(app.config["DATA_DIR"] / "worker.lock", os.O_WRONLY | os.O_CREAT)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise
    return handle


def test_a_second_worker_waits_for_the_first(
    app: Flask, idle_worker: Worker, signals: None
) -> None:
    handle = hold_lock(app)
    rounds: list[float] = []

    def run_round() -> bool:
        rounds.append(time.monotonic())
        idle_worker.stop()
        return False

    idle_worker.run_once = run_round  # type: ignore[method-assign]
    released: list[float] = []

    def release() -> None:
        released.append(time.monotonic())
        os.close(handle)

    threading.Timer(0.25, release).start()
    idle_worker.run()
    assert len(rounds) == 1
    assert rounds[0] >= released[0]


def test_a_waiting_worker_stops_when_told_to(
    app: Flask, idle_worker: Worker, signals: None
) -> None:
    handle = hold_lock(app)
    idle_worker.run_once = fail_if_called  # type: ignore[method-assign]
    threading.Timer(0.1, idle_worker.stop).start()
    begin = time.monotonic()
    idle_worker.run()
    assert 0.1 <= time.monotonic() - begin < 5
    with pytest.raises(BlockingIOError):
        hold_lock(app)
    os.close(handle)


def fail_if_called() -> bool:
    raise AssertionError("another worker holds the lock")


def test_an_idle_worker_waits_until_something_changes(
    app: Flask, idle_worker: Worker, signals: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Count the rounds in half a second: without waiting there would be a hundred."""
    monkeypatch.setattr(change_watcher, "POLL_SECONDS", 0.005)
    idle_worker.next_maintenance_at = time.monotonic() + 60
    rounds: list[float] = []

    def run_round() -> bool:
        rounds.append(time.monotonic())
        if len(rounds) == 1:
            threading.Timer(0.5, commit_and_stop).start()
        return False

    idle_worker.run_once = run_round  # type: ignore[method-assign]

    def commit_and_stop() -> None:
        with app.app_context():
            commit_public_change()
        until = time.monotonic() + 5
        while len(rounds) < 2 and time.monotonic() < until:
            time.sleep(0.005)
        idle_worker.stop()

    idle_worker.run()
    # One commit may be noticed twice: by the files' times and by the data version.
    assert 2 <= len(rounds) <= 4
    assert rounds[1] - rounds[0] > 0.4


def commit_public_change() -> None:
    """Commit an outbox row without a story."""
    with db.write() as session:
        outbox.append(session, None, "section")


def test_a_wait_ends_after_its_maximum_time(
    app: Flask, idle_worker: Worker, signals: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change_watcher, "POLL_SECONDS", 0.005)
    monkeypatch.setattr(worker, "MAX_WAIT_SECONDS", 0.05)
    idle_worker.next_maintenance_at = time.monotonic() + 60
    rounds: list[float] = []

    def run_round() -> bool:
        rounds.append(time.monotonic())
        if len(rounds) == 3:
            idle_worker.stop()
        return False

    idle_worker.run_once = run_round  # type: ignore[method-assign]
    idle_worker.run()
    assert len(rounds) == 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_loop_after_the_current_round(
    idle_worker: Worker, signals: None, number: int
) -> None:
    rounds: list[str] = []

    def run_round() -> bool:
        rounds.append("started")
        os.kill(os.getpid(), number)
        rounds.append("finished")
        return True

    idle_worker.run_once = run_round  # type: ignore[method-assign]
    idle_worker.run()
    assert rounds == ["started", "finished"]


def test_the_lock_is_released_when_the_worker_ends(
    app: Flask, idle_worker: Worker, signals: None
) -> None:
    errors: list[str] = []

    def run_round() -> bool:
        with pytest.raises(BlockingIOError) as error:
            hold_lock(app)
        errors.append(error.typename)
        idle_worker.stop()
        return False

    idle_worker.run_once = run_round  # type: ignore[method-assign]
    idle_worker.run()
    assert errors == ["BlockingIOError"]
    os.close(hold_lock(app))


def test_a_worker_stops_when_its_parent_process_changes(
    idle_worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not idle_worker.should_stop()
    monkeypatch.setattr(os, "getppid", lambda: 1 if idle_worker.parent != 1 else 2)
    assert idle_worker.should_stop()


def test_a_worker_stops_if_its_supervisor_has_already_ended(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEEPER_PID", str(os.getppid()))
    assert not Worker(app).should_stop()
    monkeypatch.setenv("KEEPER_PID", str(os.getppid() + 1))
    assert Worker(app).should_stop()
