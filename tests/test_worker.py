"""The worker: what one round does, publication on time, and which errors stop the worker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, update

from spectator import (
    accounts,
    autosaves,
    indexing,
    maintenance,
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
from spectator.maintenance import Maintenance
from spectator.models import Article, ListingRow, User
from spectator.renditions import RenditionConsumer
from spectator.search import SearchRequest
from spectator.worker import Worker
from tests.conftest import make_draft


def search_ids(app: Flask, word: str) -> list[int]:
    """Return the ids of the stories that match a word."""
    return indexing.open_public_index(app.config["DATA_DIR"]).find(SearchRequest(word)).ids


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
    assert outbox.newest_number() == queries.consumer_offset(related.CONSUMER)


def schedule(article_id: int, at: datetime) -> None:
    with db.write() as session:
        change = update(Article).where(Article.id == article_id)
        session.execute(change.values(status="scheduled", published_at=at))


def test_only_stories_that_are_due_are_published(
    app: Flask, idle_worker: Worker, editor: User, caplog: pytest.LogCaptureFixture
) -> None:
    now = datetime.now(UTC)
    due, later = (
        publishing.create(
            publishing.Draft(headline=name, body="Text.", section="politics"), editor
        )
        for name in ("Harmattan", "Monsoon")
    )
    for article_id, at in ((due, now - timedelta(seconds=1)), (later, now + timedelta(hours=1))):
        schedule(article_id, at)
    caplog.set_level("INFO")
    for _ in range(2):
        assert idle_worker.publish_due() == now + timedelta(hours=1), "when to look again"
    assert caplog.text.count("published 1 scheduled stories") == 1
    idle_worker.run_once()
    assert set(queries.published_versions()) == {due}
    assert search_ids(app, "harmattan") == [due]
    assert search_ids(app, "monsoon") == []


def test_a_story_that_cannot_be_published_is_tried_once_a_minute(
    idle_worker: Worker,
    editor: User,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = datetime.now(UTC)
    stuck, later = (publishing.create(make_draft(headline=name), editor) for name in ("A", "B"))
    schedule(stuck, now - timedelta(seconds=1))
    caplog.set_level("INFO")
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
    assert "scheduled stories" not in caplog.text, "none has been published"


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


def test_nginx_copies_are_refreshed_during_a_long_rebuild(
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


def test_a_round_and_the_publisher_thread_survive_a_busy_database(
    idle_worker: Worker, signals: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An import of thousands of stories may keep others from writing for some seconds."""
    calls: list[str] = []

    def fail_once(name: str) -> None:
        calls.append(name)
        if calls.count(name) == 1:
            raise LockedError

    monkeypatch.setattr(worker, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(idle_worker, "publish_due", lambda: fail_once("publisher"))
    monkeypatch.setattr(indexing, "catch_up", lambda *_: False)
    monkeypatch.setattr(idle_worker.related, "catch_up", lambda _index: fail_once("related"))
    assert not idle_worker.run_once() and calls == ["related"]

    def wait_for_the_publisher() -> bool:
        until = time.monotonic() + 5
        while calls.count("publisher") < 2 and time.monotonic() < until:
            time.sleep(0.01)
        idle_worker.stop()
        return False

    idle_worker.run_once = wait_for_the_publisher  # type: ignore[method-assign]
    idle_worker.run()
    assert calls.count("publisher") == 2


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
    (Maintenance, "run_nightly"),
    (outbox, "oldest_number"),
    (RenditionConsumer, "delete_unfinished"),
    (RenditionConsumer, "repair"),
)


@pytest.mark.parametrize("failing", STEPS, ids=lambda step: f"{step[0].__name__}.{step[1]}")
def test_the_other_steps_run_after_one_fails(
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
    monkeypatch.setattr(maintenance, "NIGHTLY_HOUR", datetime.now(UTC).hour)
    monkeypatch.setattr(queries, "consumer_offset", lambda _name: 1)
    monkeypatch.setattr(indexing.open_public_index(idle_worker.data_dir), "offset", lambda: 1)
    with pytest.raises(ValueError, match="one bad row"):
        idle_worker.run_once()
    assert calls == set(STEPS)


def test_stories_are_published_even_if_the_first_round_fails(
    idle_worker: Worker, signals: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[str] = []

    class SlowWatcher(worker.ChangeWatcher):
        """A watcher that delays the publisher thread until the round has failed."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            while threading.current_thread().name == "publisher" and not idle_worker.is_stopping:
                time.sleep(0.01)

    def fail(name: str) -> None:
        runs.append(name)
        raise ValueError(name)

    monkeypatch.setattr(worker, "ChangeWatcher", SlowWatcher)
    monkeypatch.setattr(idle_worker, "publish_due", lambda: fail("publisher"))
    monkeypatch.setattr(idle_worker, "run_once", lambda: fail("round"))
    with pytest.raises(ValueError, match=r"publisher|round"):
        idle_worker.run()
    assert runs == ["round", "publisher"]


def test_a_round_is_run_even_if_the_publisher_thread_ends_at_once(
    idle_worker: Worker, signals: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds: list[bool] = []
    monkeypatch.setattr(idle_worker, "run_publisher", idle_worker.stop)
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
    idle_worker.maintenance.run_nightly(date(2026, 11, 23))
    assert [index.versions() for index in indexes] == versions and all(versions)
    assert caplog.text.count("repaired 1 stories") == 2
    public_index = indexes[0]
    public_index.apply(dict.fromkeys(versions[0]), public_index.offset() or 0)
    idle_worker.maintenance.run_nightly(date(2026, 11, 23))
    Worker(app).maintenance.run_nightly(date(2026, 11, 23))
    assert public_index.versions() == {}, "indexes are repaired once a night"


def test_listings_are_repaired_every_night(
    idle_worker: Worker, story: Callable[..., int], caplog: pytest.LogCaptureFixture
) -> None:
    story(topics=("One",))
    idle_worker.maintenance.run_nightly(date(2026, 11, 23))
    assert "lists and counts" not in caplog.text
    with db.write() as session:
        session.execute(delete(ListingRow))
    idle_worker.maintenance.run_nightly(date(2026, 11, 24))
    assert caplog.text.count("lists and counts") == 1
    assert publishing.are_listings_correct(db.session())


def test_maintenance_prunes_indexed_outbox_rows_except_the_newest(
    idle_worker: Worker, story: Callable[..., int]
) -> None:
    for number in range(3):
        story(headline=f"Story {number}")
    newest = outbox.newest_number()
    while idle_worker.run_once():
        pass
    idle_worker.run_maintenance()
    assert (outbox.oldest_number(), outbox.newest_number()) == (newest, newest)


def test_maintenance_keeps_outbox_rows_that_are_not_indexed(
    idle_worker: Worker, story: Callable[..., int]
) -> None:
    story()
    idle_worker.run_once()
    indexed_number = outbox.newest_number()
    story(headline="Another")
    idle_worker.run_maintenance()
    assert outbox.oldest_number() == indexed_number
    assert outbox.newest_number() > indexed_number


def test_maintenance_runs_again_only_when_it_is_due(
    idle_worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = [False, True, True]
    monkeypatch.setattr(idle_worker, "run_maintenance", lambda: results.pop(0))
    monkeypatch.setattr(worker, "REPAIR_PAUSE_SECONDS", 0.0)
    for _ in range(5):
        idle_worker.run_once()
    assert results == [True], "the third run is not yet due"
