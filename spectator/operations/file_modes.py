"""File modes of an installation: private, except renditions, which a web server may send."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from spectator.config import SECRET_FILE
from spectator.db import database_file

PRIVATE_FILE, PRIVATE_DIRECTORY = 0o600, 0o700
TRAVERSABLE_DIRECTORY = 0o711  # other users may open known paths below it, not list it
PUBLIC_DIRECTORY = 0o755


class FileMode(NamedTuple):
    """The correct and the actual mode of a file or directory, and the user id of its owner."""

    path: Path
    correct: int
    actual: int
    owner: int

    @property
    def is_too_open(self) -> bool:
        """Whether other users can read or change what they should not."""
        return bool(self.actual & 0o077 & ~self.correct)

    @property
    def is_too_closed(self) -> bool:
        """Whether other users cannot reach what a web server may send."""
        return bool(self.correct & ~self.actual & 0o001)


def existing_modes(settings: Mapping[str, Any]) -> Iterator[FileMode]:
    """Yield the modes of every existing file and directory.

    Each is looked at once, because SQLite deletes its files when the last process closes them.
    """
    data: Path = settings["DATA_DIR"]
    media: Path | str = settings["MEDIA"]
    database = database_file(settings["DATABASE_URL"])
    private_files = [data / SECRET_FILE, data / "worker.lock", *data.glob("searches.*")]
    if database:
        suffixes = ("", "-wal", "-shm", "-journal")
        private_files += [database.with_name(database.name + suffix) for suffix in suffixes]
    private_directories = [data / "index", data / "index-newsroom"]
    expected = [(data, TRAVERSABLE_DIRECTORY)]
    if isinstance(media, Path):
        private_directories.append(media / "originals")
        expected.append((media, TRAVERSABLE_DIRECTORY))
        expected.append((media / "renditions", PUBLIC_DIRECTORY))
    expected += [
        *((path, PRIVATE_FILE) for path in private_files),
        *((path, PRIVATE_DIRECTORY) for path in private_directories),
    ]
    for path, mode in expected:
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        yield FileMode(path, mode, stat.S_IMODE(status.st_mode), status.st_uid)


def wrong_modes(settings: Mapping[str, Any]) -> Iterator[FileMode]:
    """Yield the modes of files to which other users have too much or too little access."""
    return (mode for mode in existing_modes(settings) if mode.is_too_open or mode.is_too_closed)


def wrong_owners(settings: Mapping[str, Any]) -> Iterator[FileMode]:
    """Yield files not owned by the data directory's owner (a command ran as another user)."""
    owner = settings["DATA_DIR"].stat().st_uid
    return (mode for mode in existing_modes(settings) if mode.owner != owner)


def apply_modes(settings: Mapping[str, Any]) -> None:
    """Correct the mode of every file that this user owns; root corrects all.

    Links are not followed: the site's user could let root change any file.
    """
    for mode in wrong_modes(settings):
        if os.geteuid() in (0, mode.owner) and not mode.path.is_symlink():
            with suppress(FileNotFoundError):
                mode.path.chmod(mode.correct)
