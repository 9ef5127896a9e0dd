"""What readers search for: a line a search in a file of bounded size, which the worker folds into a table.

A reader's page so never writes to the database, and a full disk loses the line, not the page. A line holds the text,
the number of stories found, the milliseconds it took and the day in UTC; no address, nothing of who asked.
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
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from spectator.db import db
from spectator.models import Consumer, SearchCount

log = logging.getLogger(__name__)
MAX_TEXT_LENGTH = 200
MAX_LOG_BYTES = 1_000_000  # of lines that wait to be folded; beyond it searches are not counted
MAX_ROWS = 50_000
RETENTION_DAYS = 180
MAX_VALUE = 1_000_000_000  # hits or milliseconds; more is a broken line
MAX_DELAY_SECONDS = 600
CONSUMER = "searches"  # the number of the last file that was folded


@dataclass(slots=True)
class SearchTally:
    """How often something was searched for on a day, what the last search found, and how long all of them took."""

    times: int = 0
    hits: int = 0
    milliseconds: int = 0


def log_search(data_dir: Path, text: str, hits: int, seconds: float) -> None:
    """Append a search to the log; never raises, since the page that was asked for matters more."""
    words = " ".join(text[:MAX_TEXT_LENGTH].split())
    entry = {
        "q": words,
        "hits": hits,
        "ms": round(seconds * 1000),
        "day": datetime.now(UTC).date().isoformat(),
    }
    line = json.dumps(entry).encode() + b"\n"
    # One write of a short line to a file that is open for appending: lines of several processes never mix.
    with contextlib.suppress(OSError):
        file = os.open(data_dir / "searches.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            if words and os.fstat(file).st_size < MAX_LOG_BYTES:
                os.write(file, line)
        finally:
            os.close(file)


def aggregate(data_dir: Path) -> None:
    """Count the searches in the log before the last time, and forget what is old; for the worker alone.

    The file is renamed first and counted the next time: a process that opened it before has then written its line. Its
    name carries a number, which is stored with its counts: after a crash at any moment each line is counted once. What
    the disk refuses is logged and tried again the next time: stories wait to be found meanwhile.
    """
    try:
        _aggregate_files(data_dir)
    except OSError as error:
        log.error("searches cannot be counted: %s", error)


def find_problem(data_dir: Path) -> str:
    """Return in a sentence why searches are not counted as they should be, "" where nothing is known against it."""
    with contextlib.suppress(OSError):
        for path in data_dir.glob("searches.*.folding"):
            if time.time() - path.stat().st_ctime > MAX_DELAY_SECONDS:
                return "Searches have waited ten minutes and more to be counted; look at the log of the worker."
        if (data_dir / "searches.log").stat().st_size >= MAX_LOG_BYTES:
            return "The log of searches is full, so that they are not counted; start the worker, or look at its log."
    return ""


def _aggregate_files(data_dir: Path) -> None:
    folded = db.session.get(Consumer, CONSUMER)
    last = folded.offset if folded else 0
    for path in sorted(data_dir.glob("searches.*.folding"), key=_file_number):
        if _file_number(path) > last:
            last = _file_number(path)
            _store(_read_counts(path), last)
        path.unlink()
    with contextlib.suppress(FileNotFoundError):
        os.rename(data_dir / "searches.log", data_dir / f"searches.{last + 1}.folding")


def _file_number(path: Path) -> int:
    middle = path.name.split(".")[1]
    return int(middle) if middle.isascii() and middle.isdecimal() else 0


def _read_counts(path: Path) -> dict[tuple[date, str], SearchTally]:
    """What a file holds, by day and text without case; a line that cannot be read is left out."""
    counts: dict[tuple[date, str], SearchTally] = {}
    for day, text, hits, milliseconds in _read_entries(path):
        count = counts.setdefault((day, text.casefold()[:MAX_TEXT_LENGTH]), SearchTally())
        count.times, count.hits, count.milliseconds = (
            count.times + 1,
            hits,
            count.milliseconds + milliseconds,
        )
    return counts


def _read_entries(path: Path) -> Iterator[tuple[date, str, int, int]]:
    for line in path.read_bytes().splitlines():
        try:
            entry = json.loads(line)
            text, hits, milliseconds = entry["q"], int(entry["hits"]), int(entry["ms"])
            text.encode()  # half of a character that is two in JSON would not go into the table
            if not 0 <= hits + milliseconds <= MAX_VALUE:
                raise ValueError
            yield date.fromisoformat(entry["day"]), text, hits, milliseconds
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
            log.warning("a line of the search log cannot be read")


def _store(counts: dict[tuple[date, str], SearchTally], number: int) -> None:
    rows = [
        {
            "day": day,
            "text": text,
            "times": each.times,
            "hits": each.hits,
            "milliseconds": each.milliseconds,
        }
        for (day, text), each in counts.items()
    ]
    new = insert(SearchCount)
    added = {
        "times": SearchCount.times + new.excluded.times,
        "hits": new.excluded.hits,
        "milliseconds": SearchCount.milliseconds + new.excluded.milliseconds,
    }
    with db.write() as session:
        if rows:
            session.execute(
                new.on_conflict_do_update(index_elements=["day", "text"], set_=added), rows
            )
        session.merge(Consumer(name=CONSUMER, offset=number))
        _prune(session, datetime.now(UTC).date() - timedelta(days=RETENTION_DAYS))


def _prune(session: Session, before: date) -> None:
    """Delete what is older than a day, and of too many rows the oldest and rarest."""
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
