"""File modes of an installation: private, except renditions, which a web server may send."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from spectator.config import SECRET_FILE
from spectator.db import database_file

PRIVATE_FILE, PRIVATE_DIRECTORY = 0o600, 0o700
TRAVERSABLE_DIRECTORY = 0o711  # others may open known paths below it, but not list it
PUBLIC_DIRECTORY = 0o755


def expected_modes(settings: Mapping[str, Any]) -> Iterator[tuple[Path, int]]:
    """Yield (path, correct mode) of every existing file and directory."""
    data: Path = settings["DATA_DIR"]
    media: Path = settings["MEDIA"]
    database = Path(database_file(settings["DATABASE_URL"]))
    private_files = [data / SECRET_FILE, data / "worker.lock", *data.glob("searches.*")]
    private_files += [
        database.with_name(database.name + suffix) for suffix in ("", "-wal", "-shm", "-journal")
    ]
    private_directories = [data / "index", data / "index-newsroom", media / "originals"]
    expected = [
        (data, TRAVERSABLE_DIRECTORY),
        (media, TRAVERSABLE_DIRECTORY),
        (media / "renditions", PUBLIC_DIRECTORY),
        *((path, PRIVATE_FILE) for path in private_files),
        *((path, PRIVATE_DIRECTORY) for path in private_directories),
    ]
    yield from ((path, mode) for path, mode in expected if path.exists())


def wrong_modes(settings: Mapping[str, Any]) -> Iterator[tuple[Path, int]]:
    """Yield (path, correct mode) where others have too much or too little access."""
    for path, mode in expected_modes(settings):
        actual = stat.S_IMODE(path.stat().st_mode)
        is_too_open = actual & 0o077 & ~mode
        is_too_closed = mode & 0o001 and not actual & 0o001
        if is_too_open or is_too_closed:
            yield path, mode


def wrong_owners(settings: Mapping[str, Any]) -> Iterator[Path]:
    """Yield paths not owned by the data directory's owner (a command ran as another user)."""
    owner = settings["DATA_DIR"].stat().st_uid
    for path, _ in expected_modes(settings):
        if path.stat().st_uid != owner:
            yield path


def apply_modes(settings: Mapping[str, Any]) -> None:
    """Correct the mode of every file that this user owns; root corrects all."""
    for path, mode in wrong_modes(settings):
        if os.geteuid() in (0, path.stat().st_uid):
            path.chmod(mode)
