"""The loop beside the web processes: publish what is due, let followers catch up, tidy.

One at a time by file lock, started and restarted by gunicorn.conf.py, or alone as `spectator worker`. It leaves with
exit code 1 on any fault, so that whoever started it starts a fresh process: Whoosh keeps its lock after a failed write.
"""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from flask import Flask

from spectator import accounts, indexing, media, outbox, publishing, queries
from spectator.db import db

log = logging.getLogger(__name__)
POLL_SECONDS = 0.1
TIDY_SECONDS = 60.0


class Worker:
    """The loop; `stop()` or the death of its parent ends it after the step in hand."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.data_dir: Path = app.config["DATA_DIR"]
        self.parent = os.getppid()
        self.is_stopping = False
        self.tidied_at = 0.0

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
            while not self.has_to_leave():
                with self.app.app_context():
                    has_moved = self.step()
                if not has_moved:
                    time.sleep(POLL_SECONDS)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the one worker's place; wait for it while another worker lives."""
        with (self.data_dir / "worker.lock").open("w") as file:
            while not self.has_to_leave():
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    time.sleep(POLL_SECONDS)
            yield

    def step(self) -> bool:
        """Do what is due now; return whether the index moved, so that there may be more to do at once."""
        due = queries.next_due()
        if due is not None and due <= datetime.now(UTC):
            log.info("published %s scheduled stories", publishing.publish_due())
        has_moved = indexing.catch_up(indexing.index_in(self.data_dir))
        if time.monotonic() - self.tidied_at > TIDY_SECONDS:
            self.tidied_at = time.monotonic()
            self.tidy()
        return has_moved

    def tidy(self) -> None:
        """Forget what nobody needs any more, and bring back lost renditions."""
        accounts.forget_expired()
        position = indexing.index_in(self.data_dir).position()
        if position and outbox.oldest() < position:
            outbox.forget_through(position)
        for picture in queries.pictures():
            if media.missing_renditions(self.app.config["MEDIA"], picture.digest, picture.extension, picture.width):
                media.cut_renditions(self.app.config["MEDIA"], picture.digest, picture.extension)
        db.session.rollback()
