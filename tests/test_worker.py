"""The worker: what a round of its loop does, that only one runs, and when it ends."""

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
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import delete, update

from spectator import (
    accounts,
    autosaves,
    change_watcher,
    indexing,
    media,
    outbox,
    presence,
    preview_links,
    publishing,
    queries,
    related,
    search_log,
    worker,
)
from spectator.db import db
from spectator.models import Article, ListingRow, Picture, User
from spectator.renditions import RenditionConsumer
from spectator.search import SearchRequest
from spectator.worker import Worker
from tests.conftest import make_draft


@pytest.fixture
def idle_worker(app: Flask) -> Worker:
    """Worker whose loop does not run."""
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


def store_without_renditions(app: Flask, shade: int) -> media.StoredPicture:
    """Store a picture and delete its renditions."""
    buffer = BytesIO()
    Image.new("RGB", (400, 300), (shade, 120, 200)).save(buffer, "JPEG")
    stored = media.store_upload(BytesIO(buffer.getvalue()), app.config["MEDIA"])
    with db.write() as session:
        publishing.add_picture(session, stored, None)
    for name in rendition_names(stored):
        (app.config["MEDIA"] / "renditions" / name).unlink()
    return stored


def rendition_names(picture: media.StoredPicture) -> list[str]:
    return [
        name for name, _ in media.rendition_names(picture.digest, picture.extension, picture.width)
    ]


def missing_renditions(app: Flask, picture: media.StoredPicture) -> list[str]:
    return media.missing_renditions(
        app.config["MEDIA"], picture.digest, picture.extension, picture.width
    )


def original_path(app: Flask, picture: media.StoredPicture) -> Path:
    return Path(app.config["MEDIA"] / "originals" / f"{picture.digest}.{picture.extension}")


def test_the_worker_builds_the_index_and_keeps_it_up_to_date(
    app: Flask, idle_worker: Worker, story: Callable[..., int]
) -> None:
    first = story(headline="Baobab")
    assert idle_worker.run_once()
    assert search_ids(app, "baobab") == [first]
    while idle_worker.run_once():  # related stories follow
        pass
    second = story(headline="Acacia")
    assert idle_worker.run_once()
    assert search_ids(app, "acacia") == [second]
    while idle_worker.run_once():
        pass
    assert outbox.edition() == queries.consumer_offset(related.CONSUMER)


def schedule(article_id: int, at: datetime) -> None:
    with db.write() as session:
        change = update(Article).where(Article.id == article_id)
        session.execute(change.values(status="scheduled", published_at=at))


def test_only_stories_that_are_due_are_published(
    app: Flask, idle_worker: Worker, editor: User
) -> None:
    now = datetime.now(UTC)
    due, later = (
        publishing.create(publishing.Draft(headline=name, body="Text.", section="politics"), editor)
        for name in ("Harmattan", "Monsoon")
    )
    for article_id, at in ((due, now - timedelta(seconds=1)), (later, now + timedelta(hours=1))):
        schedule(article_id, at)
    idle_worker.publish_due()
    idle_worker.publish_due()
    idle_worker.run_once()
    assert set(queries.published_versions()) == {due}
    assert search_ids(app, "harmattan") == [due]
    assert search_ids(app, "monsoon") == []


