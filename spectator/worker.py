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

from spectator import accounts, drafting, indexing, media, outbox, publishing, queries, related, searchlog
from spectator.db import db
from spectator.search import IndexUnavailable

log = logging.getLogger(__name__)
POLL_SECONDS = 0.1
TIDY_SECONDS = 60.0
MENDING_SECONDS = 1.0  # for one go at lost renditions, and for the pause before the next
UNFINISHED_SECONDS = 3600.0
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
        self.rotten: set[str] = set()
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
            while not self.has_to_leave():
                with self.app.app_context():
                    has_moved = self.step()
                if not has_moved:
                    time.sleep(POLL_SECONDS)
            clock.join()
        if self.fault is not None:
            raise self.fault

    def watch_clock(self) -> None:
        """Publish what is due, as soon as it is; a fault ends the worker, and the next one tries again.

        It asks the wall clock anew each time: a clock that jumps is noticed at once, and what was published stays so.
        """
        try:
            while not self.has_to_leave():
                with self.app.app_context():
                    self.publish_due()
                time.sleep(POLL_SECONDS)
        except Exception as error:
            self.fault, self.is_stopping = error, True

    def publish_due(self) -> None:
        """Publish the stories whose time has come; the database says which, whoever else looks at the clock."""
        due = queries.next_due()
        if due is not None and due <= datetime.now(UTC):
            log.info("published %s scheduled stories", publishing.publish_due())

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
        has_moved = indexing.catch_up(index) or indexing.catch_up(newsroom, indexing.NEWSROOM) or related.follow(index)
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
        if position and outbox.oldest() < position:
            outbox.forget_through(position)
        forget_unfinished(self.app.config["MEDIA"])
        is_done = self.mend_pictures()
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

    def mend_pictures(self) -> bool:
        """Cut lost renditions, for a moment only: stories wait to be found; return whether none is left to cut.

        An original that is gone or damaged is told once and left alone until the worker starts anew; after any other
        fault of the disk the rest waits.
        """
        directory, until = self.app.config["MEDIA"], time.monotonic() + MENDING_SECONDS
        for picture in queries.pictures():
            known = picture.digest, picture.extension
            if picture.digest in self.rotten or not media.missing_renditions(directory, *known, picture.width):
                continue
            if time.monotonic() > until:
                return False
            try:
                media.cut_renditions(directory, *known)
            except (media.PictureRefused, FileNotFoundError) as error:
                self.rotten.add(picture.digest)
                log.error("picture %s has lost its renditions and cannot get them back: %s", picture.id, error)
            except OSError as error:
                log.error("renditions cannot be written: %s", error)
                return True
        return True


def open_privately(path: str, flags: int) -> int:
    """Open a file that only its owner may read, whatever the umask."""
    return os.open(path, flags, 0o600)


def forget_unfinished(directory: Path) -> None:
    """Delete pictures that a process was writing when it was killed, an hour ago or more."""
    for path in (*directory.glob("originals/.new-*"), *directory.glob("renditions/*/.new-*")):
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > UNFINISHED_SECONDS:
                path.unlink()
