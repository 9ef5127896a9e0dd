"""A full disk or a damaged database: reads work, writes report the cause, and both recover."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from spectator import publishing
from spectator.db import StorageError, db
from spectator.importers import jsonl, runner
from spectator.models import Article, User
from spectator.operations import faults, storage
from tests.conftest import make_draft
from tests.newsroom_client import logged_in_client, post, story_form

pytestmark = pytest.mark.sqlite


@pytest.fixture
def set_disk_full(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Return a function that makes the database's disk look full or free.

    SQLite's limit on the number of pages lets writes fail as on a full disk.
    """

    def set_full(is_full: bool) -> None:
        db.session.remove()
        connection = db.session.connection()
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        limit = pages if is_full else 1_000_000_000
        connection.exec_driver_sql(f"PRAGMA max_page_count={limit}")
        db.session.rollback()
        full = [faults.full_disk_fault(app.config["DATA_DIR"])] if is_full else []
        monkeypatch.setattr(faults, "examine_space", lambda _directory: iter(full))

    return set_full


def test_a_save_on_a_full_disk_is_refused_and_returns_the_text(
    app: Flask, set_disk_full: Callable[[bool], None]
) -> None:
    client = logged_in_client(app)
    form = story_form(body="Words that must not be lost. " * 2000)
    set_disk_full(True)
    response = post(client, "/newsroom/stories/new", form)
    assert response.status_code == 503
    assert "disk is full, so nothing can be saved right now" in response.text
    assert "Words that must not be lost." in response.text
    assert client.get("/newsroom/stories/").status_code == 200, "pages can be read"
    set_disk_full(False)
    assert post(client, "/newsroom/stories/new", form).status_code == 303


def test_an_import_on_a_full_disk_reports_the_cause(
    app: Flask, set_disk_full: Callable[[bool], None]
) -> None:
    lines = [
        json.dumps({"headline": f"Story {number}", "body": "Long. " * 5000})
        for number in range(40)
    ]
    text = "\n".join(lines).encode()
    set_disk_full(True)
    with pytest.raises(StorageError) as caught:
        runner.import_records(jsonl.read(BytesIO(text), "en"), app.config["MEDIA"])
    assert caught.value.cause == "full"
    # SQLite rolls back by itself; the failing ROLLBACK TO SAVEPOINT must not hide the cause.
    assert "savepoint" not in str(caught.value)
    set_disk_full(False)
    assert runner.import_records(jsonl.read(BytesIO(text), "en"), app.config["MEDIA"]).added == 40


def test_readyz_reports_a_full_disk_and_recovers(
    app: Flask,
    client: FlaskClient,
    catch_up: Callable[[], None],
    set_disk_full: Callable[[bool], None],
) -> None:
    catch_up()
    app.extensions["storage"].next_quick_check_at = 0.0
    assert client.get("/readyz").status_code == 200
    set_disk_full(True)
    app.extensions["storage"].next_quick_check_at = 0.0
    response = client.get("/readyz")
    assert response.status_code == 503 and response.json["storage"] == "full disk"
    assert client.get("/politics/").status_code == 200
    set_disk_full(False)
    app.extensions["storage"].next_quick_check_at = 0.0
    assert client.get("/readyz").status_code == 200


def test_readyz_reports_a_damaged_database_and_recovers(
    app: Flask, client: FlaskClient, catch_up: Callable[[], None], story: Callable[..., int]
) -> None:
    for _ in range(20):
        story(body="A long paragraph. " * 500)
    catch_up()
    db.session.remove()
    db.engine.dispose()
    path = app.config["DATA_DIR"] / "spectator.db"
    undamaged = path.read_bytes()
    with path.open("r+b") as file:
        file.seek(len(undamaged) // 2)
        file.write(b"\xa5" * 8192)
    response = client.get("/readyz")
    assert response.status_code == 503 and response.json["storage"] == "damaged"
    path.write_bytes(undamaged)
    db.session.remove()
    db.engine.dispose()  # its connections have cached damaged pages
    monitor = app.extensions["storage"]
    monitor.next_quick_check_at = monitor.next_full_check_at = 0.0
    assert client.get("/readyz").status_code == 200


def test_a_removed_data_directory_is_a_fault(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/gone/spectator.db"
    monitor = storage.StorageMonitor({"DATA_DIR": tmp_path / "gone", "DATABASE_URL": url})
    fault = monitor.find_fault()
    assert fault is not None
    assert fault.message == f"The directory of the database {tmp_path}/gone is missing."


def test_a_slow_check_of_the_database_is_repeated_rarely(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks: list[Path] = []
    now = [0.0]
    monkeypatch.setattr(storage.time, "monotonic", lambda: now[0])

    def check(path: Path) -> None:
        checks.append(path)
        now[0] += 2.0

    monkeypatch.setattr(storage, "find_damage", check)
    monitor = storage.StorageMonitor(app.config)
    for _ in range(1000):
        now[0] += 1.0
        monitor.find_fault()
        assert monitor.check_thread is not None
        monitor.check_thread.join()
    assert len(checks) == 2, "a check of 2 seconds runs twice in 1,000 seconds"


def test_a_write_on_a_full_disk_stores_nothing(
    app: Flask, editor: User, set_disk_full: Callable[[bool], None]
) -> None:
    set_disk_full(True)
    with pytest.raises(StorageError):
        publishing.create(make_draft(body="Long. " * 20000), editor)
    set_disk_full(False)
    assert db.session.query(Article).count() == 0
