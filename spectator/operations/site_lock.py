"""Whether the site runs: its worker holds a lock for as long as it does."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spectator.operations.setup import NotReadyError

LOCK_FILE = "worker.lock"


@contextmanager
def require_stopped_site(data: Path) -> Iterator[None]:
    """Keep the worker from starting. Raises NotReadyError if it runs."""
    handle = os.open(data / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise NotReadyError("The site is running. Stop it first, then try again.") from error
    finally:
        os.close(handle)