def test_a_story_that_cannot_be_published_is_tried_once_a_minute(
    idle_worker: Worker, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    stuck, later = (publishing.create(make_draft(headline=name), editor) for name in ("A", "B"))
    schedule(stuck, now - timedelta(seconds=1))
    attempts: list[datetime] = []
    monkeypatch.setattr(publishing, "publish_due", lambda: attempts.append(now) or 0)
    assert idle_worker.publish_due() > now + timedelta(seconds=50)  # type: ignore[operator]
    assert idle_worker.publish_due() > now + timedelta(seconds=50)  # type: ignore[operator]
    assert len(attempts) == 1
    schedule(later, now + timedelta(seconds=10))
    assert idle_worker.publish_due() == now + timedelta(seconds=10)
    schedule(later, datetime.now(UTC))
    idle_worker.publish_due()
    assert len(attempts) == 2, "a story that is due now does not wait"
    idle_worker.next_publication_retry_at = 0.0
    idle_worker.publish_due()
    assert len(attempts) == 3


def test_due_stories_are_published_during_a_long_rebuild(
    app: Flask, idle_worker: Worker, signals: None, editor: User, story: Callable[..., int]
) -> None:
    due, published = publishing.create(make_draft(), editor), []
    schedule(due, datetime.now(UTC) + timedelta(seconds=0.3))

    def rebuild() -> bool:
        until = time.monotonic() + 5
        while time.monotonic() < until and not published:
            time.sleep(0.05)
            if due in queries.published_versions():
                published.append(due)
            db.session.rollback()
        idle_worker.stop()
        return False

    idle_worker.run_once = rebuild  # type: ignore[method-assign]
    idle_worker.run()
    assert published == [due]


def test_copies_are_refreshed_during_a_long_rebuild(
    idle_worker: Worker, signals: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    refreshed = threading.Event()
    idle_worker.proxy_cache.is_enabled = True
    monkeypatch.setattr(idle_worker.proxy_cache, "catch_up", lambda: bool(refreshed.set()))
    waits: list[bool] = []

    def rebuild() -> bool:
        waits.append(refreshed.wait(5))
        idle_worker.stop()
        return False

    idle_worker.run_once = rebuild  # type: ignore[method-assign]
    idle_worker.run()
    assert waits == [True]


@pytest.mark.parametrize("method", ["publish_due", "run_refresher"])
def test_an_error_of_a_thread_ends_the_worker(
    idle_worker: Worker, signals: None, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    def fail() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(idle_worker, method, fail)
    with pytest.raises(OSError, match="No space"):
        idle_worker.run()


def test_a_busy_database_ends_neither_a_round_nor_the_clock(
    idle_worker: Worker, signals: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An import of thousands of stories may keep others from writing for some seconds."""
    calls: list[str] = []

    def wait(name: str) -> None:
        calls.append(name)
        if calls.count(name) == 1:
            raise LockedError

    monkeypatch.setattr(worker, "CLOCK_SECONDS", 0.01)
    monkeypatch.setattr(idle_worker, "publish_due", lambda: wait("clock"))
    monkeypatch.setattr(indexing, "catch_up", lambda *_: False)
    monkeypatch.setattr(idle_worker.related, "catch_up", lambda _index: wait("related"))
    assert not idle_worker.run_once() and calls == ["related"]

    def wait_for_the_clock() -> bool:
        until = time.monotonic() + 5
        while calls.count("clock") < 2 and time.monotonic() < until:
            time.sleep(0.01)
        idle_worker.stop()
        return False

    idle_worker.run_once = wait_for_the_clock  # type: ignore[method-assign]
    idle_worker.run()
    assert calls.count("clock") == 2


def test_an_error_of_the_public_index_ends_the_worker(
    idle_worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_index: object) -> bool:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(indexing, "catch_up", fail)
    with pytest.raises(OSError, match="No space"):
        idle_worker.run_once()


def test_an_error_of_the_newsroom_index_ends_the_worker(
    app: Flask, idle_worker: Worker, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    while idle_worker.run_once():
        pass
    publishing.create(make_draft(), editor)
    newsroom = indexing.open_newsroom_index(app.config["DATA_DIR"])
    monkeypatch.setattr(newsroom, "apply", lambda *_args, **_more: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        idle_worker.run_once()


class LockedError(Exception):
    """The error of SQLite while another connection writes."""

    sqlite_errorcode = 5


STEPS = (
    (indexing, "catch_up"),
    (related.RelatedConsumer, "catch_up"),
    (RenditionConsumer, "catch_up"),
    (publishing, "apply_time_zone"),
    (accounts, "delete_expired"),
    (autosaves, "prune"),
    (presence, "prune"),
    (preview_links, "prune"),
    (search_log, "aggregate"),
    (Worker, "run_nightly"),
    (outbox, "oldest_seq"),
    (RenditionConsumer, "delete_unfinished"),
    (RenditionConsumer, "repair"),
)


@pytest.mark.parametrize("failing", STEPS, ids=lambda step: f"{step[0].__name__}.{step[1]}")
def test_a_step_that_fails_keeps_no_other_from_running(
    idle_worker: Worker,
    story: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    failing: tuple[Any, str],
) -> None:
    story()
    calls: set[tuple[Any, str]] = set()

    def replace_step(step: tuple[Any, str]) -> None:
        def run_step(*_: object, **_more: object) -> int:
            calls.add(step)
            if step == failing:
                raise ValueError("one bad row")
            return 0

        monkeypatch.setattr(*step, run_step)

    for step in STEPS:
        replace_step(step)
    monkeypatch.setattr(worker, "NIGHTLY_HOUR", datetime.now(UTC).hour)
    monkeypatch.setattr(queries, "consumer_offset", lambda _name: 1)
    monkeypatch.setattr(indexing.open_public_index(idle_worker.data_dir), "offset", lambda: 1)
    with pytest.raises(ValueError, match="one bad row"):
        idle_worker.run_once()
    assert calls == set(STEPS)


def test_a_round_that_fails_at_once_leaves_time_for_the_clock(
    idle_worker: Worker, signals: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[str] = []

    class SlowWatcher(worker.ChangeWatcher):
        """A watcher that keeps the clock until the round has failed."""

        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            while threading.current_thread().name == "clock" and not idle_worker.is_stopping:
                time.sleep(0.01)

    def fail(name: str) -> None:
        runs.append(name)
        raise ValueError(name)

    monkeypatch.setattr(worker, "ChangeWatcher", SlowWatcher)
    monkeypatch.setattr(idle_worker, "publish_due", lambda: fail("clock"))
    monkeypatch.setattr(idle_worker, "run_once", lambda: fail("round"))
    with pytest.raises(ValueError, match=r"clock|round"):
        idle_worker.run()
    assert runs == ["round", "clock"]


def test_a_clock_that_fails_at_once_leaves_time_for_a_round(
    idle_worker: Worker, signals: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds: list[bool] = []
    monkeypatch.setattr(idle_worker, "run_clock", idle_worker.stop)
    monkeypatch.setattr(idle_worker, "run_once", lambda: rounds.append(True))
    idle_worker.run()
    assert rounds == [True]


def test_both_indexes_are_repaired_every_night(
    app: Flask,
    idle_worker: Worker,
    editor: User,
    story: Callable[..., int],
    caplog: pytest.LogCaptureFixture,
) -> None:
    story(), publishing.create(make_draft(), editor)
    while idle_worker.run_once():
        pass
    indexes = [index for index, _ in indexing.open_indexes(app.config["DATA_DIR"])]
    versions = [index.versions() for index in indexes]
    for index in indexes:
        index.apply(dict.fromkeys(index.versions()), index.offset() or 0)
    idle_worker.run_nightly(date(2026, 11, 23))
    assert [index.versions() for index in indexes] == versions and all(versions)
    assert caplog.text.count("repaired 1 stories") == 2
    public_index = indexes[0]
    public_index.apply(dict.fromkeys(versions[0]), public_index.offset() or 0)
    idle_worker.run_nightly(date(2026, 11, 23))
    Worker(app).run_nightly(date(2026, 11, 23))
    assert public_index.versions() == {}, "indexes are repaired once a night"


def test_listings_are_repaired_every_night(
    idle_worker: Worker, story: Callable[..., int], caplog: pytest.LogCaptureFixture
) -> None:
    story(topics=("One",))
    idle_worker.run_nightly(date(2026, 11, 23))
    assert "lists and counts" not in caplog.text
    with db.write() as session:
        session.execute(delete(ListingRow))
    idle_worker.run_nightly(date(2026, 11, 24))
    assert caplog.text.count("lists and counts") == 1
    assert publishing.are_listings_correct(db.session())


def test_maintenance_prunes_indexed_outbox_rows_except_the_newest(
    idle_worker: Worker, story: Callable[..., int]
) -> None:
    for number in range(3):
        story(headline=f"Story {number}")
    edition = outbox.edition()
    while idle_worker.run_once():
        pass
    idle_worker.run_maintenance()
    assert (outbox.oldest_seq(), outbox.edition()) == (edition, edition)


def test_maintenance_keeps_outbox_rows_that_are_not_indexed(
    idle_worker: Worker, story: Callable[..., int]
) -> None:
    story()
    idle_worker.run_once()
    behind = outbox.edition()
    story(headline="Another")
    idle_worker.run_maintenance()
    assert outbox.oldest_seq() == behind
    assert outbox.edition() > behind


def test_maintenance_runs_again_only_when_it_is_due(
    idle_worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_finished: list[bool] = [False, True, True]
    monkeypatch.setattr(idle_worker, "run_maintenance", lambda: is_finished.pop(0))
    monkeypatch.setattr(worker, "REPAIR_BUDGET_SECONDS", 0.0)
    for _ in range(5):
        idle_worker.run_once()
    assert is_finished == [True], "the third run is not yet due"


def test_missing_renditions_are_made_again(
    app: Flask, idle_worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "REPAIR_BUDGET_SECONDS", 60.0)
    stored = store_without_renditions(app, 10)
    assert missing_renditions(app, stored)
    assert idle_worker.run_maintenance()
    assert not missing_renditions(app, stored)


def test_missing_or_damaged_originals_are_reported_once(
    app: Flask,
    idle_worker: Worker,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "REPAIR_BUDGET_SECONDS", 60.0)
    missing, damaged, good = (store_without_renditions(app, shade) for shade in (10, 20, 30))
    original_path(app, missing).unlink()
    original_path(app, damaged).write_bytes(b"\xff\xd8\xff not a picture")
    for _ in range(3):
        assert idle_worker.run_maintenance()
    assert missing_renditions(app, missing) and missing_renditions(app, damaged)
    assert not missing_renditions(app, good)
    assert (
        len([message for message in caplog.messages if "cannot restore its renditions" in message])
        == 2
    )


def test_renditions_are_made_once_the_disk_is_no_longer_full(
    app: Flask,
    idle_worker: Worker,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(worker, "REPAIR_BUDGET_SECONDS", 60.0)
    pictures = [store_without_renditions(app, shade) for shade in (10, 20)]
    with monkeypatch.context() as patch:
        patch.setattr(media, "make_renditions", fail_with_full_disk)
        assert idle_worker.run_maintenance()
    assert len(caplog.messages) == 1
    assert idle_worker.run_maintenance()
    assert not [name for stored in pictures for name in missing_renditions(app, stored)]


def test_a_picture_that_always_fails_is_tried_after_the_others(
    app: Flask, idle_worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "REPAIR_BUDGET_SECONDS", 60.0)
    first, second, good = (store_without_renditions(app, shade) for shade in (10, 20, 30))
    make = media.make_renditions

    def fail_twice(directory: Path, digest: str, *more: Any) -> int:
        if digest in {first.digest, second.digest}:
            raise media.PictureResourceError("out of memory")
        return make(directory, digest, *more)

    monkeypatch.setattr(media, "make_renditions", fail_twice)
    for _ in range(3):
        idle_worker.run_maintenance()
    assert not missing_renditions(app, good)
    assert len(idle_worker.renditions.failures) == 2


def test_renditions_that_cannot_be_removed_do_not_end_the_worker(
    app: Flask, idle_worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_without_renditions(app, 10)
    with db.write() as session:
        session.execute(update(Picture).values(was_public=True))
    monkeypatch.setattr(media, "remove_renditions", fail_with_full_disk)
    assert idle_worker.run_maintenance()
    assert idle_worker.error is None and len(idle_worker.renditions.failures) == 1


def fail_with_full_disk(*_: object) -> int:
    raise OSError(28, "No space left on device")


def test_making_many_renditions_is_interrupted_for_indexing(
    app: Flask, idle_worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = [store_without_renditions(app, shade) for shade in (10, 20)]
    monkeypatch.setattr(worker, "REPAIR_BUDGET_SECONDS", 0.0)
    monkeypatch.setattr(time, "monotonic", iter(range(1000)).__next__)
    assert not idle_worker.run_maintenance()
    monkeypatch.undo()
    monkeypatch.setattr(worker, "REPAIR_BUDGET_SECONDS", 60.0)
    assert idle_worker.run_maintenance()
    assert not [name for stored in pictures for name in missing_renditions(app, stored)]


def test_unfinished_picture_files_older_than_an_hour_are_deleted(
    app: Flask, idle_worker: Worker
) -> None:
    stored = store_without_renditions(app, 10)
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
    idle_worker.run_maintenance()
    assert not [path for path in old if path.exists()]
    assert fresh.exists()
    assert original_path(app, stored).exists()


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
