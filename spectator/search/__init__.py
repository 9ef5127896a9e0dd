"""Full-text search behind a narrow waist: what goes in, what comes out, and no engine's type in between.

Documents come from the caller; nothing here reads the database. The index is derived: it may be deleted at any
moment, and `Index.position()` then answers None, which asks its follower for a rebuild.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal, Protocol

Sort = Literal["relevance", "newest", "oldest"]
Mode = Literal["all", "any"]

# Deeper pages cost the engine more and help nobody; the results page stops here and says so.
MAX_PAGE = 50
MAX_PER_PAGE = 100


class IndexUnavailable(Exception):
    """The index cannot answer or be written right now: missing, damaged, rebuilt meanwhile, or held by another."""


@dataclass(frozen=True, slots=True)
class Document:
    """One published article as search sees it: plain text, slugs, and a UTC-aware moment."""

    id: int
    version: int
    headline: str
    dek: str
    body: str
    names: str
    """Bylines, section, country names with their aliases, topic names, source: whatever else should find it."""
    section: str
    countries: tuple[str, ...]
    topics: tuple[str, ...]
    authors: tuple[str, ...]
    language: str
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Request:
    """What a reader asks for; every value may be hostile, none can cause an error.

    `text` is the reader's own words, the filters are slugs ("" = any), the dates are whole days in UTC and both
    inclusive. `page` counts from 1.
    """

    text: str = ""
    section: str = ""
    country: str = ""
    topic: str = ""
    author: str = ""
    language: str = ""
    published_from: date | None = None
    published_to: date | None = None
    sort: Sort = "relevance"
    page: int = 1
    per_page: int = 20


@dataclass(frozen=True, slots=True)
class Found:
    """One page of results.

    `ids` in order; `total` is exact and counts every page; `terms` and `prefixes` are folded as by
    `spectator.text.folding.fold`, for highlighting; `mode` is "any" when no article had every word, so that those
    with at least one are shown; `position` is the outbox number that the answer reflects.
    """

    ids: list[int]
    total: int
    terms: frozenset[str]
    prefixes: tuple[str, ...]
    mode: Mode
    position: int


class Index(Protocol):
    """A search index. One object may be shared by the threads of a process and survives a fork."""

    def find(self, request: Request) -> Found:
        """One page of articles; past the last page, or past `MAX_PAGE`, no ids but the true total.

        Raises IndexUnavailable.
        """
        ...

    def position(self) -> int | None:
        """The outbox number that the index has reached, or None when it has to be rebuilt. Never raises."""
        ...

    def apply(self, changes: Mapping[int, Document | None], position: int, *, after: int | None = None) -> None:
        """Index, or with None remove, each article by its id, and then move to `position`, in one commit.

        With `after`, refuses unless the index stands at that position (it may have been rebuilt meanwhile).
        Raises IndexUnavailable for that and for a missing or busy index; whatever else it raises leaves the
        last commit in place, and the process should exit, because the engine may keep its lock.
        """
        ...

    def rebuild(
        self, documents: Iterable[Document], position: int, progress: Callable[[int], None] | None = None
    ) -> None:
        """Build a new index of `documents` (each id once) beside the live one, then switch to it atomically.

        `position` is the outbox number noted before the first document was read. `progress` gets the number of
        documents done. Raises IndexUnavailable while another process is rebuilding.
        """
        ...

    def versions(self) -> dict[int, int]:
        """Every indexed article's id and version, to compare with the database. Raises IndexUnavailable."""
        ...

    def is_scattered(self) -> bool:
        """Whether many small commits have made searching slow, so that a rebuild at a quiet hour is worth it.

        Raises IndexUnavailable.
        """
        ...

    def close(self) -> None:
        """Let go of open files; the next call opens them again."""
        ...


def open_index(directory: Path) -> Index:
    """The index kept in `directory`, which need not exist yet. Nothing is opened or written before it is needed."""
    # Imported late: the engine costs 100 ms to import, and most commands never search.
    from spectator.search.whoosh_index import WhooshIndex

    return WhooshIndex(directory)
