"""Cursors of keyset pagination: a story's position in a listing, as part of a URL."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from spectator.models import Article

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_ID = 2**31 - 1  # PostgreSQL's largest `integer`


class InvalidCursor(ValueError):
    """A cursor in a form that this site never creates."""


def cursor_after(article: Article) -> str:
    """Return the cursor of the stories after this one: microseconds since 1970, then the id."""
    assert article.published_at is not None
    return f"{(article.published_at - EPOCH) // timedelta(microseconds=1)}-{article.id}"


def parse_cursor(cursor: str) -> tuple[datetime, int]:
    """Return the publication time and the story id in a cursor. Raises InvalidCursor."""
    match = re.fullmatch(r"(-?[0-9]{1,18})-([0-9]{1,18})", cursor, re.ASCII)
    if not match:
        raise InvalidCursor(cursor[:40])
    try:
        return EPOCH + timedelta(microseconds=int(match[1])), min(int(match[2]), MAX_ID)
    except OverflowError as error:
        raise InvalidCursor(cursor[:40]) from error
