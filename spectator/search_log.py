"""The log of reader searches: one line per search in a bounded file, counted into a table.

Readers' requests therefore never write to the database, and on a full disk only the line is lost,
not the page. A line holds the query, the number of hits, the milliseconds it took and the day in
UTC; nothing about who searched.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.orm import Session

from spectator import missing_pages
from spectator.db import db
from spectator.db.clock import current_time
from spectator.db.functions import insert
from spectator.hosts import registry
from spectator.i18n import gettext
from spectator.models import SearchCount

log = logging.getLogger(__name__)
LOG_NAMES = ("searches", "missing")  # the second is that of `missing_pages`
MAX_TEXT_LENGTH = 200
MAX_LOG_BYTES = 1_000_000  # of uncounted lines; beyond this, searches are not logged
MAX_ROWS = 50_000
RETENTION_DAYS = 180
MAX_VALUE = 1_000_000_000  # hits or milliseconds; a line with more is corrupt
MAX_DELAY_SECONDS = 600


@dataclass(slots=True)
class SearchTally:
    """The searches for one text on one day: how many, the last one's hits, their total time."""

    times: int = 0
    hits: int = 0
    milliseconds: int = 0


def log_search(data_dir: Path, text: str, hits: int, seconds: float) -> None:
    """Append a search to the log; never raises, because the reader's page matters more."""
    query = " ".join(text[:MAX_TEXT_LENGTH].split())
    entry = {
        "q": query,
        "hits": hits,
        "ms": round(seconds * 1000),
        "day": datetime.now(UTC).date().isoformat(),
    }
    line = json.dumps(entry).encode() + b"\n"
    # One short write in append mode: lines of several processes never mix.
    with contextlib.suppress(OSError):
        file = os.open(data_dir / "searches.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            if query and os.fstat(file).st_size < MAX_LOG_BYTES:
                os.write(file, line)
        finally:
            os.close(file)


def aggregate(data_dir: Path) -> None:
    """Add logged searches to the table and delete old rows; called only by the worker.

    The file is first renamed to `searches.<number>.folding` and counted at the next call: by then,
    every process that had it open has written its line. The number in its name is stored in this
    host's row together with its counts, so that each line is counted once even after a crash. Disk
    errors are logged, and the next call tries again.
    """
    try:
        _aggregate_files(data_dir)
    except OSError as error:
        log.error("cannot count searches, will try again: %s", error)


def find_problem(data_dir: Path) -> str:
    """Return a sentence that says why searches are not being counted, or ""."""
    with contextlib.suppress(OSError):
        for path in data_dir.glob("searches.*.folding"):
            if time.time() - path.stat().st_ctime > MAX_DELAY_SECONDS:
                return gettext(
                    "Searches were not counted for ten minutes or more. Check the worker's log."
                )
        if (data_dir / "searches.log").stat().st_size >= MAX_LOG_BYTES:
            return gettext(
                "The search log is full; new searches are lost. "
                "Start the worker or check its log."
            )
    return ""


def _aggregate_files(data_dir: Path) -> None:
    host = registry.find_own_host()
    last = host.last_counted_log if host else 0
    paths = [path for name in LOG_NAMES for path in data_dir.glob(f"{name}.*.folding")]
    for number in sorted({_file_number(path) for path in paths}):
        if number > last:
            last = number
            searches, missing = (data_dir / f"{name}.{number}.folding" for name in LOG_NAMES)
            counts = _read_counts(searches) if searches.exists() else {}
            _store(counts, missing_pages.read_counts(missing), last)
        for path in paths:
            if _file_number(path) == number:
                path.unlink()
    for name in LOG_NAMES:
        with contextlib.suppress(FileNotFoundError):
            os.rename(data_dir / f"{name}.log", data_dir / f"{name}.{last + 1}.folding")


def _file_number(path: Path) -> int:
    middle = path.name.split(".")[1]
    return int(middle) if middle.isascii() and middle.isdecimal() else 0


def _read_counts(path: Path) -> dict[tuple[date, str], SearchTally]:
    """Return the searches of a file by day and case-folded text; unreadable lines are skipped."""
    counts: dict[tuple[date, str], SearchTally] = {}
    for day, text, hits, milliseconds in _read_entries(path):
        tally = counts.setdefault((day, text.casefold()[:MAX_TEXT_LENGTH]), SearchTally())
        tally.times += 1
        tally.hits = hits
        tally.milliseconds += milliseconds
    return counts


def _read_entries(path: Path) -> Iterator[tuple[date, str, int, int]]:
    for line in path.read_bytes().splitlines():
        try:
            entry = json.loads(line)
            text, hits, milliseconds = entry["q"], int(entry["hits"]), int(entry["ms"])
            text.encode()  # A lone surrogate cannot be stored.
            if not 0 <= hits + milliseconds <= MAX_VALUE:
                raise ValueError
            yield date.fromisoformat(entry["day"]), text, hits, milliseconds
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
            log.warning("skipped an unreadable line of the search log")


def _store(
    counts: dict[tuple[date, str], SearchTally], missing: missing_pages.Counts, number: int
) -> None:
    rows = [
        {
            "day": day,
            "text": text,
            "times": tally.times,
            "hits": tally.hits,
            "milliseconds": tally.milliseconds,
        }
        for (day, text), tally in counts.items()
    ]
    statement = insert(SearchCount)
    updates = {
        "times": SearchCount.times + statement.excluded.times,
        "hits": statement.excluded.hits,
        "milliseconds": SearchCount.milliseconds + statement.excluded.milliseconds,
    }
    with db.write() as session:
        if rows:
            session.execute(
                statement.on_conflict_do_update(index_elements=["day", "text"], set_=updates),
                rows,
            )
        missing_pages.store(session, missing)
        registry.own_host(session).last_counted_log = number
        _prune(session, current_time().date() - timedelta(days=RETENTION_DAYS))


def _prune(session: Session, before: date) -> None:
    """Delete rows from before a day and, beyond MAX_ROWS, the rarest and oldest."""
    session.execute(delete(SearchCount).where(SearchCount.day < before))
    surplus = (session.scalar(select(func.count()).select_from(SearchCount)) or 0) - MAX_ROWS
    if surplus > 0:
        key = tuple_(SearchCount.day, SearchCount.text)
        rarest = (
            select(SearchCount.day, SearchCount.text)
            .order_by(SearchCount.times, SearchCount.day)
            .limit(surplus)
        )
        session.execute(delete(SearchCount).where(key.in_(rarest)))
