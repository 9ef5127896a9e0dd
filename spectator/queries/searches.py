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


def top_searches(
    days: int, *, only_without_results: bool = False, limit: int = 50
) -> Sequence[SearchStats]:
    """Return the most frequent searches of recent days (UTC), including today.

    With `only_without_results`, only texts whose last search found nothing.
    """
    since = datetime.now(UTC).date() - timedelta(days=days - 1)
    times = func.sum(SearchCount.times)
    sums = (
        select(
            SearchCount.text,
            times.label("times"),
            (func.sum(SearchCount.milliseconds) / times).label("milliseconds"),
            func.max(SearchCount.day).label("day"),
        )
        .where(SearchCount.day >= since)
        .group_by(SearchCount.text)
        .subquery()
    )
    is_last_day = (SearchCount.text == sums.c.text) & (SearchCount.day == sums.c.day)
    query = select(sums.c.text, sums.c.times, SearchCount.hits, sums.c.milliseconds)
    query = query.join(SearchCount, is_last_day).order_by(sums.c.times.desc(), sums.c.text)
    if only_without_results:
        query = query.where(SearchCount.hits == 0)
    return [
        SearchStats(text, times, hits, int(milliseconds))
        for text, times, hits, milliseconds in db.session.execute(query.limit(limit))
    ]
