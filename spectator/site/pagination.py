"""Cursors in URLs: which part of a list a page shows, and the URL of the next part.

- `before`: the stories after this cursor; without it the list starts at its newest.
- `through`: everything down to this cursor, which is what a reader has loaded so far.
- `rails`: excludes the stories in the front page's rails as of this cursor.
- `start`, in fragments: the start of the page that they continue.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import request

from spectator import queries
from spectator.models import Article
from spectator.navigation import navigation

CURSOR_PARAMS = ("before", "rails", "start", "through")  # in their order in URLs


@dataclass(frozen=True, slots=True)
class PageCursors:
    """The cursors in a URL, None for those that are missing."""

    before: str | None = None
    rails: str | None = None
    start: str | None = None
    through: str | None = None

    def excluded_ids(self) -> list[int]:
        """Return the ids of the stories in the rails; raises InvalidCursor."""
        return queries.rail_ids(navigation(), self.rails) if self.rails is not None else []

    def url(self, path: str) -> str:
        """Return the URL of this part of the list at a path."""
        values = [(name, getattr(self, name)) for name in CURSOR_PARAMS]
        query = "&".join(f"{name}={value}" for name, value in values if value is not None)
        return f"{path}?{query}" if query else path


def requested_cursors() -> PageCursors:
    """Return the cursors of the requested URL, not validated."""
    return PageCursors(*(request.args.get(name) for name in CURSOR_PARAMS))


def read_stream(listing: queries.Listing, cursors: PageCursors) -> queries.Stream:
    """Return the stories that a page of a list shows; raises InvalidCursor."""
    excluded = cursors.excluded_ids() if listing.kind == "latest" else []
    if cursors.through is not None:
        return queries.stream_through(listing, cursors.before, cursors.through, excluded)
    return queries.stream(listing, cursors.before, excluded=excluded)


def load_more_context(
    listing: queries.Listing,
    cursor: str | None,
    rails: str | None = None,
    start: str | None = None,
) -> dict[str, object]:
    """Return the context of the “Load more” link: the next page, and its htmx fragment."""
    if cursor is None:
        return {"listing": listing, "more_url": None}
    rails = rails if listing.kind == "latest" else None
    return {
        "listing": listing,
        "more_url": PageCursors(cursor, rails).url(listing.path),
        "more_fragment": PageCursors(cursor, rails, start).url(listing.fragment_path),
    }


def loaded_url(listing: queries.Listing, cursors: PageCursors, last: Article) -> str:
    """Return the URL of the page with a loaded fragment; raises InvalidCursor."""
    if cursors.start is not None:
        # Only validates it: no query reads it, and the URL becomes a header.
        queries.parse_cursor(cursors.start)
    rails = cursors.rails if cursors.start is not None and listing.kind == "latest" else None
    return PageCursors(cursors.start, rails, through=queries.cursor_after(last)).url(listing.path)
