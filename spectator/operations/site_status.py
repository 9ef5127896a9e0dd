"""The state of a running site, in figures and in sentences.

`spectator doctor`, `/metrics`, the details of `/readyz` and the newsroom's status page all show
what this module computes. It never decides whether the site is ready.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from spectator import indexing, missing_pages, outbox, queries, related, search_log
from spectator.db import database_file, db
from spectator.formats import format_number, format_percentage
from spectator.i18n import current_language, gettext, lazy_gettext
from spectator.operations import nightly_backup

CACHE_SECONDS = 2.0
SLOW_CACHE_SECONDS = 300.0  # of what reads whole tables, or asks a bucket
# The worker publishes within a quarter of a second, or as soon as nobody else is writing.
MAX_PUBLICATION_DELAY = timedelta(seconds=10)
MAX_OVERDUE = 10  # stories to name
MAX_INDEX_LAG_SECONDS = 30
LOW_DISK_BYTES, LOW_DISK_SHARE = 500_000_000, 0.05
# Rows of the tables that the worker prunes; with more, something does not work as it should.
MAX_ROWS = {
    "autosave": 20_000,
    "known_client": 50_000,
    "login_attempt": 200_000,
    "missing_page": missing_pages.MAX_ROWS + 5_000,
    "outbox": 200_000,
    "presence": 10_000,
    "preview_link": 50_000,
    "search_count": search_log.MAX_ROWS + 10_000,
    "traffic_hour": 1_000,
    "user_session": 50_000,
}
# Tables that grow with the stories, for good.
STORY_TABLES = ("article", "revision", "redirect", "picture")
TABLES = (*STORY_TABLES, *MAX_ROWS)


@dataclass(frozen=True, slots=True)
class ConsumerState:
    """How far a consumer of changes is behind: rows, and the age in seconds of the first one."""

    name: str
    rows: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Disk:
    """A directory of the site, and the bytes of its disk."""

    name: str
    path: Path
    free: int
    total: int

    @property
    def is_low(self) -> bool:
        """Whether little space is left."""
        return self.free < LOW_DISK_BYTES or self.free < LOW_DISK_SHARE * self.total


@dataclass(frozen=True, slots=True)
class SiteStatus:
    """The state of the site at a time."""

    at: datetime
    consumers: tuple[ConsumerState, ...]
    overdue: tuple[tuple[int, datetime], ...]  # (story, due time), at most MAX_OVERDUE
    next_due_at: datetime | None
    in_review: int
    disks: tuple[Disk, ...]
    index_bytes: dict[str, int]
    last_backup_at: datetime | None
    table_rows: dict[str, int]
    uncounted_search_bytes: int
    warnings: dict[str, tuple[str, ...]]  # sentences by kind; each kind is always there


@dataclass(frozen=True, slots=True)
class SlowFacts:
    """Facts that take long to read: rows by table, the last backup and what is wrong with it.

    The sentence about the backup is translated when it is shown.
    """

    table_rows: dict[str, int]
    last_backup_at: datetime | None
    backup_problem: str | None


class _IndexSentences(NamedTuple):
    """What may be wrong with a search index."""

    missing: str
    late: str
    ahead: str


_PUBLIC_INDEX = _IndexSentences(
    lazy_gettext(
        "The search index is missing or damaged. The worker rebuilds it while the site runs; "
        "or run: spectator reindex"
    ),
    lazy_gettext(
        "The search index is %(seconds)s s behind. "
        "Start the worker: spectator run, or spectator worker"
    ),
    lazy_gettext(
        "The search index is ahead of the database. If it was restored, run: spectator reindex"
    ),
)
_NEWSROOM_INDEX = _IndexSentences(
    lazy_gettext(
        "The newsroom's search index is missing or damaged. "
        "The worker rebuilds it while the site runs; or run: spectator reindex"
    ),
    lazy_gettext(
        "The newsroom's search index is %(seconds)s s behind. "
        "Start the worker: spectator run, or spectator worker"
    ),
    lazy_gettext(
        "The newsroom's search index is ahead of the database. "
        "If it was restored, run: spectator reindex"
    ),
)


class StatusMonitor:
    """The status of the site, computed at most every two seconds; safe to use from any thread.

    Its sentences are in the language of whoever asks, so there is one status for each language.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.settings = settings
        self.lock = threading.Lock()
        self.statuses: dict[str, SiteStatus] = {}
        self.slow_facts: SlowFacts | None = None
        self.computed_at = self.slow_facts_at = float("-inf")

    def current(self) -> SiteStatus:
        """Return the status. Raises SQLAlchemyError if the database does not answer."""
        language = current_language()
        with self.lock:
            now = time.monotonic()
            if now - self.computed_at >= CACHE_SECONDS:
                if self.slow_facts is None or now - self.slow_facts_at >= SLOW_CACHE_SECONDS:
                    self.slow_facts, self.slow_facts_at = read_slow_facts(self.settings), now
                status = compute(self.settings, self.slow_facts)
                self.statuses, self.computed_at = {language: status}, now
            elif language not in self.statuses and self.slow_facts is not None:
                self.statuses[language] = compute(self.settings, self.slow_facts)
            return self.statuses[language]


def read(settings: Mapping[str, Any]) -> SiteStatus:
    """Return the present status of a site. Raises SQLAlchemyError if the database is silent."""
    return compute(settings, read_slow_facts(settings))


