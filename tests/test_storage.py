"""A full, read-only or damaged disk: reads go on, writes say why they fail, and all recovers."""

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


@pytest.fixture
def fill_disk(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Return a function that fills or frees the database's disk; every connection is limited."""

    def fill(is_full: bool) -> None:
        db.session.remove()
        pages = db.session.connection().exec_driver_sql("PRAGMA page_count").scalar()
        limit = pages if is_full else 1_000_000_000
        db.session.connection().exec_driver_sql(f"PRAGMA max_page_count={limit}")
        db.session.rollback()
        full = [faults.full_disk_fault(app.config["DATA_DIR"])] if is_full else []
        monkeypatch.setattr(faults, "examine_space", lambda _directory: iter(full))

    return fill


def test_a_save_without_room_says_so_and_gives_the_text_back(
    app: Flask, fill_disk: Callable[[bool], None]
) -> None:
    client = logged_in_client(app)
    form = story_form(body="Words that must not be lost. " * 2000)
    fill_disk(True)
    answer = post(client, "/newsroom/stories/new", form)
    assert answer.status_code == 503
    assert "disk is full, so nothing can be saved right now" in answer.text
    assert "Words that must not be lost." in answer.text
    assert client.get("/newsroom/stories/").status_code == 200, "reading goes on"
    fill_disk(False)
    assert post(client, "/newsroom/stories/new", form).status_code == 303


def test_an_import_without_room_tells_the_cause(
    app: Flask, fill_disk: Callable[[bool], None]
) -> None:
    lines = [
        json.dumps({"headline": f"Story {number}", "body": "Long. " * 5000}) for number in range(40)
    ]
    text = "\n".join(lines).encode()
    fill_disk(True)
    with pytest.raises(StorageError) as caught:
        runner.import_records(jsonl.read(BytesIO(text), "en"), app.config["MEDIA"])
    assert caught.value.cause == "full" and "savepoint" not in str(caught.value)
    fill_disk(False)
    assert runner.import_records(jsonl.read(BytesIO(text), "en"), app.config["MEDIA"]).added == 40


def test_readyz_tells_a_full_disk_and_recovers(
    app: Flask, client: FlaskClient, catch_up: Callable[[], None], fill_disk: Callable[[bool], None]
) -> None:
    catch_up()
    app.extensions["storage"].next_quick_check_at = 0.0
    assert client.get("/readyz").status_code == 200
    fill_disk(True)
    app.extensions["storage"].next_quick_check_at = 0.0
    answer = client.get("/readyz")
    assert answer.status_code == 503 and answer.json["storage"] == "full disk"
    assert client.get("/politics/").status_code == 200
    fill_disk(False)
    app.extensions["storage"].next_quick_check_at = 0.0
    assert client.get("/readyz").status_code == 200


def test_readyz_tells_damage_and_recovers(
    app: Flask, client: FlaskClient, catch_up: Callable[[], None], story: Callable[..., int]
) -> None:
    for _ in range(20):
        story(body="A long paragraph. " * 500)
    catch_up()
    db.session.remove()
    db.engine.dispose()
    path = app.config["DATA_DIR"] / "spectator.db"
    whole = path.read_bytes()
    with path.open("r+b") as file:
        file.seek(len(whole) // 2)
        file.write(b"\xa5" * 8192)
    answer = client.get("/readyz")
    assert answer.status_code == 503 and answer.json["storage"] == "damaged"
    path.write_bytes(whole)
    watch = app.extensions["storage"]
    watch.next_quick_check_at = watch.next_full_check_at = 0.0
    assert client.get("/readyz").status_code == 200


def test_the_check_of_the_database_takes_a_bounded_share(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks: list[Path] = []
    now = [0.0]
    monkeypatch.setattr(storage.time, "monotonic", lambda: now[0])

    def check(path: Path) -> None:
        checks.append(path)
        now[0] += 2.0

    monkeypatch.setattr(storage, "find_damage", check)
    watch = storage.StorageMonitor(app.config)
    for _ in range(1000):
        now[0] += 1.0
        watch.find_fault()
        assert watch.check_thread is not None
        watch.check_thread.join()
    assert len(checks) == 2, "two seconds of work in a quarter of an hour"


def test_a_refused_write_leaves_nothing(
    app: Flask, editor: User, fill_disk: Callable[[bool], None]
) -> None:
    fill_disk(True)
    with pytest.raises(StorageError):
        publishing.create(make_draft(body="Long. " * 20000), editor)
    fill_disk(False)
    assert db.session.query(Article).count() == 0
