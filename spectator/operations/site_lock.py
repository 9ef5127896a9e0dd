"""Whether the site runs: its worker holds a lock for as long as it does.

The file holds the process id that a reload signals: that of gunicorn's master, if it started the
worker.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from spectator.i18n import gettext
from spectator.operations.durable_files import open_private
from spectator.operations.setup import NotReadyError

LOCK_FILE, POLL_SECONDS = "worker.lock", 0.1


@contextmanager
def hold(data: Path, should_stop: Callable[[], bool]) -> Iterator[None]:
    """Hold the lock; wait while another process has it, unless this one should stop."""
    handle = _open(data)
    try:
        while not should_stop():
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.ftruncate(handle, 0)
                os.pwrite(handle, f"{os.environ.get('KEEPER_PID') or os.getpid()}\n".encode(), 0)
                break
            except BlockingIOError:
                time.sleep(POLL_SECONDS)
        yield
    finally:
        os.close(handle)


@contextmanager
def require_stopped_site(data: Path) -> Iterator[None]:
    """Keep the worker from starting. Raises NotReadyError if it runs."""
    handle = _open(data)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise NotReadyError(
                gettext("The site is running. Stop it first, then try again.")
            ) from error
        yield
    finally:
        os.close(handle)


def is_site_running(data: Path) -> bool:
    """Return whether the site runs on this host."""
    try:
        with require_stopped_site(data):
            return False
    except NotReadyError:
        return True


def _open(data: Path) -> int:
    return open_private(str(data / LOCK_FILE), os.O_RDWR | os.O_CREAT)
