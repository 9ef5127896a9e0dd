"""What readers searched for, added up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, select

from spectator.db import db
from spectator.models import SearchCount


class SearchStats(NamedTuple):
    """A text that was searched for: how often, how many stories the last search found, milliseconds on average."""

    text: str
    times: int
    hits: int
    milliseconds: int


def top_searches(days: int, has_hits: bool = True, limit: int = 50) -> Sequence[SearchStats]:
    """Return what was searched for most in the last days (UTC) with today, or of that only what found nothing last."""
    since = datetime.now(UTC).date() - timedelta(days=days - 1)
    inside = select(SearchCount).where(SearchCount.day >= since).subquery()
    times = func.sum(inside.c.times)
    # SQLite gives a bare column beside max() the value of the row with the maximum: the hits of the last day.
    query = select(
        inside.c.text,
        times,
        inside.c.hits,
        func.sum(inside.c.milliseconds) / times,
        func.max(inside.c.day),
    )
    query = query.group_by(inside.c.text).order_by(times.desc(), inside.c.text).limit(limit)
    if not has_hits:
        query = query.having(inside.c.hits == 0)
    return [
        SearchStats(text, times, hits, int(taken))
        for text, times, hits, taken, _ in db.session.execute(query)
    ]
