"""The worker's loop: what a round does, who may run it, and when it exits."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import delete, update

from spectator import indexing, media, outbox, publishing, queries, related, worker
from spectator.db import db
from spectator.models import Article, ListingRow, User
from spectator.search import SearchRequest
from spectator.worker import Worker
from tests.conftest import make_draft


@pytest.fixture
def at_work(app: Flask) -> Worker:
    """Worker that runs only when told to."""
    return Worker(app)


@pytest.fixture
def signals() -> Iterator[None]:
    """Restore the handlers that `run` replaces."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def search_ids(app: Flask, word: str) -> list[int]:
    """Return the ids of the stories that match a word."""
    return indexing.open_public_index(app.config["DATA_DIR"]).find(SearchRequest(word)).ids


def hold_lock(app: Flask) -> int:
    """Take the worker's lock as another worker does; closing the handle releases it."""
    handle = os.open(app.config["DATA_DIR"] / "worker.lock", os.O_WRONLY | os.O_CREAT)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise
    return handle


def picture(app: Flask, shade: int) -> media.StoredPicture:
    """Return a stored picture whose renditions are missing."""
    buffer = BytesIO()
    Image.new("RGB", (400, 300), (shade, 120, 200)).save(buffer, "JPEG")
    stored = media.store_upload(BytesIO(buffer.getvalue()), app.config["MEDIA"])
    with db.write() as session:
        publishing.add_picture(session, stored, None)
    for name in names(stored):
        (app.config["MEDIA"] / "renditions" / name).unlink()
    return stored


def names(picture: media.StoredPicture) -> list[str]:
    return [
        name for name, _ in media.rendition_names(picture.digest, picture.extension, picture.width)
    ]


def missing(app: Flask, picture: media.StoredPicture) -> list[str]:
    return media.missing_renditions(
        app.config["MEDIA"], picture.digest, picture.extension, picture.width
    )


def original(app: Flask, picture: media.StoredPicture) -> Path:
    return Path(app.config["MEDIA"] / "originals" / f"{picture.digest}.{picture.extension}")


def test_a_step_builds_the_index_and_then_catches_up(
    app: Flask, at_work: Worker, story: Callable[..., int]
) -> None:
    first = story(headline="Baobab")
    assert at_work.run_once()
    assert search_ids(app, "baobab") == [first]
    while at_work.run_once():  # related stories follow
        pass
    second = story(headline="Acacia")
    assert at_work.run_once()
    assert search_ids(app, "acacia") == [second]
    while at_work.run_once():
        pass
    assert outbox.edition() == queries.consumer_offset(related.CONSUMER)


def schedule(article_id: int, at: datetime) -> None:
    with db.write() as session:
        change = update(Article).where(Article.id == article_id)
        session.execute(change.values(status="scheduled", published_at=at))


def test_what_is_due_is_published_and_nothing_else(
    app: Flask, at_work: Worker, editor: User
) -> None:
    now = datetime.now(UTC)
    due, later = (
        publishing.create(publishing.Draft(headline=name, body="Text.", section="politics"), editor)
        for name in ("Harmattan", "Monsoon")
    )
    for article_id, at in ((due, now - timedelta(seconds=1)), (later, now + timedelta(hours=1))):
        schedule(article_id, at)
    at_work.publish_due()
    at_work.publish_due()
    at_work.run_once()
    assert set(queries.published_versions()) == {due}
    assert search_ids(app, "harmattan") == [due]
    assert search_ids(app, "monsoon") == []


def test_a_long_rebuild_does_not_hold_up_what_is_due(
    app: Flask, at_work: Worker, signals: None, editor: User, story: Callable[..., int]
) -> None:
    due, seen = publishing.create(make_draft(), editor), []
    schedule(due, datetime.now(UTC) + timedelta(seconds=0.3))

    def rebuild() -> bool:
        until = time.monotonic() + 5
        while time.monotonic() < until and not seen:
            time.sleep(0.05)
            if due in queries.published_versions():
                seen.append(due)
            db.session.rollback()
        at_work.stop()
        return False

    at_work.run_once = rebuild  # type: ignore[method-assign]
    at_work.run()
    assert seen == [due]


