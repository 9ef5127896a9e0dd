"""How many files a process may open, and how many the search indexes need of that."""

from __future__ import annotations

import resource
from collections.abc import Iterable, Iterator
from pathlib import Path

MAX_SHARE = 0.5  # what the indexes may take; connections, the database and a rebuild need the rest


def problems(directories: Iterable[Path]) -> Iterator[str]:
    """Yield a sentence where indexes have so many files that a process could run out of handles."""
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    needed = sum(count_files(directory / "current") for directory in directories)
    if needed > MAX_SHARE * allowed:
        yield (
            f"The search indexes have {needed} files and a process may open {allowed}. Run: spectator reindex; "
            "or raise the limit (LimitNOFILE in systemd, ulimit -n)."
        )


def count_files(directory: Path) -> int:
    """Return how many files a directory has, 0 where there is none."""
    try:
        return sum(1 for _ in directory.iterdir())
    except OSError:
        return 0
