"""Private files (0600) that survive a power cut."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from spectator.operations.file_modes import PRIVATE_FILE


def open_private(path: str, flags: int) -> int:
    """Open a file with mode 0600, whatever the umask; an opener for `open`."""
    return os.open(path, flags, PRIVATE_FILE)


def write_durably(path: Path, content: bytes) -> None:
    """Write a private file atomically and durably, even across a power cut."""
    handle, temporary = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make the names of new, renamed and deleted files in a directory durable."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
