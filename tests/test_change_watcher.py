"""The change watcher's state differs after every commit and after every change of an index."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest
from flask import Flask
from sqlalchemy import text

from spectator import change_watcher, indexing
from spectator.change_watcher import ChangeWatcher
from spectator.db import db
from spectator.search.whoosh.generations import DAMAGE_MARKER


def test_the_state_changes_only_with_commits(app: Flask, story: Callable[..., int]) -> None:
    watcher = ChangeWatcher(app.config["DATABASE_URL"])
    story()
    state = watcher.current_state()
    assert state is not None
    db.session.execute(text("SELECT count(*) FROM article"))
    db.session.rollback()
    assert watcher.current_state() == state
    story(headline="Another")
    assert watcher.current_state() != state
    watcher.close()


def test_the_state_changes_with_every_rebuild_or_damage_of_an_index(
    app: Flask, story: Callable[..., int], tmp_path: Path
) -> None:
    story()
    index = indexing.open_public_index(app.config["DATA_DIR"])
    current = app.config["DATA_DIR"] / "index" / "current"
    watcher = ChangeWatcher(app.config["DATABASE_URL"], [current, tmp_path / "none"])
    states = [watcher.current_state()]
    indexing.rebuild(index)
    states.append(watcher.current_state())
    (current / DAMAGE_MARKER).touch()  # created by a reader that finds the index damaged
    states.append(watcher.current_state())
    indexing.rebuild(index)
    states.append(watcher.current_state())
    assert len(set(states)) == len(states)
    watcher.close()


def test_a_missing_database_has_no_state(tmp_path: Path) -> None:
    watcher = ChangeWatcher(f"sqlite:///{tmp_path}/missing.db")
    assert watcher.current_state() is None
    assert watcher.current_state() is None


def test_a_commit_ends_the_sleep_within_two_tenths_of_a_second(
    app: Flask, story: Callable[..., int]
) -> None:
    story()
    delays: list[float] = []
    while len(delays) < 5 and min(delays, default=1.0) > 0.2:  # others may occupy the machine
        delays.append(seconds_to_wake(app, story))
    assert min(delays) <= 0.2, delays


def seconds_to_wake(app: Flask, story: Callable[..., int]) -> float:
    """Publish a story while a watcher waits; return how long it slept afterwards."""
    watcher = ChangeWatcher(app.config["DATABASE_URL"])
    state, woken_at = watcher.current_state(), []

    def wait() -> None:
        watcher.wait_for_change(state, time.monotonic() + 30, lambda: False)
        woken_at.append(time.monotonic())

    thread = Thread(target=wait)
    thread.start()
    story(headline="Another")
    published_at = time.monotonic()
    thread.join()
    watcher.close()
    return woken_at[0] - published_at


def test_watchers_of_a_process_share_queries_of_postgresql(
    app: Flask, story: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = app.config["DATABASE_URL"]
    monkeypatch.setattr(change_watcher, "SHARED_SECONDS", 60.0)
    main, other = ChangeWatcher(url), ChangeWatcher(url, reuses_recent_state=True)
    before = main.current_state()
    story()
    is_shared = other.current_state() == before
    assert is_shared is main.connection.is_postgresql
    assert main.current_state() != before
    monkeypatch.setattr(change_watcher, "SHARED_SECONDS", 0.0)
    assert other.current_state() != before, "an old answer is not used"
    for watcher in (main, other):
        watcher.close()
