"""The change log: every action that changes what the public may see appends a numbered row.

Consumers (search index, related stories, caches) store their offset, the number of the last row
that they have processed.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from contextlib import closing
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from sqlalchemy import Select, delete, func, insert, select
from sqlalchemy.orm import Session

from spectator import request_ids
from spectator.db import db
from spectator.db.functions import byte_length
from spectator.db.poller import PollError, PollingConnection
from spectator.models import Article, Outbox

log = logging.getLogger(__name__)
# The table of consumers, models.Consumer, is called follower, and its offsets position.
_POLL_SQL = """
select (select seq from outbox order by seq desc limit 1), (select {} from follower)
"""
POLL_SQL = {  # by whether the database is PostgreSQL
    False: _POLL_SQL.format("group_concat(position)"),
    True: _POLL_SQL.format("string_agg(cast(position as text), ',' order by name)"),
}
ROWS_AFTER_SQL = "select seq, article_id from outbox where seq > ? order by seq limit ?"
POLL_TIMEOUT_SECONDS = 0.2
MAX_RECENT_ROWS = 200
# Of the bodies that the worker loads together; indexing takes about ten times as many bytes.
BATCH_BYTES = 2_000_000


def append(
    session: Session, article_id: int | None, action: str, page_id: int | None = None
) -> None:
    """Append a row about a story, a standing page or the site inside the caller's `db.write()`."""
    session.add(
        Outbox(
            article_id=article_id,
            page_id=page_id,
            action=action,
            at=datetime.now(UTC),
            request_id=request_ids.current_id(),
        )
    )


def append_all(session: Session, events: Sequence[tuple[int, str]]) -> None:
    """Append a row for each (article id, action), in order, inside the caller's `db.write()`."""
    if events:
        shared = {"at": datetime.now(UTC), "request_id": request_ids.current_id()}
        rows = [
            {"article_id": article_id, "action": action} | shared for article_id, action in events
        ]
        session.execute(insert(Outbox), rows)


def newest_number() -> int:
    """Return the number of the newest row, 0 if nothing was ever published."""
    return db.session.scalar(select(func.max(Outbox.seq))) or 0


def articles_changed_after(offset: int, limit: int = 500) -> tuple[set[int], int]:
    """Return the articles of the next rows, at most `limit`, and the number of the last row read.

    Like every batch of articles to load, it ends after `BATCH_BYTES` of text.
    """
    query = (
        select(Outbox.seq, Outbox.article_id, byte_length(Article.body))
        .outerjoin(Article, Article.id == Outbox.article_id)
        .where(Outbox.seq > offset)
        .order_by(Outbox.seq)
    )
    return read_batch(query.limit(limit), offset)


def read_batch(query: Select[Any, Any, Any], offset: int) -> tuple[set[int], int]:
    """Return the article ids of the first rows of a query, and the number of the last row read.

    The rows are (number, article id, bytes of the article's body). At least one article is
    returned; further ones only while their texts have at most `BATCH_BYTES`.
    """
    ids: set[int] = set()
    last, size = offset, 0
    with closing(
        db.session.execute(query)
    ) as rows:  # SQLite reads no body after the last row, PostgreSQL none at all
        for number, article_id, length in rows:
            if article_id is not None and article_id not in ids:
                size += length or 0
                if ids and size > BATCH_BYTES:
                    break
                ids.add(article_id)
            last = number
    return ids, last


def articles_with_actions_after(
    offset: int, actions: Collection[str], limit: int
) -> tuple[set[int], int]:
    """Return the articles in the next rows with one of the actions, and the last number read.

    Reads at most 500 rows and returns at most `limit` articles.
    """
    query = (
        select(Outbox.seq, Outbox.article_id, Outbox.action)
        .where(Outbox.seq > offset)
        .order_by(Outbox.seq)
    )
    ids: set[int] = set()
    last = offset
    for row in db.session.execute(query.limit(500)):
        if row.article_id is not None and row.action in actions:
            if len(ids) == limit and row.article_id not in ids:
                break
            ids.add(row.article_id)
        last = row.seq
    return ids, last


