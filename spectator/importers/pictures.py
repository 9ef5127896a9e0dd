"""Pictures that an import names: regular files below one directory, and no other file of the machine."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import IO

from spectator.importers.records import RecordError


def open_picture(path: str, directory: Path | None) -> IO[bytes]:
    """Open the picture that a record names, to be read; links are followed as long as they stay below `directory`.

    Raises BadRecord for everything else: another directory, a device, a pipe, a name that cannot be one, and all
    pictures where there is no directory.
    """
    if directory is None:
        raise RecordError("lead_image: say where the pictures are with --media DIR")
    try:
        root = directory.resolve(strict=True)
        target = (root / path).resolve(strict=True)
        if not target.is_relative_to(root):
            raise RecordError(
                f"lead_image: {path[:200]!r} is not below {directory}; move it there, or use --media DIR"
            )
        # without O_NONBLOCK a pipe in the place of the file would wait for somebody who writes
        descriptor = os.open(target, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (OSError, ValueError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise RecordError(f"lead_image: {path[:200]!r} cannot be read: {reason}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise RecordError(f"lead_image: {path[:200]!r} is not a file")
    return os.fdopen(descriptor, "rb")
