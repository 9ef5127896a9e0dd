"""The backup that the worker makes every night, and whether the last one is too old."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from spectator.operations import backup, file_modes
from spectator.operations.database_dump import DumpError

log = logging.getLogger(__name__)
PATTERN = "spectator-[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9].backup"
MAX_AGE = timedelta(hours=36)


def is_missing(settings: Mapping[str, Any], day: date) -> bool:
    """Return whether backups are asked for and there is none of this day."""
    directory: Path | None = settings["BACKUP_TO"]
    return directory is not None and not _path(directory, day).exists()


def make(settings: Mapping[str, Any], day: date) -> None:
    """Make the backup of a day and delete the oldest beyond `BACKUP_KEEP`; log what fails."""
    directory: Path = settings["BACKUP_TO"]
    try:
        directory.mkdir(mode=file_modes.PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        for unfinished in directory.glob(PATTERN + backup.UNFINISHED_SUFFIX):
            unfinished.unlink()  # of a process that was killed
        manifest = backup.make(settings, _path(directory, day))
        log.info("%s stories are in %s", manifest.stories, _path(directory, day))
        for path in sorted(directory.glob(PATTERN))[: -settings["BACKUP_KEEP"]]:
            path.unlink()
    except (OSError, DumpError, backup.BackupError) as error:
        log.error("the nightly backup failed: %s", error)


def newest(settings: Mapping[str, Any]) -> datetime | None:
    """Return when the newest backup was made, None if there is none."""
    paths = sorted((settings["BACKUP_TO"] or Path("/nonexistent")).glob(PATTERN))
    return datetime.fromtimestamp(paths[-1].stat().st_mtime, UTC) if paths else None


def find_problem(settings: Mapping[str, Any]) -> str | None:
    """Return a sentence if backups are asked for and the last one is too old."""
    if settings["BACKUP_TO"] is None:
        return None
    made_at = newest(settings)
    if made_at is not None and datetime.now(UTC) - made_at < MAX_AGE:
        return None
    last = f"is of {made_at:%Y-%m-%d %H:%M} UTC" if made_at else "is missing"
    return f"The last backup in {settings['BACKUP_TO']} {last}. Check the worker's log."


def _path(directory: Path, day: date) -> Path:
    return directory / f"spectator-{day}.backup"
