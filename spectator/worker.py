"""The background process: publishes due stories, runs the outbox consumers, does maintenance.

Due stories are published, and nginx's copies refreshed, by threads of their own, which never wait
for an index.

A file lock allows one worker at a time. gunicorn.conf.py starts and restarts it; `spectator worker`
runs it alone. It exits with code 1 on any error, except while others keep the database busy, so
that its parent starts a new process: Whoosh keeps its lock after a failed write. It stops when its
parent is gone. `KEEPER_PID` in the environment is the parent's process id, in case the parent dies
before the worker can read it.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Thread
from types import FrameType
from zoneinfo import ZoneInfo

from flask import Flask

from spectator import (
    accounts,
    autosaves,
    indexing,
    outbox,
    presence,
    preview_links,
    publishing,
    queries,
    related,
    search_log,
)
from spectator.change_watcher import ChangeWatcher
from spectator.db import db, wait_while_busy
from spectator.listing_consumer import ListingConsumer
from spectator.operations import nightly_backup, site_lock
from spectator.operations.traffic import TrafficRecorder
from spectator.proxy_cache import ProxyCacheRefresher
from spectator.renditions import RenditionConsumer
from spectator.search import IndexUnavailableError

log = logging.getLogger(__name__)
CLOCK_SECONDS = 0.25
MAX_WAIT_SECONDS = 10.0  # A safety net for changes that the watcher cannot see.
MAINTENANCE_INTERVAL_SECONDS = 60.0
PUBLICATION_RETRY = timedelta(minutes=1)
REPAIR_BUDGET_SECONDS = 1.0  # for one round of restoring renditions, and the pause before the next
BACKUP_RETRY_SECONDS = 3600.0
NIGHTLY_HOUR = 3  # in the newsroom's time zone


class Worker:
    """The worker's loop; ends after the current round on `stop()` or when its parent dies."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.data_dir: Path = app.config["DATA_DIR"]
        self.parent = int(os.environ.get("KEEPER_PID") or os.getppid())
        self.is_stopping = False
        self.error: Exception | None = None
        self.next_maintenance_at = 0.0
        self.listings = ListingConsumer()
        self.related = related.RelatedConsumer()
        self.renditions = RenditionConsumer(app.config["MEDIA"])
        self.proxy_cache = ProxyCacheRefresher(
            self.data_dir, app.config["FRONT_URL"], app.config["SITE_URL"]
        )
        self.traffic = TrafficRecorder(self.data_dir)
        self.last_nightly_run = 0  # the day, as date.toordinal() counts
        self.backup_thread: Thread | None = None
        self.next_backup_at = 0.0
        self.publication_tried_at: datetime | None = None
        self.next_publication_retry_at = 0.0

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """Ask the loop to end; can be used as a signal handler."""
        self.is_stopping = True

    def should_stop(self) -> bool:
        """Return whether `stop()` was called or the parent process is gone."""
        return self.is_stopping or os.getppid() != self.parent

    def run(self) -> None:
        """Run until stopped; raises any error of a round.

        Every consumer and the clock run at least once, so that an error which ends each worker
        early does not keep the others from their work.
        """
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)
        with site_lock.hold(self.data_dir, self.should_stop):
            if self.should_stop():
                return
            log.info("worker %s started", os.getpid())
            threads = [
                Thread(target=self.run_thread, args=(loop,), name=name, daemon=True)
                for name, loop in (
                    ("clock", self.run_clock),
                    ("refresher", self.run_refresher),
                    ("pictures", self.run_pictures),
                )
            ]
            for thread in threads:
                thread.start()
            try:
                self.run_consumers()
            finally:
                self.is_stopping = True
                for thread in threads:
                    thread.join()
        if self.error is not None:
            raise self.error

    def run_thread(self, loop: Callable[[], None]) -> None:
        """Run a loop; an error ends the worker."""
        try:
            loop()
        except Exception as error:
            self.error, self.is_stopping = error, True

    def run_consumers(self) -> None:
        """Run the consumers, except the one of nginx's copies, and maintenance."""
        indexes = [directory / "current" for directory in indexing.index_directories(self.data_dir)]
        self.run_rounds(self.run_once, lambda: self.next_maintenance_at, indexes)

    def run_refresher(self) -> None:
        """Refresh nginx's copies: withdrawn pages must leave them soon."""
        if self.proxy_cache.is_enabled:
            self.run_rounds(self.proxy_cache.catch_up, self.proxy_cache.next_retry_at)

    def run_pictures(self) -> None:
        """Make and remove renditions in a bucket, which no index may wait for."""
        if self.renditions.directory is None:
            self.run_rounds(self.renditions.sync, lambda: self.renditions.next_repair_at)

    def run_rounds(
        self,
        run_round: Callable[[], bool],
        next_due_at: Callable[[], float],
        indexes: Sequence[Path] = (),
    ) -> None:
        """Run round after round, and sleep while nothing changes and nothing is due."""
        url = self.app.config["DATABASE_URL"]
        watcher = ChangeWatcher(url, indexes, shares_queries=not indexes)
        is_running = True
        while is_running:
            # Read before the round, so that changes during it end the following sleep.
            state = watcher.current_state()
            with self.app.app_context():
                has_progressed = run_round()
            if not has_progressed:
                deadline = min(time.monotonic() + MAX_WAIT_SECONDS, next_due_at())
                watcher.wait_for_change(state, deadline, self.should_stop)
            is_running = not self.should_stop()
        watcher.close()

    def run_clock(self) -> None:
        """Publish stories as soon as they are due; after an error the next worker tries again.

        The wall clock is read in every iteration, so that a clock that jumps is noticed at once.
        The database is queried only when it has changed or a story is due.
        """
        watcher = ChangeWatcher(self.app.config["DATABASE_URL"], shares_queries=True)
        last_state, due, is_running = None, None, True
        while is_running:
            state = watcher.current_state()
            is_due = due is not None and due <= datetime.now(UTC)
            if state is None or state != last_state or is_due:
                with self.app.app_context(), wait_while_busy():
                    due, last_state = self.publish_due(), state
            time.sleep(CLOCK_SECONDS)
            is_running = not self.should_stop()
        watcher.close()

    def publish_due(self) -> datetime | None:
        """Publish the stories that are due; return when to call this again, None for never.

        Stories that cannot be published are tried again a minute later.
        """
        now = datetime.now(UTC)
        is_waiting = time.monotonic() < self.next_publication_retry_at
        due = queries.next_due_at(after=self.publication_tried_at if is_waiting else None)
        if due is None or due > now:
            return due or (now + PUBLICATION_RETRY if is_waiting else None)
        log.info("published %s scheduled stories", publishing.publish_due())
        remaining = queries.next_due_at()
        if remaining is None or remaining > now:
            return remaining
        self.publication_tried_at = now
        self.next_publication_retry_at = time.monotonic() + PUBLICATION_RETRY.total_seconds()
        retry, later = now + PUBLICATION_RETRY, queries.next_due_at(after=now)
        return min(retry, later) if later else retry

    def run_once(self) -> bool:
        """Run every consumer and due maintenance; return whether a consumer made progress.

        The first error is raised when all have run.
        """
        index, newsroom = (
            indexing.open_public_index(self.data_dir),
            indexing.open_newsroom_index(self.data_dir),
        )
        has_progressed = self.attempt(self.listings.catch_up)
        has_progressed |= (
            self.attempt(lambda: indexing.catch_up(index))
            or self.attempt(lambda: indexing.catch_up(newsroom, indexing.NEWSROOM))
            or self.attempt(lambda: self.related.catch_up(index))
        )
        if self.renditions.directory:
            has_progressed |= self.attempt(self.renditions.catch_up)
        if time.monotonic() >= self.next_maintenance_at:
            self.next_maintenance_at = time.monotonic() + (
                MAINTENANCE_INTERVAL_SECONDS if self.run_maintenance() else REPAIR_BUDGET_SECONDS
            )
        if self.error is not None:
            raise self.error
        return has_progressed

    def attempt(self, step: Callable[[], object]) -> bool:
        """Return whether a step returned something true; an error is kept for the round's end."""
        try:
            with wait_while_busy():
                return bool(step())
        except Exception as error:
            log.exception("a step of the worker has failed")
            self.error = self.error or error
            db.session.rollback()
        return False

    def run_maintenance(self) -> bool:
        """Delete expired data and restore missing renditions; return whether all is done."""
        for step in (
            self.apply_time_zone,
            accounts.delete_expired,
            autosaves.prune,
            presence.prune,
            preview_links.prune,
            lambda: search_log.aggregate(self.data_dir),
            self.traffic.record_if_due,
            self.run_nightly_if_due,
            self.start_backup_if_due,
            self.prune_outbox,
            self.renditions.delete_unfinished,
        ):
            self.attempt(step)
        is_done = self.renditions.directory is None or self.attempt(
            lambda: self.renditions.repair(REPAIR_BUDGET_SECONDS)
        )
        db.session.rollback()
        return is_done

    def apply_time_zone(self) -> None:
        """Rebuild story lists and counts after a change of the newsroom's time zone."""
        if publishing.apply_time_zone():
            log.warning(
                "rebuilt story lists and counts for the time zone %s",
                self.app.config["TIMEZONE"],
            )

    def prune_outbox(self) -> None:
        """Delete the rows that every consumer has processed."""
        index = indexing.open_public_index(self.data_dir)
        offset = min(index.offset() or 0, queries.consumer_offset(related.CONSUMER) or 0)
        offset = min(offset, self.proxy_cache.prunable_through(offset))
        if offset and outbox.oldest_seq() < offset:
            outbox.prune(offset)

    def run_nightly_if_due(self) -> None:
        """Run the nightly maintenance once in its hour."""
        local_time = datetime.now(ZoneInfo(self.app.config["TIMEZONE"]))
        if local_time.hour == NIGHTLY_HOUR:
            self.run_nightly(local_time.date())

    def start_backup_if_due(self) -> None:
        """Make the day's backup in a thread of its own; try again an hour after a failure."""
        local_time = datetime.now(ZoneInfo(self.app.config["TIMEZONE"]))
        is_running = self.backup_thread is not None and self.backup_thread.is_alive()
        if is_running or local_time.hour < NIGHTLY_HOUR or time.monotonic() < self.next_backup_at:
            return
        if nightly_backup.is_missing(self.app.config, local_time.date()):
            self.next_backup_at = time.monotonic() + BACKUP_RETRY_SECONDS
            arguments = (self.app.config, local_time.date())
            self.backup_thread = Thread(target=nightly_backup.make, args=arguments, daemon=True)
            self.backup_thread.start()

    def run_nightly(self, day: date) -> None:
        """Once a night, compact and repair the indexes and recompute all related articles."""
        # Also in the database: a worker that starts in this hour does not begin again.
        if day.toordinal() in (
            self.last_nightly_run,
            queries.consumer_offset(related.NIGHTLY_PASS),
        ):
            return
        self.last_nightly_run = day.toordinal()
        for index, source in indexing.open_indexes(self.data_dir):
            indexing.compact(index, source)
            with suppress(IndexUnavailableError):  # The next round rebuilds it.
                stale, orphaned = indexing.repair(index, source)
                if stale or orphaned:
                    log.warning(
                        "%s: repaired %s stories, dropped %s",
                        source.directory,
                        len(stale),
                        len(orphaned),
                    )
        if publishing.repair_listings():
            log.warning("rebuilt story lists and counts that did not match the stories")
        related.start_full_pass(day)
