"""The change watcher's state differs after every commit and after every change of an index."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from flask import Flask
from sqlalchemy import text

from spectator import indexing
from spectator.change_watcher import ChangeWatcher
from spectator.db import db


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
    (current / "damaged").touch()  # created by a reader that finds the index damaged
    states.append(watcher.current_state())
    indexing.rebuild(index)
    states.append(watcher.current_state())
    assert len(set(states)) == len(states)
    watcher.close()


def test_a_missing_database_has_no_state(tmp_path: Path) -> None:
    watcher = ChangeWatcher(f"sqlite:///{tmp_path}/missing.db")
    assert watcher.current_state() is None
    assert watcher.current_state() is None
