"""What `spectator doctor` finds wrong with search."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from flask import Flask
from sqlalchemy import update

from spectator import indexing, searchlog
from spectator.db import db
from spectator.models import Outbox, Revision
from spectator.operations import doctor


def found(app: Flask, word: str) -> list[str]:
    db.session.rollback()
    return [line for line in doctor.problems(app) if word in line]


def follow(app: Flask) -> None:
    for index, source in indexing.indexes_in(app.config["DATA_DIR"]):
        while indexing.catch_up(index, source):
            pass


def test_missing_indexes_are_told(app: Flask, story: Callable[..., int]) -> None:
    story()
    assert len(found(app, "search index is missing")) == 2
    follow(app)
    assert found(app, "index") == []


def test_indexes_that_are_late_are_told(app: Flask, story: Callable[..., int]) -> None:
    follow(app)
    story()
    assert found(app, "index") == [], "a moment is not late"
    with db.write() as session:
        session.execute(update(Outbox).values(at=datetime.now(UTC) - timedelta(seconds=90)))
        session.execute(update(Revision).values(made_at=datetime.now(UTC) - timedelta(seconds=90)))
    first, second = found(app, "Start the worker")
    assert first.startswith("The search index is 9") and second.startswith("The newsroom's search index is 9")


def test_an_index_ahead_of_a_restored_database_is_told(app: Flask) -> None:
    for index, _ in indexing.indexes_in(app.config["DATA_DIR"]):
        index.rebuild([], 99)
    assert len(found(app, "ahead of the database")) == 2


def test_searches_that_are_not_counted_are_told(app: Flask) -> None:
    path = app.config["DATA_DIR"] / "searches.log"
    path.touch(0o600)
    assert found(app, "searches") == []
    os.truncate(path, searchlog.MOST_BYTES)
    assert len(found(app, "searches is full")) == 1
