"""How many stories listings have."""

from __future__ import annotations

from sqlalchemy import select

from spectator.db import db
from spectator.models import ListingCount
from spectator.queries.listings import Listing


def story_count(listing: Listing) -> int:
    """Return the number of published stories of a listing that is not the latest stories."""
    row = db.session.get(ListingCount, (listing.kind, listing.key))
    return 0 if row is None else row.number


def month_counts() -> list[tuple[int, int, int]]:
    """Return (year, month, number of published stories) of each month, newest first."""
    query = select(ListingCount.key, ListingCount.number).where(ListingCount.kind == "month")
    rows = db.session.execute(query.order_by(ListingCount.key.desc())).all()
    return [(key // 100, key % 100, number) for key, number in rows]
