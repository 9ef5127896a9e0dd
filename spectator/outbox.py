"""The one heartbeat: every act that changes what the public may see appends a numbered row."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from spectator.db import db
from spectator.models import Outbox


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
