"""The counts of paths that readers asked for and that have no page.

As with searches (`search_log`), a request only appends a line to a bounded file, and the worker
counts the lines into a table. Only paths that look like those of stories are logged, without
their query: no addresses of mail, long numbers, or tokens, and nothing about who asked.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import unicodedata
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.orm import Session

from spectator.db.functions import insert
from spectator.models import MissingPage
from spectator.old_addresses import normalize_path

LOG_NAME = "missing.log"
MAX_PATH_LENGTH, MAX_WORD_LENGTH = 200, 30
MAX_LOG_BYTES = 300_000
MAX_ROWS = 20_000
RETENTION_DAYS = 90
_PATH = re.compile(r"(?:/[^\W_][^/]*)+")
_LONG_NUMBER = re.compile(r"[0-9](?:[-_.]?[0-9]){8}")
_EXTENSION = re.compile(r"\.(?!(?:html?|xml|pdf|jpe?g|png|gif|webp|mp3)$)[a-z0-9]+$")
_OTHER_PATHS = re.compile("/(?:newsroom|static|media|fragments|wp-(?!content/uploads)|cgi-bin)")

Counts = Counter[tuple[date, str]]


def log_missing(data_dir: Path, raw_path: str) -> None:
    """Append a path to the log if it looks harmless; never raises."""
    path = normalize_path(raw_path[: 2 * MAX_PATH_LENGTH])
    if not is_harmless(path):
        return
    line = json.dumps({"path": path, "day": datetime.now(UTC).date().isoformat()}).encode()
    with contextlib.suppress(OSError):
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        file = os.open(data_dir / LOG_NAME, flags, 0o600)
        try:
            if os.fstat(file).st_size < MAX_LOG_BYTES:
                os.write(file, line + b"\n")
        finally:
            os.close(file)


def is_harmless(path: str) -> bool:
    """Return whether a path can be that of a story, and holds nothing personal."""
    return (
        len(path) <= MAX_PATH_LENGTH
        and _PATH.fullmatch(path) is not None
        and all(_is_plain(char) for char in path)
        and max(map(len, re.split("[-_./]", path))) <= MAX_WORD_LENGTH
        and not _LONG_NUMBER.search(path)
        and not _EXTENSION.search(path)
        and not _OTHER_PATHS.match(path)
    )


def _is_plain(char: str) -> bool:
    return char in "/-_." or char.isalnum() or unicodedata.category(char).startswith("M")


def read_counts(path: Path) -> Counts:
    """Return the paths of a log by day; unreadable lines are skipped."""
    counts: Counts = Counter()
    if not path.exists():
        return counts
    for line in path.read_bytes().splitlines():
        with contextlib.suppress(ValueError, TypeError, KeyError):
            entry = json.loads(line)
            if is_harmless(entry["path"]):
                counts[date.fromisoformat(entry["day"]), entry["path"]] += 1
    return counts


def store(session: Session, counts: Counts) -> None:
    """Add counts to the table, and delete rows that are old or beyond MAX_ROWS the rarest."""
    rows = [{"day": day, "path": path, "times": times} for (day, path), times in counts.items()]
    statement = insert(MissingPage)
    times = {"times": MissingPage.times + statement.excluded.times}
    if rows:
        statement = statement.on_conflict_do_update(index_elements=["day", "path"], set_=times)
        session.execute(statement, rows)
    before = datetime.now(UTC).date() - timedelta(days=RETENTION_DAYS)
    session.execute(delete(MissingPage).where(MissingPage.day < before))
    surplus = (session.scalar(select(func.count()).select_from(MissingPage)) or 0) - MAX_ROWS
    if surplus > 0:
        rarest = select(MissingPage.day, MissingPage.path)
        rarest = rarest.order_by(MissingPage.times, MissingPage.day).limit(surplus)
        key = tuple_(MissingPage.day, MissingPage.path)
        session.execute(delete(MissingPage).where(key.in_(rarest)))
