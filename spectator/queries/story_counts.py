"""How many stories listings have."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, select

from spectator.db import db
from spectator.editions import current_edition
from spectator.models import LanguageCount, ListingCount
from spectator.queries.listings import Listing, is_of_edition


def story_count(listing: Listing) -> int:
    """Return the number of published stories of a listing that is not the latest stories."""
    if listing.edition.has_all_stories:
        return total_count(listing)
    counts = language_counts(listing)
    return sum(number for tag, number in counts.items() if listing.edition.includes(tag))


def total_count(listing: Listing) -> int:
    """Return the number of published stories of a listing in all editions."""
    row = db.session.get(ListingCount, (listing.kind, listing.key))
    return 0 if row is None else row.number


def language_counts(listing: Listing) -> Mapping[str, int]:
    """Return the number of published stories of a listing, in all editions, by their language."""
    query = select(LanguageCount.language, LanguageCount.number).where(
        LanguageCount.kind == listing.kind, LanguageCount.key == listing.key
    )
    return {row.language: row.number for row in db.session.execute(query)}


def month_counts() -> list[tuple[int, int, int]]:
    """Return (year, month, number of published stories) in this edition, newest month first."""
    edition = current_edition()
    if edition.has_all_stories:
        query = select(ListingCount.key, ListingCount.number).where(ListingCount.kind == "month")
        query = query.order_by(ListingCount.key.desc())
    else:
        query = (
            select(LanguageCount.key, func.sum(LanguageCount.number))
            .where(LanguageCount.kind == "month")
            .where(is_of_edition(LanguageCount.language, edition))
            .group_by(LanguageCount.key)
            .order_by(LanguageCount.key.desc())
        )
    return [(key // 100, key % 100, number) for key, number in db.session.execute(query)]