def read_slow_facts(settings: Mapping[str, Any]) -> SlowFacts:
    """Return the present slow facts."""
    return SlowFacts(queries.count_rows(TABLES), *nightly_backup.read_state(settings))


def compute(settings: Mapping[str, Any], slow_facts: SlowFacts) -> SiteStatus:
    """Return the status of a site, with slow facts that were read before."""
    data: Path = settings["DATA_DIR"]
    db.session.rollback()  # a long-lived session would see an old state
    now = datetime.now(UTC)
    late = queries.scheduled_before(now - MAX_PUBLICATION_DELAY, MAX_OVERDUE)
    overdue = tuple((article_id, due) for article_id, due in late if due is not None)
    disks = tuple(_disks(settings))
    public, newsroom = indexing.lag(data), indexing.lag(data, indexing.NEWSROOM)
    return SiteStatus(
        at=now,
        consumers=tuple(_consumers(public, newsroom)),
        overdue=overdue,
        next_due_at=queries.next_due_at(),
        in_review=queries.review_count(None),
        disks=disks,
        index_bytes=indexing.index_sizes(data),
        last_backup_at=slow_facts.last_backup_at,
        table_rows=slow_facts.table_rows,
        uncounted_search_bytes=_total_bytes(data.glob("searches.*")),
        warnings={
            "schedule": tuple(map(_overdue_sentence, overdue)),
            "index": (
                *_index_sentences(False, public),
                *_index_sentences(True, newsroom),
            ),
            "disk": tuple(_disk_sentences(disks)),
            "backup": tuple(map(str, filter(None, [slow_facts.backup_problem]))),
            "tables": tuple(_table_sentences(slow_facts.table_rows)),
        },
    )


def _consumers(public: indexing.Lag, newsroom: indexing.Lag) -> Iterator[ConsumerState]:
    offset = queries.consumer_offset(related.CONSUMER) or 0
    first = outbox.first_event_time_after(offset)
    seconds = (datetime.now(UTC) - first).total_seconds() if first else 0.0
    yield _state("search index", public.newest_number, public.offset, public.seconds)
    yield _state("newsroom index", newsroom.newest_number, newsroom.offset, newsroom.seconds)
    yield _state("related stories", public.newest_number, offset, round(seconds, 1))


def _state(name: str, newest: int, offset: int | None, seconds: float) -> ConsumerState:
    return ConsumerState(name, max(0, newest - (offset or 0)), max(0.0, seconds))


def _disks(settings: Mapping[str, Any]) -> Iterator[Disk]:
    """Yield each disk that holds something of the site, once."""
    database = database_file(settings["DATABASE_URL"])
    directories = {
        "data": settings["DATA_DIR"],
        "database": database.parent if database else None,
        "pictures": settings["MEDIA"],
        "backups": settings["BACKUP_TO"],
    }
    devices = set()
    for name, directory in directories.items():
        if not isinstance(directory, Path):
            continue
        try:
            device, usage = directory.stat().st_dev, shutil.disk_usage(directory)
        except OSError:  # It is missing, or its disk is: other checks report that.
            continue
        if device not in devices:
            devices.add(device)
            yield Disk(name, directory, usage.free, usage.total)


def _total_bytes(paths: Iterable[Path]) -> int:
    """Return the bytes of all files; those that vanish meanwhile count as 0."""
    size = 0
    for path in paths:
        with suppress(OSError):
            size += path.lstat().st_size
    return size


def _overdue_sentence(row: tuple[int, datetime]) -> str:
    article_id, due = row
    return gettext(
        "Story %(story)s was due at %(time)s UTC and is not published. "
        "Start the worker, or check its log.",
        story=article_id,
        time=due.strftime("%Y-%m-%d %H:%M"),
    )


def _index_sentences(is_newsroom: bool, lag: indexing.Lag) -> Iterator[str]:
    sentences = _NEWSROOM_INDEX if is_newsroom else _PUBLIC_INDEX
    if lag.offset is None:
        yield str(sentences.missing)
    elif lag.seconds > MAX_INDEX_LAG_SECONDS:
        yield str(sentences.late) % {"seconds": round(lag.seconds)}
    elif lag.offset > lag.newest_number:
        yield str(sentences.ahead)


def _disk_sentences(disks: tuple[Disk, ...]) -> Iterator[str]:
    for disk in disks:
        if disk.free < LOW_DISK_BYTES:
            yield gettext(
                "Less than %(limit)s MB are free in %(path)s. Free some space soon.",
                limit=LOW_DISK_BYTES // 1_000_000,
                path=disk.path,
            )
        elif disk.is_low:
            yield gettext(
                "Less than %(share)s of the disk of %(path)s is free (%(free)s MB). "
                "Free some space soon.",
                share=format_percentage(LOW_DISK_SHARE),
                path=disk.path,
                free=format_number(disk.free // 1_000_000),
            )


def _table_sentences(table_rows: dict[str, int]) -> Iterator[str]:
    for name, limit in MAX_ROWS.items():
        if table_rows.get(name, 0) > limit:
            yield gettext(
                "The table %(name)s has %(rows)s rows; the worker should keep it below "
                "%(limit)s. Start the worker, or check its log.",
                name=name,
                rows=format_number(table_rows[name]),
                limit=format_number(limit),
            )
