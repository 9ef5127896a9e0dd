"""Pictures named by an import: only regular files below one directory are opened."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import IO

from spectator.i18n import gettext
from spectator.importers.records import RecordError


def open_picture(path: str, directory: Path | None) -> IO[bytes]:
    """Open the picture of a record for reading; symbolic links may not leave `directory`.

    Raises RecordError for anything else: another directory, a device, a pipe, an invalid name, or
    any picture if `directory` is None.
    """
    if directory is None:
        raise RecordError(
            gettext("lead_image: name the directory of the pictures with --media DIR")
        )
    try:
        root = directory.resolve(strict=True)
        target = (root / path).resolve(strict=True)
        if not target.is_relative_to(root):
            raise RecordError(
                gettext(
                    "lead_image: %(path)s is not below %(directory)s. Move it there, or use "
                    "--media DIR",
                    path=repr(path[:200]),
                    directory=directory,
                )
            )
        # Without O_NONBLOCK, opening a pipe would wait for a writer.
        descriptor = os.open(target, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (OSError, ValueError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise RecordError(
            gettext(
                "lead_image: %(path)s cannot be read: %(reason)s",
                path=repr(path[:200]),
                reason=reason,
            )
        ) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise RecordError(gettext("lead_image: %(path)s is not a file", path=repr(path[:200])))
    return os.fdopen(descriptor, "rb")