def test_a_fault_while_publishing_ends_the_worker(
    app: Flask, at_work: Worker, signals: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(at_work, "publish_due", break_down)
    with pytest.raises(OSError, match="No space"):
        at_work.run()


def test_a_fault_of_the_index_ends_the_worker(
    at_work: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(_index: object) -> bool:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(indexing, "catch_up", break_down)
    with pytest.raises(OSError, match="No space"):
        at_work.run_once()


def test_a_fault_of_the_newsrooms_index_ends_the_worker(
    app: Flask, at_work: Worker, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    while at_work.run_once():
        pass
    publishing.create(make_draft(), editor)
    newsroom = indexing.open_newsroom_index(app.config["DATA_DIR"])
    monkeypatch.setattr(newsroom, "apply", lambda *_args, **_more: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        at_work.run_once()


def test_at_night_both_indexes_are_held_against_the_database(
    app: Flask,
    at_work: Worker,
    editor: User,
    story: Callable[..., int],
    caplog: pytest.LogCaptureFixture,
) -> None:
    story(), publishing.create(make_draft(), editor)
    while at_work.run_once():
        pass
    indexes = [index for index, _ in indexing.open_indexes(app.config["DATA_DIR"])]
    right = [index.versions() for index in indexes]
    for index in indexes:
        index.apply(dict.fromkeys(index.versions()), index.offset() or 0)
    at_work.run_nightly(date(2026, 11, 23))
    assert [index.versions() for index in indexes] == right and all(right)
    assert caplog.text.count("repaired 1 stories") == 2
    indexes[0].apply(dict.fromkeys(right[0]), indexes[0].offset() or 0)
    at_work.run_nightly(date(2026, 11, 23))
    assert indexes[0].versions() == {}, "once a night"


def test_at_night_lists_are_held_against_the_stories(
    at_work: Worker, story: Callable[..., int], caplog: pytest.LogCaptureFixture
) -> None:
    story(topics=("One",))
    at_work.run_nightly(date(2026, 11, 23))
    assert "lists and counts" not in caplog.text
    with db.write() as session:
        session.execute(delete(ListingRow))
    at_work.run_nightly(date(2026, 11, 24))
    assert caplog.text.count("lists and counts") == 1
    assert publishing.are_listings_correct(db.session())


def test_tidying_forgets_what_the_index_has_passed_but_the_edition(
    at_work: Worker, story: Callable[..., int]
) -> None:
    for number in range(3):
        story(headline=f"Story {number}")
    edition = outbox.edition()
    while at_work.run_once():
        pass
    at_work.run_maintenance()
    assert (outbox.oldest_seq(), outbox.edition()) == (edition, edition)


def test_tidying_keeps_what_the_index_has_not_reached(
    at_work: Worker, story: Callable[..., int]
) -> None:
    story()
    at_work.run_once()
    behind = outbox.edition()
    story(headline="Another")
    at_work.run_maintenance()
    assert outbox.oldest_seq() == behind
    assert outbox.edition() > behind


def test_tidying_waits_for_its_time(at_work: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    tidied: list[bool] = [False, True, True]
    monkeypatch.setattr(at_work, "run_maintenance", lambda: tidied.pop(0))
    monkeypatch.setattr(worker, "REPAIR_BUDGET_SECONDS", 0.0)
    for _ in range(5):
        at_work.run_once()
    assert tidied == [True]


def test_lost_renditions_come_back(
    app: Flask, at_work: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "REPAIR_BUDGET_SECONDS", 60.0)
    stored = picture(app, 10)
    assert missing(app, stored)
    assert at_work.run_maintenance()
    assert not missing(app, stored)


def test_broken_originals_are_reported_once_and_stop_nothing(
    app: Flask, at_work: Worker, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "REPAIR_BUDGET_SECONDS", 60.0)
    gone, damaged, whole = (picture(app, shade) for shade in (10, 20, 30))
    original(app, gone).unlink()
    original(app, damaged).write_bytes(b"\xff\xd8\xff not a picture")
    for _ in range(3):
        assert at_work.run_maintenance()
    assert missing(app, gone) and missing(app, damaged)
    assert not missing(app, whole)
    assert (
        len([message for message in caplog.messages if "cannot restore its renditions" in message])
        == 2
    )


def test_a_full_disk_leaves_pictures_for_later(
    app: Flask, at_work: Worker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(worker, "REPAIR_BUDGET_SECONDS", 60.0)
    pictures = [picture(app, shade) for shade in (10, 20)]
    with monkeypatch.context() as patch:
        patch.setattr(media, "make_renditions", run_out)
        assert at_work.run_maintenance()
    assert len(caplog.messages) == 1
    assert at_work.run_maintenance()
    assert not [name for stored in pictures for name in missing(app, stored)]


def run_out(*_: object) -> int:
    raise OSError(28, "No space left on device")


def test_many_lost_renditions_do_not_hold_up_the_index(
    app: Flask, at_work: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = [picture(app, shade) for shade in (10, 20)]
    monkeypatch.setattr(worker, "REPAIR_BUDGET_SECONDS", 0.0)
    monkeypatch.setattr(time, "monotonic", iter(range(1000)).__next__)
    assert not at_work.run_maintenance()
    monkeypatch.undo()
    monkeypatch.setattr(worker, "REPAIR_BUDGET_SECONDS", 60.0)
    assert at_work.run_maintenance()
    assert not [name for stored in pictures for name in missing(app, stored)]


def test_pictures_left_unfinished_an_hour_ago_are_swept(app: Flask, at_work: Worker) -> None:
    stored = picture(app, 10)
    directory: Path = app.config["MEDIA"]
    old = [
        directory / "originals" / ".new-old",
        directory / "renditions" / stored.digest[:2] / ".new-old",
    ]
    fresh = directory / "originals" / ".new-fresh"
    for path in (*old, fresh):
        path.write_bytes(b"half a pict")
    for path in old:
        os.utime(path, (time.time() - 4000,) * 2)
    at_work.run_maintenance()
    assert not [path for path in old if path.exists()]
    assert fresh.exists()
    assert original(app, stored).exists()


def test_a_second_worker_waits_for_the_first(app: Flask, at_work: Worker, signals: None) -> None:
    handle = hold_lock(app)
    steps: list[float] = []

    def step() -> bool:
        steps.append(time.monotonic())
        at_work.stop()
        return False

    at_work.run_once = step  # type: ignore[method-assign]
    released: list[float] = []

    def release() -> None:
        released.append(time.monotonic())
        os.close(handle)

    threading.Timer(0.25, release).start()
    at_work.run()
    assert len(steps) == 1
    assert steps[0] >= released[0]


def test_a_waiting_worker_stops_when_told_to(app: Flask, at_work: Worker, signals: None) -> None:
    handle = hold_lock(app)
    at_work.run_once = refuse_to_step  # type: ignore[method-assign]
    threading.Timer(0.1, at_work.stop).start()
    begin = time.monotonic()
    at_work.run()
    assert 0.1 <= time.monotonic() - begin < 5
    with pytest.raises(BlockingIOError):
        hold_lock(app)
    os.close(handle)


def refuse_to_step() -> bool:
    raise AssertionError("another worker is at work")


def test_an_idle_worker_rests_until_something_changes(
    app: Flask, at_work: Worker, signals: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Count rounds instead of time: one a second would be a twentieth of this."""
    monkeypatch.setattr(worker, "POLL_SECONDS", 0.005)
    at_work.next_maintenance_at = time.monotonic() + 60
    steps: list[float] = []

    def step() -> bool:
        steps.append(time.monotonic())
        if len(steps) == 1:
            threading.Timer(0.5, commit_and_leave).start()
        return False

    at_work.run_once = step  # type: ignore[method-assign]

    def commit_and_leave() -> None:
        with app.app_context():
            publish_nothing()
        until = time.monotonic() + 5
        while len(steps) < 2 and time.monotonic() < until:
            time.sleep(0.005)
        at_work.stop()

    at_work.run()
    assert 2 <= len(steps) <= 4, (
        "one commit may show in the files' times and, within a second, in the data version"
    )
    assert steps[1] - steps[0] > 0.4


def publish_nothing() -> None:
    """Commit a change of what readers see."""
    with db.write() as session:
        outbox.append(session, None, "section")


def test_a_rest_ends_where_the_watch_sees_nothing(
    app: Flask, at_work: Worker, signals: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "POLL_SECONDS", 0.005)
    monkeypatch.setattr(worker, "MAX_WAIT_SECONDS", 0.05)
    at_work.next_maintenance_at = time.monotonic() + 60
    steps: list[float] = []

    def step() -> bool:
        steps.append(time.monotonic())
        if len(steps) == 3:
            at_work.stop()
        return False

    at_work.run_once = step  # type: ignore[method-assign]
    at_work.run()
    assert len(steps) == 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_loop_after_the_current_round(
    at_work: Worker, signals: None, number: int
) -> None:
    steps: list[str] = []

    def step() -> bool:
        steps.append("begun")
        os.kill(os.getpid(), number)
        steps.append("done")
        return True

    at_work.run_once = step  # type: ignore[method-assign]
    at_work.run()
    assert steps == ["begun", "done"]


def test_the_lock_is_free_after_a_worker(app: Flask, at_work: Worker, signals: None) -> None:
    errors: list[str] = []

    def step() -> bool:
        with pytest.raises(BlockingIOError) as error:
            hold_lock(app)
        errors.append(error.typename)
        at_work.stop()
        return False

    at_work.run_once = step  # type: ignore[method-assign]
    at_work.run()
    assert errors == ["BlockingIOError"]
    os.close(hold_lock(app))


def test_a_worker_leaves_when_its_parent_changes(
    at_work: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not at_work.should_stop()
    monkeypatch.setattr(os, "getppid", lambda: 1 if at_work.parent != 1 else 2)
    assert at_work.should_stop()


def test_a_worker_leaves_when_its_keeper_died_before_it_looked(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEEPER_PID", str(os.getppid()))
    assert not Worker(app).should_stop()
    monkeypatch.setenv("KEEPER_PID", str(os.getppid() + 1))
    assert Worker(app).should_stop()
