"""The background process: publishes due stories, runs the outbox consumers, does maintenance.

Due stories are published, and nginx's copies refreshed, by threads of their own, which never wait
for an index.

A file lock allows one worker at a time. gunicorn.conf.py starts and restarts it; `spectator worker`
runs it alone. On any error except a busy database it exits with code 1, and its parent starts a new
process, because Whoosh keeps its lock after a failed write. It stops when its parent is gone.
`KEEPER_PID` in the environment (the name that running gunicorns of older versions set) is the
parent's process id, in case the parent dies before the worker can read it.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread
from types import FrameType

from flask import Flask

from spectator import indexing, media, publishing, queries, related
from spectator.avif import AvifMaker
from spectator.change_watcher import ChangeWatcher
from spectator.db import NO_ANSWER, database_file, db, suppress_busy_errors
from spectator.db.clock import SharedClock, current_time
from spectator.hosts import leases
from spectator.hosts.membership import REPORT_SECONDS
from spectator.listing_consumer import ListingConsumer
from spectator.maintenance import REPAIR_BUDGET_SECONDS, Maintenance
from spectator.operations import site_lock
from spectator.proxy_cache import ProxyCacheRefresher
from spectator.renditions import RenditionConsumer
from spectator.search import Index

log = logging.getLogger(__name__)
POLL_SECONDS = 0.25  # between two looks at the clock
MAX_WAIT_SECONDS = 10.0  # A safety net for changes that the watcher cannot see.
MAINTENANCE_INTERVAL_SECONDS = 60.0
REPAIR_PAUSE_SECONDS = REPAIR_BUDGET_SECONDS  # rest as long as a round of repairs takes
# Requests to a bucket and resizing of large pictures may take longer. They are safely cut off when
# the process ends.
SLOW_THREADS, PICTURES_STOP_SECONDS = ("pictures", "avif"), 3.0
PUBLICATION_RETRY = timedelta(minutes=1)


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
        self.maintenance = Maintenance(app, self.attempt, self.proxy_cache, self.renditions)
        self.membership = self.maintenance.membership
        self.avif = AvifMaker(app.config["MEDIA"], lambda: self.membership.has(leases.LEADER))
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

        Every consumer and the publisher run at least once, so that a thread that fails right after
        every start does not stop the other threads' work.
        """
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)
        with site_lock.hold(self.data_dir, self.should_stop):
            if self.should_stop():
                return
            log.info("worker %s started", os.getpid())
            loops = {
                "publisher": self.run_publisher,
                "refresher": self.run_refresher,
                "pictures": self.run_pictures,
                "avif": self.run_avif,
            }
            if not database_file(self.app.config["DATABASE_URL"]):
                loops["membership"] = self.run_membership
            threads = [
                Thread(target=self.run_thread, args=(loop,), name=name, daemon=True)
                for name, loop in loops.items()
            ]
            for thread in threads:
                thread.start()
            try:
                self.run_consumers()
            finally:
                self.is_stopping = True
                for thread in threads:
                    thread.join(PICTURES_STOP_SECONDS if thread.name in SLOW_THREADS else None)
                with self.app.app_context():
                    self.membership.sign_off()
        if self.error is not None:
            raise self.error

    def run_thread(self, loop: Callable[[], None]) -> None:
        """Run a loop; an error ends the worker."""
        try:
            loop()
        except Exception as error:
            self.error, self.is_stopping = error, True

    def run_consumers(self) -> None:
        """Run maintenance and all consumers but the one that refreshes nginx's copies."""
        indexes = [
            directory / "current" for directory in indexing.index_directories(self.data_dir)
        ]
        self.run_rounds(self.run_once, lambda: self.next_maintenance_at, indexes)

    def run_refresher(self) -> None:
        """Refresh nginx's copies: withdrawn pages must disappear from its cache soon."""
        if self.proxy_cache.is_enabled:
            self.run_rounds(self.proxy_cache.catch_up, self.proxy_cache.next_retry_at)

    def run_pictures(self) -> None:
        """Make and remove renditions in a bucket, which no index may wait for."""
        if self.renditions.directory is None:
            self.run_rounds(self.renditions.sync, lambda: self.renditions.next_repair_at)

    def run_avif(self) -> None:
        """Make AVIF renditions of older pictures, slowly."""
        if media.HAS_AVIF:
            self.run_rounds(self.avif.make_next, lambda: self.avif.next_at)

    def run_membership(self) -> None:
        """Report to the other hosts every few seconds, whatever the other threads are doing."""
        next_report_at = 0.0
        while not self.should_stop():
            if time.monotonic() >= next_report_at:
                # After a pause (a suspended machine) the connection is closed.
                with self.app.app_context(), suppress_busy_errors(NO_ANSWER):
                    self.membership.report()
                next_report_at = time.monotonic() + REPORT_SECONDS
            time.sleep(POLL_SECONDS)

    def run_rounds(
        self,
        run_round: Callable[[], bool],
        next_run_at: Callable[[], float],
        indexes: Sequence[Path] = (),
    ) -> None:
        """Run round after round, and sleep while nothing changes and nothing is due."""
        url = self.app.config["DATABASE_URL"]
        watcher = ChangeWatcher(url, indexes, reuses_recent_state=not indexes)
        is_running = True
        while is_running:
            # Read before the round, so that changes during it end the following sleep.
            state = watcher.current_state()
            with self.app.app_context():
                has_progressed = run_round()
            if not has_progressed:
                deadline = min(time.monotonic() + MAX_WAIT_SECONDS, next_run_at())
                watcher.wait_for_change(state, deadline, self.should_stop)
            is_running = not self.should_stop()
        watcher.close()

    def run_publisher(self) -> None:
        """Publish stories as soon as they are due; after an error the next worker tries again.

        The wall clock is read in every iteration, so that a clock that jumps is noticed at once;
        with PostgreSQL the server's, since hosts may disagree.
        The database is queried only when it has changed or a story is due.
        """
        watcher = ChangeWatcher(self.app.config["DATABASE_URL"], reuses_recent_state=True)
        clock = SharedClock(watcher.connection)
        last_state, due, is_running = None, None, True
        while is_running:
            state = watcher.current_state()
            is_due = due is not None and due <= clock.now()
            if state is None or state != last_state or is_due:
                with self.app.app_context(), suppress_busy_errors():
                    due, last_state = self.publish_due(), state
            time.sleep(POLL_SECONDS)
            is_running = not self.should_stop()
        watcher.close()

    def publish_due(self) -> datetime | None:
        """Publish the stories that are due; return when to call this again, None for never.

        Stories that cannot be published are tried again a minute later.
        """
        now = current_time()
        is_waiting = time.monotonic() < self.next_publication_retry_at
        due = queries.next_due_at(after=self.publication_tried_at if is_waiting else None)
        if due is None or due > now:
            return due or (now + PUBLICATION_RETRY if is_waiting else None)
        if count := publishing.publish_due():
            log.info("published %s scheduled stories", count)
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
        public_index = indexing.open_public_index(self.data_dir)
        newsroom_index = indexing.open_newsroom_index(self.data_dir)
        has_progressed = self.attempt(self.listings.catch_up)
        has_progressed |= (
            self.attempt(lambda: indexing.catch_up(public_index))
            or self.attempt(lambda: indexing.catch_up(newsroom_index, indexing.NEWSROOM))
            or self.attempt(lambda: self.catch_up_related(public_index))
        )
        if self.renditions.directory:
            has_progressed |= self.attempt(self.renditions.catch_up)
        if time.monotonic() >= self.next_maintenance_at:
            is_done = self.run_maintenance()
            pause = MAINTENANCE_INTERVAL_SECONDS if is_done else REPAIR_PAUSE_SECONDS
            self.next_maintenance_at = time.monotonic() + pause
        if self.error is not None:
            raise self.error
        return has_progressed

    def catch_up_related(self, index: Index) -> bool:
        """Compute related articles if this host has the lease; return whether it has done so."""
        return self.membership.has(leases.LEADER) and self.related.catch_up(index)

    def attempt(self, step: Callable[[], object]) -> bool:
        """Return whether a step returned something true; an error is kept for the round's end."""
        try:
            with suppress_busy_errors():
                return bool(step())
        except Exception as error:
            log.exception("a step of the worker has failed")
            self.error = self.error or error
            db.session.rollback()
        return False

    def run_maintenance(self) -> bool:
        """Delete expired data and restore missing renditions; return whether all is done."""
        return self.maintenance.run()
