"""The cheap look sees every commit, also of its own process, and every new file of an index."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from flask import Flask
from sqlalchemy import text

from spectator import db as database
from spectator import indexing
from spectator.change_watch import ChangeWatch
from spectator.db import db


def test_a_mark_stays_the_same_while_nothing_is_committed(app: Flask, story: Callable[..., int]) -> None:
    watch = ChangeWatch(database.path())
    story()
    mark = watch.mark()
    assert mark is not None
    db.session.execute(text("SELECT count(*) FROM article"))
    db.session.rollback()
    assert watch.mark() == mark
    story(headline="Another")
    assert watch.mark() != mark
    watch.close()


def test_a_mark_sees_what_happens_to_an_index(app: Flask, story: Callable[..., int], tmp_path: Path) -> None:
    story()
    index = indexing.index_in(app.config["DATA_DIR"])
    current = app.config["DATA_DIR"] / "index" / "current"
    watch = ChangeWatch(database.path(), [current, tmp_path / "none"])
    marks = [watch.mark()]
    indexing.rebuild(index)
    marks.append(watch.mark())
    (current / "damaged").touch()  # what a reader does that cannot use it
    marks.append(watch.mark())
    indexing.rebuild(index)
    marks.append(watch.mark())
    assert len(set(marks)) == len(marks)
    watch.close()


def test_a_silent_database_has_no_mark(tmp_path: Path) -> None:
    watch = ChangeWatch(str(tmp_path / "missing.db"))
    assert watch.mark() is None
    assert watch.mark() is None
