"""Statistics of reader searches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, select

from spectator.db import db
from spectator.models import SearchCount


class SearchStats(NamedTuple):
    """A search text: its number of searches, results of the last one, average milliseconds."""

    text: str
    times: int
    hits: int
    milliseconds: int


def top_searches(days: int, has_hits: bool = True, limit: int = 50) -> Sequence[SearchStats]:
    """Return the most frequent searches of the last days (UTC), including today.

    Without `has_hits` only those whose last search found nothing.
    """
    since = datetime.now(UTC).date() - timedelta(days=days - 1)
    counts = select(SearchCount).where(SearchCount.day >= since).subquery()
    times = func.sum(counts.c.times)
    # SQLite takes a bare column beside max() from the row with the maximum: the last day's hits.
    query = select(
        counts.c.text,
        times,
        counts.c.hits,
        func.sum(counts.c.milliseconds) / times,
        func.max(counts.c.day),
    )
    query = query.group_by(counts.c.text).order_by(times.desc(), counts.c.text).limit(limit)
    if not has_hits:
        query = query.having(counts.c.hits == 0)
    return [
        SearchStats(text, times, hits, int(milliseconds))
        for text, times, hits, milliseconds, _ in db.session.execute(query)
    ]
