"""Figures of the site: rows of tables, requests by hour, publications by day."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from spectator.db import Base, db
from spectator.models import Article, TrafficHour


def count_rows(names: Collection[str]) -> dict[str, int]:
    """Return the number of rows of tables by name; a million takes some 50 ms."""
    tables = Base.metadata.tables
    counts = [select(func.count()).select_from(tables[name]).scalar_subquery() for name in names]
    return dict(zip(names, db.session.execute(select(*counts)).one(), strict=True))


def traffic_hours(hours: int) -> Sequence[TrafficHour]:
    """Return the traffic of the last hours that had any, oldest first."""
    since = datetime.now(UTC) - timedelta(hours=hours)
    query = select(TrafficHour).where(TrafficHour.hour > since).order_by(TrafficHour.hour)
    return db.session.scalars(query).all()


def publications_by_day(days: int, zone: ZoneInfo) -> Mapping[date, int]:
    """Return the number of public stories dated on each of the most recent days of a time zone."""
    today = datetime.now(zone).date()
    counts = {today - timedelta(days=days - 1 - number): 0 for number in range(days)}
    first = datetime.combine(min(counts), datetime.min.time(), zone)
    query = select(Article.published_at).where(
        Article.status == "published", Article.published_at >= first
    )
    for published_at in db.session.scalars(
        query.order_by(Article.published_at.desc()).limit(5000)
    ):
        day = published_at.astimezone(zone).date() if published_at else None
        if day in counts:
            counts[day] += 1
    return counts
