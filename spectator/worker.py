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

from spectator import accounts, drafting, indexing, outbox, publishing, queries, related, searchlog
from spectator.change_watch import ChangeWatch, Mark
from spectator.db import db
from spectator.db import path as database_path
from spectator.front_copies import FrontCopies
from spectator.renditions import Renditions
from spectator.search import IndexUnavailable

log = logging.getLogger(__name__)
POLL_SECONDS, CLOCK_SECONDS = 0.1, 0.25
LONGEST_REST_SECONDS = 10.0  # a net: whatever the watch cannot see is looked at this often
TIDY_SECONDS = 60.0
MENDING_SECONDS = 1.0  # for one go at lost renditions, and for the pause before the next
QUIET_HOUR = 3  # in the newsroom's time zone


class Worker:
    """The loop; `stop()` or the death of its parent ends it after the step in hand."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.data_dir: Path = app.config["DATA_DIR"]
        self.parent = int(os.environ.get("KEEPER_PID") or os.getppid())
        self.is_stopping = False
        self.fault: Exception | None = None
        self.tidies_at = 0.0
        self.renditions = Renditions(app.config["MEDIA"])
        self.front_copies = FrontCopies(self.data_dir, app.config["FRONT_URL"], app.config["SITE_URL"])
        self.last_night: date | None = None

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """End the loop soon; fit to be a signal handler."""
        self.is_stopping = True

    def has_to_leave(self) -> bool:
        """Say whether somebody ended the loop, or the parent is gone (watched by pid; signals follow threads)."""
        return self.is_stopping or os.getppid() != self.parent

    def run(self) -> None:
        """Run until told to leave; raises what a step raises."""
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)
        with self.lock():
            log.info("worker %s follows the outbox", os.getpid())
            clock = Thread(target=self.watch_clock, name="clock", daemon=True)
            clock.start()
            self.follow()
            clock.join()
        if self.fault is not None:
            raise self.fault

    def follow(self) -> None:
        """Take step after step, and rest while there is nothing to do."""
        with self.app.app_context():
            indexes = [directory / "current" for directory in indexing.directories(self.data_dir)]
            watch = ChangeWatch(database_path(), indexes)
        while not self.has_to_leave():
            mark = watch.mark()  # before the step: what changes meanwhile ends the rest after it
            with self.app.app_context():
                has_moved = self.step()
            if not has_moved:
                self.rest(watch, mark)
        watch.close()

    def rest(self, watch: ChangeWatch, mark: Mark | None) -> None:
        """Wait until something has changed since a mark, or it is time to look anyway."""
        until = min(time.monotonic() + LONGEST_REST_SECONDS, self.tidies_at, self.front_copies.retry_moment())
        time.sleep(POLL_SECONDS)
        while not self.has_to_leave() and time.monotonic() < until and mark is not None and watch.mark() == mark:
            time.sleep(POLL_SECONDS)

    def watch_clock(self) -> None:
        """Publish what is due, as soon as it is; a fault ends the worker, and the next one tries again.

        It asks the wall clock anew each time: a clock that jumps is noticed at once, and what was published stays so.
        The database is asked for the next moment only when it has changed.
        """
        try:
            with self.app.app_context():
                watch = ChangeWatch(database_path())
            seen, due = None, None
            while not self.has_to_leave():
                mark = watch.mark()
                if mark is None or mark != seen or (due is not None and due <= datetime.now(UTC)):
                    with self.app.app_context():
                        due = self.publish_due()
                    seen = mark
                time.sleep(CLOCK_SECONDS)
            watch.close()
        except Exception as error:
            self.fault, self.is_stopping = error, True

    def publish_due(self) -> datetime | None:
        """Publish the stories whose time has come; return the moment of the first that was scheduled before that.

        The database says which they are, whoever else looks at the clock.
        """
        due = queries.next_due()
        if due is not None and due <= datetime.now(UTC):
            log.info("published %s scheduled stories", publishing.publish_due())
        return due

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the one worker's place; wait for it while another worker lives."""
        with open(self.data_dir / "worker.lock", "wb", opener=open_privately) as file:
            while not self.has_to_leave():
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    time.sleep(POLL_SECONDS)
            yield

    def step(self) -> bool:
        """Let the followers catch up, and tidy; return whether one moved, so that there may be more to do at once."""
        index, newsroom = indexing.index_in(self.data_dir), indexing.newsroom_index_in(self.data_dir)
        has_moved = self.front_copies.follow()  # first: what was withdrawn must not come back
        has_moved |= indexing.catch_up(index) or indexing.catch_up(newsroom, indexing.NEWSROOM) or related.follow(index)
        has_moved = self.renditions.follow() or has_moved
        if time.monotonic() >= self.tidies_at:
            self.tidies_at = time.monotonic() + (TIDY_SECONDS if self.tidy() else MENDING_SECONDS)
        return has_moved

    def tidy(self) -> bool:
        """Forget what nobody needs any more, and bring back lost renditions; return whether all of it is done."""
        if publishing.follow_time_zone():
            log.warning("lists and counts of stories are made anew for the time zone %s", self.app.config["TIMEZONE"])
        accounts.forget_expired()
        drafting.forget_old()
        searchlog.fold(self.data_dir)
        index = indexing.index_in(self.data_dir)
        here = datetime.now(ZoneInfo(self.app.config["TIMEZONE"]))
        if here.hour == QUIET_HOUR:
            self.spend_the_night(here.date())
        position = min(index.position() or 0, queries.follower_position(related.POSITION) or 0)
        position = min(position, self.front_copies.needs_after(position))
        if position and outbox.oldest() < position:
            outbox.forget_through(position)
        self.renditions.forget_unfinished()
        is_done = self.renditions.repair(MENDING_SECONDS)
        db.session.rollback()
        return is_done

    def spend_the_night(self, day: date) -> None:
        """Once a night: gather scattered indexes, compare them with the database, work out related stories anew."""
        if self.last_night == day:
            return
        self.last_night = day
        for index, source in indexing.indexes_in(self.data_dir):
            indexing.gather(index, source)
            with suppress(IndexUnavailable):  # the next step rebuilds it
                wrong, needless = indexing.mend(index, source)
                if wrong or needless:
                    log.warning("%s: mended %s stories, dropped %s", source.directory, len(wrong), len(needless))
        if publishing.mend_lists():
            log.warning("lists and counts of stories were not true and are made anew")
        related.start_pass(day)


def open_privately(path: str, flags: int) -> int:
    """Open a file that only its owner may read, whatever the umask."""
    return os.open(path, flags, 0o600)
