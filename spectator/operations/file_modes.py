"""Who may read the files of an installation: its own account alone, but for the renditions that a web server sends."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from spectator.config import SECRET_FILE
from spectator.db import database_file

PRIVATE_FILE, PRIVATE_DIRECTORY = 0o600, 0o700
TRAVERSABLE_DIRECTORY = 0o711  # others may pass to what they may read below it, and list nothing
PUBLIC_DIRECTORY = 0o755


def expected_modes(settings: Mapping[str, Any]) -> Iterator[tuple[Path, int]]:
    """Yield the files and directories that exist, each with the mode that it should have."""
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
    """Yield what others may read or change although they should not, or cannot reach although they should."""
    for path, mode in expected_modes(settings):
        actual = stat.S_IMODE(path.stat().st_mode)
        is_too_open = actual & 0o077 & ~mode
        is_too_closed = mode & 0o001 and not actual & 0o001
        if is_too_open or is_too_closed:
            yield path, mode


def wrong_owners(settings: Mapping[str, Any]) -> Iterator[Path]:
    """Yield what belongs to another user than the data directory: a command was run as the wrong one."""
    owner = settings["DATA_DIR"].stat().st_uid
    for path, _ in expected_modes(settings):
        if path.stat().st_uid != owner:
            yield path


def apply_modes(settings: Mapping[str, Any]) -> None:
    """Give every file of ours the mode that it should have; what belongs to others stays as it is."""
    for path, mode in wrong_modes(settings):
        if os.geteuid() in (0, path.stat().st_uid):
            path.chmod(mode)
