"""The one heartbeat: every act that changes what the public may see appends a numbered row."""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime
from threading import Lock
from typing import Any
from urllib.parse import quote

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from spectator.db import db, sqlite
from spectator.models import Outbox

log = logging.getLogger(__name__)
LOOK = """
select (select seq from outbox order by seq desc limit 1), (select group_concat(position) from follower)
"""
LOOK_TIMEOUT_SECONDS = 0.2


def append(session: Session, article_id: int | None, action: str) -> None:
    """Append a row inside the caller's `db.write()`; its number exists once that commits."""
    session.add(Outbox(article_id=article_id, action=action, at=datetime.now(UTC)))


def edition() -> int:
    """Return the newest number, 0 where nothing was ever published."""
    return db.session.scalar(select(func.max(Outbox.seq))) or 0


def articles_after(number: int, limit: int = 500) -> tuple[set[int], int]:
    """Return the ids of articles touched by the next `limit` rows, and the number of the last of those rows."""
    rows = db.session.execute(
        select(Outbox.seq, Outbox.article_id).where(Outbox.seq > number).order_by(Outbox.seq).limit(limit)
    ).all()
    return {row.article_id for row in rows if row.article_id is not None}, rows[-1].seq if rows else number


def oldest() -> int:
    """Return the lowest number still kept, 0 where there is none."""
    return db.session.scalar(select(func.min(Outbox.seq))) or 0


def moment_after(number: int) -> datetime | None:
    """Return when the first act after a number was, None where there was none since."""
    return db.session.scalar(select(Outbox.at).where(Outbox.seq > number).order_by(Outbox.seq).limit(1))


def forget_through(number: int) -> None:
    """Delete the rows that every follower has passed; the newest stays, since it is the edition."""
    newest = select(func.max(Outbox.seq)).scalar_subquery()
    with db.write() as session:
        session.execute(delete(Outbox).where(Outbox.seq <= number, Outbox.seq < newest))


class Watch:
    """One connection of a process on which its threads look at the heartbeat: no session, some microseconds a look."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.lock = Lock()
        self.connection: Any = None
        self.owner = 0

    def look(self) -> tuple[int, str] | None:
        """Return the edition, and the positions of the followers that live in the database; None where it is silent."""
        with self.lock:
            try:
                if self.owner != os.getpid():  # a connection must not pass through a fork
                    self.connection = sqlite.connect(
                        f"file:{quote(self.path)}?mode=ro",
                        uri=True,
                        timeout=LOOK_TIMEOUT_SECONDS,
                        check_same_thread=False,
                    )
                    self.owner = os.getpid()
                ((edition, positions),) = self.connection.execute(LOOK).fetchall()
            except sqlite.Error as error:
                log.warning("the edition cannot be read: %s", error)
                self.close()
                return None
        return edition or 0, positions or ""

    def close(self) -> None:
        """Give the connection back; the next look opens another."""
        if self.connection is not None and self.owner == os.getpid():
            self.connection.close()
        self.connection, self.owner = None, 0
