"""Dates and statuses of posts: when a story was published, and whether readers may see it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from spectator.i18n import gettext
from spectator.importers.wordpress.elements import Item

# What becomes of a post with a status; a status that is not listed makes a draft.
STATUSES = {
    "publish": "published",
    "future": "scheduled",
    "pending": "review",
    "draft": "draft",
    "private": "draft",
}
SKIPPED_STATUSES = frozenset({"trash", "auto-draft", "inherit"})
# WordPress notes a change whenever a post is saved, also in the seconds after its publication.
UNNOTICED_CHANGE = timedelta(minutes=10)


class Publication(NamedTuple):
    """A story's status and dates, and sentences for the receipt about what was decided."""

    status: str
    published_at: datetime | None
    updated_at: datetime | None
    changes: tuple[str, ...] = ()


def publication(item: Item, zone: tzinfo, now: datetime) -> Publication:
    """Return the status and dates of a post; `zone` is that of the old site's local times.

    Nothing becomes public that was not: a post with a password, or of an unknown status, is a
    draft. So is one whose date has passed although it was only scheduled, or that has no date.
    """
    source = item.get("status").lower()
    status = STATUSES.get(source, "draft")
    published_at, updated_at = post_moment(item, zone), _modified_moment(item, zone)
    if item.get("post_password"):
        private = gettext("Kept private: it has a password.")
        return Publication("draft", published_at, None, (private,))
    if status == "published" and published_at is not None and published_at > now:
        status = "scheduled"
    is_public = status in {"published", "scheduled"}
    is_late = status == "scheduled" and published_at is not None and published_at <= now
    if is_public and (published_at is None or is_late):
        status = "draft"
    if status != "draft" or source == "draft":
        if updated_at is None or published_at is None:
            return Publication(status, published_at, None)
        is_noticed = updated_at - published_at > UNNOTICED_CHANGE
        return Publication(status, published_at, updated_at if is_noticed else None)
    private = gettext("Kept private: its status is “%(status)s”.", status=source[:40])
    return Publication("draft", published_at, None, (private,))


def post_moment(item: Item, zone: tzinfo) -> datetime | None:
    """Return when a post was or will be published, None if no element says it.

    Drafts have the year 0000 in UTC, and old posts only a local time or that of the feed.
    """
    return (
        _parse(item.get("post_date_gmt"), UTC)
        or _parse(item.get("post_date"), zone)
        or _parse_feed_date(item.get("pubDate"))
    )


def _modified_moment(item: Item, zone: tzinfo) -> datetime | None:
    modified = item.get("post_modified_gmt")
    return _parse(modified, UTC) or _parse(item.get("post_modified"), zone)


def _parse(text: str, zone: tzinfo) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=zone) if moment.tzinfo is None else moment
        return _plausible(moment.astimezone(UTC))
    except (ValueError, OverflowError):
        return None


def _parse_feed_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        return _plausible(moment.astimezone(UTC))
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _plausible(moment: datetime) -> datetime | None:
    """Return a moment, None for the epoch and for years that databases may not store."""
    return moment if 1000 <= moment.year <= 9000 and moment.timestamp() != 0 else None
