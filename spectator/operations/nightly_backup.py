"""The backup that the worker makes every night, and whether the last one is too old."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from spectator.i18n import lazy_gettext
from spectator.object_storage import COPYING, READING, Patience, StoreError, open_store
from spectator.operations import backup, file_modes
from spectator.operations.database_dump import DumpError

log = logging.getLogger(__name__)
PATTERN = "spectator-[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9].backup"
_NAME = re.compile(r"spectator-\d{4}-\d\d-\d\d\.backup", re.ASCII)
MAX_AGE = timedelta(hours=36)
# Backups that this process has seen in a bucket, so that the worker asks only once a day.
_stored: set[backup.Destination] = set()


def is_missing(settings: Mapping[str, Any], day: date) -> bool:
    """Return whether backups are asked for and there is none of this day, as far as known.

    A bucket is not asked: `make` does so, and logs why a directory cannot be read.
    """
    if settings["BACKUP_TO"] is None:
        return False
    target = _place(settings["BACKUP_TO"], day)
    try:
        return not (target.exists() if isinstance(target, Path) else target in _stored)
    except OSError:
        return True


def make(settings: Mapping[str, Any], day: date) -> None:
    """Make the backup of a day and delete the oldest beyond `BACKUP_KEEP`; log what fails.

    Backups of later days were made while the clock was wrong, or it is wrong now: they stay.
    """
    directory: backup.Destination = settings["BACKUP_TO"]
    try:
        if isinstance(directory, Path):
            directory.mkdir(mode=file_modes.PRIVATE_DIRECTORY, parents=True, exist_ok=True)
            for unfinished in directory.glob(PATTERN + backup.UNFINISHED_SUFFIX):
                unfinished.unlink()  # of a process that was killed
        target = _place(directory, day)
        if isinstance(target, Path) or target.rpartition("/")[2] not in _backups(
            directory, COPYING
        ):
            manifest = backup.make(settings, target)
            log.info("%s stories are in %s", manifest.stories, target)
        _stored.add(target)
        names = sorted(_backups(directory, COPYING))
        todays = str(target).rpartition("/")[2]
        for name in [name for name in names if name <= todays][: -settings["BACKUP_KEEP"]]:
            _delete(directory, name)
    except (OSError, DumpError, StoreError, backup.BackupError) as error:
        log.error("the nightly backup failed: %s", error)
    except Exception:  # the thread has no caller who could log it
        log.exception("the nightly backup failed")


def newest(settings: Mapping[str, Any]) -> datetime | None:
    """Return when the newest backup was made, if there is one. Raises StoreError and OSError."""
    if settings["BACKUP_TO"] is None:
        return None
    return max(_backups(settings["BACKUP_TO"], READING).values(), default=None)


def find_problem(settings: Mapping[str, Any]) -> str | None:
    """Return a sentence if backups are asked for and the last one is too old."""
    problem = read_state(settings)[1]
    return None if problem is None else str(problem)


def read_state(settings: Mapping[str, Any]) -> tuple[datetime | None, str | None]:
    """Return when the newest backup was made, and a lazy sentence if that is a problem."""
    try:
        made_at = newest(settings)
    except (OSError, StoreError) as error:
        return None, lazy_gettext("The backups cannot be listed: %(error)s", error=error)
    return made_at, _age_problem(settings, made_at)


def _age_problem(settings: Mapping[str, Any], made_at: datetime | None) -> str | None:
    if settings["BACKUP_TO"] is None:
        return None
    if made_at is not None and datetime.now(UTC) - made_at < MAX_AGE:
        return None
    target = settings["BACKUP_TO"]
    if made_at is None:
        return lazy_gettext(
            "The last backup in %(target)s is missing. Check the worker's log.", target=target
        )
    return lazy_gettext(
        "The last backup in %(target)s is of %(time)s UTC. Check the worker's log.",
        target=target,
        time=made_at.strftime("%Y-%m-%d %H:%M"),
    )


def _place(directory: backup.Destination, day: date) -> backup.Destination:
    name = f"spectator-{day}.backup"
    return directory / name if isinstance(directory, Path) else f"{directory}/{name}"


def _backups(directory: backup.Destination, patience: Patience) -> dict[str, datetime]:
    """Return when each nightly backup was made, by name. Raises StoreError and OSError."""
    if isinstance(directory, Path):
        made_at = {}
        for path in directory.glob(PATTERN):
            with suppress(FileNotFoundError):  # The worker deletes old ones.
                made_at[path.name] = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        return made_at
    listing = open_store(directory, patience).listing()
    return {entry.name: entry.changed_at for entry in listing if _NAME.fullmatch(entry.name)}


def _delete(directory: backup.Destination, name: str) -> None:
    if isinstance(directory, Path):
        (directory / name).unlink()
    else:
        open_store(directory, COPYING).delete(name)
