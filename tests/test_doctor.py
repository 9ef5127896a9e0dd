"""What `spectator doctor` reports about search."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from spectator import indexing, search_log
from spectator.db import db
from spectator.models import Outbox, Picture, Revision
from spectator.operations import doctor
from tests.conftest import NEWEST


def problems_with(app: Flask, word: str) -> list[str]:
    db.session.rollback()
    return [line for line in doctor.problems(app) if word in line]


def update_indexes(app: Flask) -> None:
    for index, source in indexing.open_indexes(app.config["DATA_DIR"]):
        while indexing.catch_up(index, source):
            pass


def test_missing_indexes_are_reported(app: Flask, story: Callable[..., int]) -> None:
    story()
    assert len(problems_with(app, "search index is missing")) == 2
    update_indexes(app)
    assert problems_with(app, "index") == []


def test_lagging_indexes_are_reported(app: Flask, story: Callable[..., int]) -> None:
    update_indexes(app)
    story()
    assert problems_with(app, "index") == [], "a change of the last minute is not reported"
    with db.write() as session:
        session.execute(update(Outbox).values(at=datetime.now(UTC) - timedelta(seconds=90)))
        session.execute(
            update(Revision).values(made_at=datetime.now(UTC) - timedelta(seconds=90))
        )
    first, second = problems_with(app, "Start the worker")
    assert first.startswith("The search index is 9") and second.startswith(
        "The newsroom's search index is 9"
    )


def test_an_index_ahead_of_a_restored_database_is_reported(app: Flask) -> None:
    for index, _ in indexing.open_indexes(app.config["DATA_DIR"]):
        index.rebuild([], 99)
    assert len(problems_with(app, "ahead of the database")) == 2


def test_uncounted_searches_are_reported(app: Flask) -> None:
    path = app.config["DATA_DIR"] / "searches.log"
    path.touch(0o600)
    assert problems_with(app, "searches") == []
    os.truncate(path, search_log.MAX_LOG_BYTES)
    assert len(problems_with(app, "search log is full")) == 1


def test_lost_originals_are_reported(app: Flask) -> None:
    with db.write() as session:
        for number in range(3):
            session.add(
                Picture(
                    digest=f"{number:032}",
                    extension="jpg",
                    width=9,
                    height=9,
                    byte_size=9,
                    created_at=NEWEST,
                )
            )
    originals = app.config["MEDIA"] / "originals"
    originals.mkdir(0o700)
    (originals / f"{0:032}.jpg").touch(0o600)
    [line] = problems_with(app, "originals")
    assert line.startswith("2 of 3 pictures have no original") and f"Restore {originals}" in line


def test_a_missing_script_is_reported(app: Flask) -> None:
    app.config["HTMX_URL"] = "/static/htmx.min.js"
    assert len(problems_with(app, "names a missing file")) == 1
    app.config["HTMX_URL"] = "/static/js/search.js"
    assert len(problems_with(app, "does not match")) == 1


@pytest.mark.sqlite
def test_a_damaged_database_is_reported_with_advice(
    app: Flask, story: Callable[..., int]
) -> None:
    for _ in range(30):
        story(body="A long paragraph. " * 500)
    db.session.remove()
    db.engine.dispose()
    path = app.config["DATA_DIR"] / "spectator.db"
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xa5" * 8192)
    [line] = problems_with(app, "database is damaged")
    assert "Restoring a backup" in line
