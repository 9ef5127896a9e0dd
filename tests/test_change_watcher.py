"""The cheap check sees every commit, also of its own process, and every new index file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from flask import Flask
from sqlalchemy import text

from spectator import db as database
from spectator import indexing
from spectator.change_watcher import ChangeWatcher
from spectator.db import db


def test_a_mark_stays_the_same_while_nothing_is_committed(
    app: Flask, story: Callable[..., int]
) -> None:
    watch = ChangeWatcher(database.database_path())
    story()
    mark = watch.current_state()
    assert mark is not None
    db.session.execute(text("SELECT count(*) FROM article"))
    db.session.rollback()
    assert watch.current_state() == mark
    story(headline="Another")
    assert watch.current_state() != mark
    watch.close()


def test_a_mark_sees_what_happens_to_an_index(
    app: Flask, story: Callable[..., int], tmp_path: Path
) -> None:
    story()
    index = indexing.open_public_index(app.config["DATA_DIR"])
    current = app.config["DATA_DIR"] / "index" / "current"
    watch = ChangeWatcher(database.database_path(), [current, tmp_path / "none"])
    marks = [watch.current_state()]
    indexing.rebuild(index)
    marks.append(watch.current_state())
    (current / "damaged").touch()  # what a reader does that cannot use it
    marks.append(watch.current_state())
    indexing.rebuild(index)
    marks.append(watch.current_state())
    assert len(set(marks)) == len(marks)
    watch.close()


def test_a_silent_database_has_no_mark(tmp_path: Path) -> None:
    watch = ChangeWatcher(str(tmp_path / "missing.db"))
    assert watch.current_state() is None
    assert watch.current_state() is None
