"""The limit of open files per process, and the search indexes' share of it."""

from __future__ import annotations

import resource
from collections.abc import Iterable, Iterator
from pathlib import Path

from spectator.i18n import gettext

MAX_SHARE = 0.5  # of the indexes; connections, the database and a rebuild need the rest


def problems(directories: Iterable[Path]) -> Iterator[str]:
    """Yield a sentence if the indexes have so many files that a process could run out."""
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    needed = sum(count_files(directory / "current") for directory in directories)
    if needed > MAX_SHARE * allowed:
        yield (
            gettext(
                "The search indexes have %(needed)s files and a process may open "
                "%(allowed)s. Run: spectator reindex; or raise the limit (LimitNOFILE in "
                "systemd, ulimit -n).",
                needed=needed,
                allowed=allowed,
            )
        )


def count_files(directory: Path) -> int:
    """Return the number of entries in a directory, or 0 if it is missing."""
    try:
        return sum(1 for _ in directory.iterdir())
    except OSError:
        return 0