def pages_changed_between(after: int, through: int) -> set[int]:
    """Return the standing pages of the rows after `after` up to `through`."""
    query = select(Outbox.page_id).where(Outbox.seq > after, Outbox.seq <= through)
    return {page_id for page_id in db.session.scalars(query) if page_id is not None}


def request_ids_between(after: int, through: int) -> list[str]:
    """Return the ids of the first requests that appended the rows after `after` up to `through`."""
    query = select(Outbox.request_id).where(Outbox.seq > after, Outbox.seq <= through)
    query = query.where(Outbox.request_id != "").order_by(Outbox.seq)
    ids = db.session.scalars(query.limit(MAX_RECENT_ROWS))
    return list(dict.fromkeys(ids))[: request_ids.MAX_CAUSES]


def oldest_number() -> int:
    """Return the number of the oldest row, 0 if the outbox is empty."""
    return db.session.scalar(select(func.min(Outbox.seq))) or 0


def first_event_time_after(offset: int) -> datetime | None:
    """Return the time of the first row after an offset, None if there is none."""
    return db.session.scalar(
        select(Outbox.at).where(Outbox.seq > offset).order_by(Outbox.seq).limit(1)
    )


def prune(offset: int) -> None:
    """Delete rows up to `offset`, which every consumer has passed.

    The newest row always stays, so that `newest_number()` never goes down.
    """
    newest = select(func.max(Outbox.seq)).scalar_subquery()
    with db.write() as session:
        session.execute(delete(Outbox).where(Outbox.seq <= offset, Outbox.seq < newest))


class OutboxReader:
    """A read-only connection for polling the outbox, shared by the threads of a process.

    It uses no ORM session; a poll takes a few microseconds, or a millisecond from a server.
    """

    is_postgresql = False

    def __init__(self, url: str) -> None:
        self.lock = Lock()
        self.connection = PollingConnection(url, POLL_TIMEOUT_SECONDS)
        self.is_postgresql = self.connection.is_postgresql
        self.poll_sql = POLL_SQL[self.is_postgresql]
        self.recent: dict[int, int | None] = {}  # article ids of the newest rows, by number

    def poll(self) -> tuple[int, str] | None:
        """Return the newest number and, joined by commas, the offsets that the database stores.

        Return None if the database does not answer.
        """
        with self.lock:
            try:
                ((newest, offsets),) = self.connection.fetch(self.poll_sql)
            except PollError as error:
                log.warning("cannot read the newest outbox number: %s", error)
                return None
        return newest or 0, offsets or ""

    def changed_between(self, after: int, through: int) -> set[int | None] | None:
        """Return the article ids of the rows after `after` up to `through`.

        A None in the set means that every page may have changed. Return None if the range is empty
        or too long, or if its rows cannot be read.
        """
        if not 0 < through - after <= MAX_RECENT_ROWS:
            return None
        with self.lock:
            if through not in self.recent and not self._read_recent(through):
                return None
            numbers = range(after + 1, through + 1)
            if not all(seq in self.recent for seq in numbers):
                return None
            return {self.recent[seq] for seq in numbers}

    def _read_recent(self, through: int) -> bool:
        """Load the newest rows; return whether they include the row `through`."""
        try:
            # Twice the limit, to include the rows that were appended after `through`.
            rows = self.connection.fetch(
                ROWS_AFTER_SQL, (through - MAX_RECENT_ROWS, 2 * MAX_RECENT_ROWS)
            )
        except PollError as error:
            log.warning("cannot read the outbox: %s", error)
            return False
        self.recent = dict(rows)
        return through in self.recent

    def close(self) -> None:
        """Close the connection; the next poll opens another."""
        self.connection.close()
