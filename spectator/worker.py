"""The loop beside the web processes: publish what is due, let followers catch up, tidy.

What is due is published by a thread of its own: it must not wait for a rebuild of the index, which takes a minute.

One at a time by file lock, started and restarted by gunicorn.conf.py, or alone as `spectator worker`. It leaves with
exit code 1 on any fault, so that whoever started it starts a fresh process: Whoosh keeps its lock after a failed write.
`KEEPER_PID` in its environment is the parent that it leaves with; it could die before the worker can look.
"""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
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
    publishing,
    queries,
    related,
    search_log,
)
from spectator.change_watcher import ChangeWatcher, DatabaseState
from spectator.db import database_path as database_path
from spectator.db import db
from spectator.proxy_cache import ProxyCacheRefresher
from spectator.renditions import RenditionConsumer
from spectator.search import IndexUnavailableError

log = logging.getLogger(__name__)
POLL_SECONDS, CLOCK_SECONDS = 0.1, 0.25
MAX_WAIT_SECONDS = 10.0  # a net: whatever the watch cannot see is looked at this often
MAINTENANCE_INTERVAL_SECONDS = 60.0
REPAIR_BUDGET_SECONDS = 1.0  # for one go at lost renditions, and for the pause before the next
NIGHTLY_HOUR = 3  # in the newsroom's time zone


