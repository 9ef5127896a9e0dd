"""Full-text search behind a narrow waist: what goes in, what comes out, and no engine's type in between.

Documents come from the caller; nothing here reads the database. The index is derived: it may be deleted at any
moment, and `Index.position()` then answers None, which asks its follower for a rebuild.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from typing import Literal, Protocol

Sort = Literal["relevance", "newest", "oldest"]
Mode = Literal["all", "any"]

# Deeper pages cost the engine more and help nobody; the results page stops here and says so.
MAX_PAGE = 50
MAX_PER_PAGE = 100

FACETS = ("section", "country", "topic", "author", "language")
MAX_FACET_VALUES = 20


class IndexUnavailableError(Exception):
    """The index cannot answer or be written right now: missing, damaged, rebuilt meanwhile, or held by another."""


class IndexBusyError(IndexUnavailableError):
    """Other searches hold the index; the same search may be answered in a moment."""


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
class SearchRequest:
    """What a reader asks for; every value may be hostile, none can cause an error.

    `text` is the reader's own words in the small language of `spectator.search.language.query`, the filters are slugs
    ("" = any), the dates are whole days in the index's time zone and both inclusive. `page` counts from 1.
    `among` are the ids of the only articles to search, None for all: whatever is counted, understood or called unknown
    then depends on those alone, and no better spelling is looked for.
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
    article_ids: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class SearchResults:
    """One page of results.

        `ids` in order; `total` is exact and counts every page; `terms` and `prefixes` are folded as by
        `spectator.text.words.folding.fold`, for highlighting; `mode` is "any" when no article had every word, so
        that those with at least one are shown; `position` is the outbox number that the answer reflects.

    `facets` maps each name of `FACETS` to (slug, number of articles) pairs, most first, at most `MAX_VALUES` each:
    what remains if that value is chosen besides everything else that was asked for, so that the chosen one stands
    among its alternatives. `years` is (year, number) pairs, oldest first, gaps left out, counted without the asked
    dates.

    `words` gives, only where no article has all of them, the wanted clauses as they were understood with the number
    of articles that have each, 0 = the archive does not know it. `meant` is a better spelling of the whole text
    from the archive's own words, "" for none; it is looked for only where at most two articles have every word.

    `chosen` are the filters in force, whether they came from the request or from the text (`in:politics`): (facet,
    slug) pairs, and `published_from`/`published_to` the dates. `excluded` are those that no result may have
    (`-in:politics`), `unknown` the (facet, typed value) pairs that name nothing. `is_cut` says that more words and
    filters were typed than a search uses, `is_partial` that the search was too costly to finish.
    """

    ids: list[int]
    total: int
    terms: frozenset[str]
    prefixes: tuple[str, ...]
    mode: Mode
    index_offset: int
    facets: Mapping[str, Sequence[tuple[str, int]]] = field(default_factory=dict)
    year_counts: Sequence[tuple[int, int]] = ()
    term_counts: Sequence[tuple[str, int]] = ()
    suggestion: str = ""
    filters: Sequence[tuple[str, str]] = ()
    excluded_filters: Sequence[tuple[str, str]] = ()
    unknown_filters: Sequence[tuple[str, str]] = ()
    is_truncated: bool = False
    is_partial: bool = False
    published_from: date | None = None
    published_to: date | None = None


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What may be meant by the beginning of a search: article ids by their headlines, and slugs by facet."""

    articles: list[int]
    countries: list[str]
    topics: list[str]
    authors: list[str]
    index_offset: int


@dataclass(frozen=True, slots=True)
class SimilarArticle:
    """An article that reads like another; `score` is 1.0 for one that matches every weighed term of it as well as it
    does itself, and about 0 where they share nothing."""

    id: int
    score: float


class Index(Protocol):
    """A search index. One object may be shared by the threads of a process and survives a fork."""

    def find(self, request: SearchRequest) -> SearchResults:
        """One page of articles; past the last page, or past `MAX_PAGE`, no ids but the true total.

        Raises IndexUnavailable.
        """
        ...

    def suggest(self, text: str, limit: int = 5) -> Suggestions:
        """What the first letters of a search may become: at most `limit` of each kind, the newest headlines first.

        Fewer than two letters suggest nothing. Raises IndexUnavailable.
        """
        ...

    def more_like_this(self, document: Document, limit: int = 30) -> list[SimilarArticle]:
        """The indexed articles that read most like a document, best first, itself left out; it need not be indexed.

        Raises IndexUnavailable.
        """
        ...

    def offset(self) -> int | None:
        """The outbox number that the index has reached, or None when it has to be rebuilt. Never raises."""
        ...

    def apply(
        self,
        changes: Mapping[int, Document | None],
        offset: int,
        *,
        expected_offset: int | None = None,
    ) -> None:
        """Index, or with None remove, each article by its id, and then move to `position`, in one commit.

        With `after`, refuses unless the index stands at that position (it may have been rebuilt meanwhile).
        Raises IndexUnavailable for that and for a missing, outdated or busy index; whatever else it raises leaves the
        last commit in place, and the process should exit, because the engine may keep its lock.
        """
        ...

    def rebuild(
        self,
        documents: Iterable[Document],
        offset: int,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Build a new index of `documents` (each id once) beside the live one, then switch to it atomically.

        `position` is the outbox number noted before the first document was read. `progress` gets the number of
        documents done. Raises IndexUnavailable while another process is rebuilding.
        """
        ...

    def versions(self) -> dict[int, int]:
        """Every indexed article's id and version, to compare with the database. Raises IndexUnavailable."""
        ...

    def is_outdated(self) -> bool:
        """Return whether another release built the index, so that it answers as before but must be rebuilt to change.

        Never raises.
        """
        ...

    def is_fragmented(self) -> bool:
        """Whether many small commits have made searching slow, so that a rebuild at a quiet hour is worth it.

        Raises IndexUnavailable.
        """
        ...

    def close(self) -> None:
        """Let go of open files; the next call opens them again."""
        ...


def open_index(directory: Path, zone: tzinfo = UTC) -> Index:
    """The index kept in `directory`, which need not exist yet. Nothing is opened or written before it is needed.

    Days and years are those of `zone`; the index holds moments, so another zone does not need another index.
    """
    # Imported late: the engine costs 100 ms to import, and most commands never search.
    from spectator.search.whoosh.index import WhooshIndex

    return WhooshIndex(directory, zone)
