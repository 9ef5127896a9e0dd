"""The one heartbeat: every act that changes what the public may see appends a numbered row."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from threading import Lock
from typing import Any
from urllib.parse import quote

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from spectator.db import db, sqlite
from spectator.models import Outbox

log = logging.getLogger(__name__)
POLL_SQL = """
select (select seq from outbox order by seq desc limit 1), (select group_concat(position) from follower)
"""
ROWS_AFTER_SQL = "select seq, article_id from outbox where seq > ? order by seq limit ?"
POLL_TIMEOUT_SECONDS = 0.2
MAX_RECENT_ROWS = 200


def append(session: Session, article_id: int | None, action: str) -> None:
    """Append a row inside the caller's `db.write()`; its number exists once that commits."""
    session.add(Outbox(article_id=article_id, action=action, at=datetime.now(UTC)))


def append_all(session: Session, events: Sequence[tuple[int, str]]) -> None:
    """Append a row for each (article id, action), in their order, inside the caller's `db.write()`."""
    if events:
        at = datetime.now(UTC)
        rows = [
            {"article_id": article_id, "action": action, "at": at} for article_id, action in events
        ]
        session.execute(insert(Outbox), rows)


def edition() -> int:
    """Return the newest number, 0 where nothing was ever published."""
    return db.session.scalar(select(func.max(Outbox.seq))) or 0


def articles_changed_after(offset: int, limit: int = 500) -> tuple[set[int], int]:
    """Return the ids of articles touched by the next `limit` rows, and the number of the last of those rows."""
    rows = db.session.execute(
        select(Outbox.seq, Outbox.article_id)
        .where(Outbox.seq > offset)
        .order_by(Outbox.seq)
        .limit(limit)
    ).all()
    return {row.article_id for row in rows if row.article_id is not None}, rows[
        -1
    ].seq if rows else offset


def articles_with_actions_after(
    offset: int, actions: Collection[str], limit: int
) -> tuple[set[int], int]:
    """Return the ids of articles that the next rows touch by one of these actions, and the number of the last row.

    At most `limit` articles, out of at most 500 rows.
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


def oldest_seq() -> int:
    """Return the lowest number still kept, 0 where there is none."""
    return db.session.scalar(select(func.min(Outbox.seq))) or 0


def first_event_time_after(offset: int) -> datetime | None:
    """Return when the first act after a number was, None where there was none since."""
    return db.session.scalar(
        select(Outbox.at).where(Outbox.seq > offset).order_by(Outbox.seq).limit(1)
    )


def prune(offset: int) -> None:
    """Delete the rows that every follower has passed; the newest stays, since it is the edition."""
    newest = select(func.max(Outbox.seq)).scalar_subquery()
    with db.write() as session:
        session.execute(delete(Outbox).where(Outbox.seq <= offset, Outbox.seq < newest))


class OutboxReader:
    """One connection of a process on which its threads look at the heartbeat: no session, some microseconds a look."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.lock = Lock()
        self.connection: Any = None
        self.owner_pid = 0
        self.recent: dict[int, int | None] = {}  # the article of each of the newest rows

    def poll(self) -> tuple[int, str] | None:
        """Return the edition, and the positions of the followers that live in the database; None where it is silent."""
        with self.lock:
            try:
                if self.owner_pid != os.getpid():  # a connection must not pass through a fork
                    self.connection = sqlite.connect(
                        f"file:{quote(self.path)}?mode=ro",
                        uri=True,
                        timeout=POLL_TIMEOUT_SECONDS,
                        check_same_thread=False,
                    )
                    self.owner_pid = os.getpid()
                ((edition, positions),) = self.connection.execute(POLL_SQL).fetchall()
            except sqlite.Error as error:
                log.warning("the edition cannot be read: %s", error)
                self.close()
                return None
        return edition or 0, positions or ""

    def changed_between(self, after: int, through: int) -> set[int | None] | None:
        """Return the articles that the rows after a number touch (None among them: everything); None where unknown."""
        if not 0 < through - after <= MAX_RECENT_ROWS:
            return None
        with self.lock:
            if through not in self.recent and not self._read_recent(through):
                return None
            rows = range(after + 1, through + 1)
            return (
                {self.recent[seq] for seq in rows}
                if all(seq in self.recent for seq in rows)
                else None
            )

    def _read_recent(self, through: int) -> bool:
        """Take in the newest rows; return whether the database answered."""
        if self.connection is None:
            return False
        try:
            rows = self.connection.execute(
                ROWS_AFTER_SQL, (through - MAX_RECENT_ROWS, 2 * MAX_RECENT_ROWS)
            ).fetchall()
        except sqlite.Error as error:
            log.warning("the outbox cannot be read: %s", error)
            return False
        self.recent = dict(rows)
        return through in self.recent

    def close(self) -> None:
        """Give the connection back; the next look opens another."""
        if self.connection is not None and self.owner_pid == os.getpid():
            self.connection.close()
        self.connection, self.owner_pid = None, 0
