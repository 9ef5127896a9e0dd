"""How much of a list an address asks for, and the addresses that ask for what follows.

- `before`: the stories behind this cursor; without it the list begins at its newest.
- `through`: not one page but everything down to this cursor: what a reader has loaded so far.
- `rails`: without the stories in the rails of the front page whose newest end at this cursor.
- `start`, in fragments: where the page began that they continue.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import request

from spectator import queries
from spectator.models import Article
from spectator.templating import navigation

CURSOR_PARAMS = ("before", "rails", "start", "through")  # in the order in which addresses have them


@dataclass(frozen=True, slots=True)
class PageCursors:
    """The cursors of an address; None for those that it does not have."""

    before: str | None = None
    rails: str | None = None
    start: str | None = None
    through: str | None = None

    def excluded_ids(self) -> list[int]:
        """Return the ids of the stories in the rails; raises BadCursor."""
        return queries.rail_ids(navigation(), self.rails) if self.rails is not None else []

    def url(self, path: str) -> str:
        """Return the address of this part of the list at a path."""
        values = [(name, getattr(self, name)) for name in CURSOR_PARAMS]
        query = "&".join(f"{name}={value}" for name, value in values if value is not None)
        return f"{path}?{query}" if query else path


def requested_cursors() -> PageCursors:
    """Return the position that the requested address names, as it was typed."""
    return PageCursors(*(request.args.get(name) for name in CURSOR_PARAMS))


def read_stream(listing: queries.Listing, cursors: PageCursors) -> queries.Stream:
    """Return the stories that a page of a list shows; raises BadCursor."""
    excluded = cursors.excluded_ids() if listing.kind == "latest" else []
    if cursors.through is not None:
        return queries.stream_through(listing, cursors.before, cursors.through, excluded)
    return queries.stream(listing, cursors.before, excluded=excluded)


def load_more_context(
    listing: queries.Listing, cursor: str | None, rails: str | None = None, start: str | None = None
) -> dict[str, object]:
    """Return what the template of a stream needs for its link: the next page, and the fragment htmx puts there."""
    if cursor is None:
        return {"listing": listing, "more_url": None}
    rails = rails if listing.kind == "latest" else None
    return {
        "listing": listing,
        "more_url": PageCursors(cursor, rails).url(listing.path),
        "more_fragment": PageCursors(cursor, rails, start).url(f"/fragments/stream{listing.path}"),
    }


def loaded_url(listing: queries.Listing, cursors: PageCursors, last: Article) -> str:
    """Return the address of the page that shows what a reader sees once a fragment stands in it; raises BadCursor."""
    if cursors.start is not None:
        queries.parse_cursor(cursors.start)  # no query reads it, and the address becomes a header
    rails = cursors.rails if cursors.start is not None and listing.kind == "latest" else None
    return PageCursors(cursors.start, rails, through=queries.cursor_after(last)).url(listing.path)