class Worker:
    """The loop; `stop()` or the death of its parent ends it after the step in hand."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.data_dir: Path = app.config["DATA_DIR"]
        self.parent = int(os.environ.get("KEEPER_PID") or os.getppid())
        self.is_stopping = False
        self.error: Exception | None = None
        self.next_maintenance_at = 0.0
        self.renditions = RenditionConsumer(app.config["MEDIA"])
        self.front_copies = ProxyCacheRefresher(
            self.data_dir, app.config["FRONT_URL"], app.config["SITE_URL"]
        )
        self.last_nightly_run: date | None = None

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """End the loop soon; fit to be a signal handler."""
        self.is_stopping = True

    def should_stop(self) -> bool:
        """Say whether somebody ended the loop, or the parent is gone (watched by pid; signals follow threads)."""
        return self.is_stopping or os.getppid() != self.parent

    def run(self) -> None:
        """Run until told to leave; raises what a step raises."""
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)
        with self.hold_lock():
            log.info("worker %s follows the outbox", os.getpid())
            clock = Thread(target=self.run_clock, name="clock", daemon=True)
            clock.start()
            self.run_consumers()
            clock.join()
        if self.error is not None:
            raise self.error

    def run_consumers(self) -> None:
        """Take step after step, and rest while there is nothing to do."""
        with self.app.app_context():
            indexes = [
                directory / "current" for directory in indexing.index_directories(self.data_dir)
            ]
            watch = ChangeWatcher(database_path(), indexes)
        while not self.should_stop():
            mark = (
                watch.current_state()
            )  # before the step: what changes meanwhile ends the rest after it
            with self.app.app_context():
                has_moved = self.run_once()
            if not has_moved:
                self.wait_for_change(watch, mark)
        watch.close()

    def wait_for_change(self, watcher: ChangeWatcher, state: DatabaseState | None) -> None:
        """Wait until something has changed since a mark, or it is time to look anyway."""
        until = min(
            time.monotonic() + MAX_WAIT_SECONDS,
            self.next_maintenance_at,
            self.front_copies.next_retry_at(),
        )
        time.sleep(POLL_SECONDS)
        while (
            not self.should_stop()
            and time.monotonic() < until
            and state is not None
            and watcher.current_state() == state
        ):
            time.sleep(POLL_SECONDS)

    def run_clock(self) -> None:
        """Publish what is due, as soon as it is; a fault ends the worker, and the next one tries again.

        It asks the wall clock anew each time: a clock that jumps is noticed at once, and what was published stays so.
        The database is asked for the next moment only when it has changed.
        """
        try:
            with self.app.app_context():
                watch = ChangeWatcher(database_path())
            seen, due = None, None
            while not self.should_stop():
                mark = watch.current_state()
                if mark is None or mark != seen or (due is not None and due <= datetime.now(UTC)):
                    with self.app.app_context():
                        due = self.publish_due()
                    seen = mark
                time.sleep(CLOCK_SECONDS)
            watch.close()
        except Exception as error:
            self.error, self.is_stopping = error, True

    def publish_due(self) -> datetime | None:
        """Publish the stories whose time has come; return the moment of the first that was scheduled before that.

        The database says which they are, whoever else looks at the clock.
        """
        due = queries.next_due_at()
        if due is not None and due <= datetime.now(UTC):
            log.info("published %s scheduled stories", publishing.publish_due())
        return due

    @contextmanager
    def hold_lock(self) -> Iterator[None]:
        """Hold the one worker's place; wait for it while another worker lives."""
        with open(self.data_dir / "worker.lock", "wb", opener=open_private_file) as file:
            while not self.should_stop():
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    time.sleep(POLL_SECONDS)
            yield

    def run_once(self) -> bool:
        """Let the followers catch up, and tidy; return whether one moved, so that there may be more to do at once."""
        index, newsroom = (
            indexing.open_public_index(self.data_dir),
            indexing.open_newsroom_index(self.data_dir),
        )
        has_moved = self.front_copies.catch_up()  # first: what was withdrawn must not come back
        has_moved |= (
            indexing.catch_up(index)
            or indexing.catch_up(newsroom, indexing.NEWSROOM)
            or related.catch_up(index)
        )
        has_moved = self.renditions.catch_up() or has_moved
        if time.monotonic() >= self.next_maintenance_at:
            self.next_maintenance_at = time.monotonic() + (
                MAINTENANCE_INTERVAL_SECONDS if self.run_maintenance() else REPAIR_BUDGET_SECONDS
            )
        return has_moved

    def run_maintenance(self) -> bool:
        """Forget what nobody needs any more, and bring back lost renditions; return whether all of it is done."""
        if publishing.apply_time_zone():
            log.warning(
                "lists and counts of stories are made anew for the time zone %s",
                self.app.config["TIMEZONE"],
            )
        accounts.delete_expired()
        autosaves.prune()
        search_log.aggregate(self.data_dir)
        index = indexing.open_public_index(self.data_dir)
        here = datetime.now(ZoneInfo(self.app.config["TIMEZONE"]))
        if here.hour == NIGHTLY_HOUR:
            self.run_nightly(here.date())
        position = min(index.offset() or 0, queries.consumer_offset(related.CONSUMER) or 0)
        position = min(position, self.front_copies.prunable_through(position))
        if position and outbox.oldest_seq() < position:
            outbox.prune(position)
        self.renditions.delete_unfinished()
        is_done = self.renditions.repair(REPAIR_BUDGET_SECONDS)
        db.session.rollback()
        return is_done

    def run_nightly(self, day: date) -> None:
        """Once a night: gather scattered indexes, compare them with the database, work out related stories anew."""
        if self.last_nightly_run == day:
            return
        self.last_nightly_run = day
        for index, source in indexing.open_indexes(self.data_dir):
            indexing.compact(index, source)
            with suppress(IndexUnavailableError):  # the next step rebuilds it
                wrong, needless = indexing.repair(index, source)
                if wrong or needless:
                    log.warning(
                        "%s: mended %s stories, dropped %s",
                        source.directory,
                        len(wrong),
                        len(needless),
                    )
        if publishing.repair_listings():
            log.warning("lists and counts of stories were not true and are made anew")
        related.start_full_pass(day)


def open_private_file(path: str, flags: int) -> int:
    """Open a file that only its owner may read, whatever the umask."""
    return os.open(path, flags, 0o600)
