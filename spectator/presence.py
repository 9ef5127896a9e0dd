"""Who has the form of a story open."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import joinedload

from spectator.db import db
from spectator.db.clock import current_time
from spectator.db.functions import insert
from spectator.models import Presence, User

# Open forms report every 8 s; after two missed reports a form counts as closed.
PRESENCE_SECONDS = 20


def touch(user_id: int, article_id: int) -> None:
    """Record that a person has a story's form open now."""
    now = current_time()
    row = insert(Presence).values(article_id=article_id, user_id=user_id, seen_at=now)
    with db.write() as session:
        session.execute(
            row.on_conflict_do_update(
                index_elements=["article_id", "user_id"], set_={"seen_at": now}
            )
        )


def other_editors(article_id: int, user_id: int) -> Sequence[User]:
    """Return the other people who have a story's form open."""
    since = current_time() - timedelta(seconds=PRESENCE_SECONDS)
    is_present = (Presence.article_id == article_id) & (Presence.seen_at >= since)
    query = select(Presence).where(is_present, Presence.user_id != user_id)
    query = query.options(joinedload(Presence.user)).order_by(Presence.user_id)
    return [presence.user for presence in db.session.scalars(query)]


def prune() -> None:
    """Delete presence rows that are older than an hour."""
    with db.write() as session:
        session.execute(
            delete(Presence).where(Presence.seen_at < current_time() - timedelta(hours=1))
        )
