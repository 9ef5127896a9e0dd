"""The interface of full-text search: requests, results and `Index`, without any type of an engine.

Documents come from the caller; nothing in this package reads the database. The index can be deleted
at any time: `Index.offset()` then returns None, which tells the consumer to rebuild it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from spectator.search.postgres.generations import Database

Sort = Literal["relevance", "newest", "oldest"]
Mode = Literal["all", "any"]
LanguageTest = Callable[[str], bool]

# Later pages are slow and rarely read. The results page says that it stops here.
MAX_PAGE = 50
MAX_PER_PAGE = 100

FACETS = ("section", "country", "topic", "author", "language")
MAX_FACET_VALUES = 20


class IndexUnavailableError(Exception):
    """The index cannot be read or written now: missing, damaged, rebuilt in between, or locked."""


class IndexBusyError(IndexUnavailableError):
    """Other searches are using the index. The same search may succeed in a moment."""


class EngineFaultError(IndexUnavailableError):
    """The installed search engine cannot be used; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Document:
    """A published article to index: plain text, slugs, and an aware datetime in UTC."""

    id: int
    version: int
    headline: str
    dek: str
    body: str
    names: str
    """Other names to find it by: bylines, section, countries and their aliases, topics, source."""
    section: str
    countries: tuple[str, ...]
    topics: tuple[str, ...]
    authors: tuple[str, ...]
    language: str
    published_at: datetime
    is_own: bool = False
    """Whether searches limited to its author's documents have to find it."""


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A search. Every value may be hostile; none can cause an error.

    `text` is a query in the language of `spectator.search.language.parser`. Filters are slugs ("" =
    any). Dates are whole days in the index's time zone, both inclusive. `page` counts from 1.

    `article_ids` limits the search to these articles; None means all. What is found, counts
    and unknown filters then depend on these articles alone, and no spelling is suggested. They must
    have been indexed as somebody's own. `is_for_editors` lets readers' searches come first.

    `has_language` says of a language tag whether articles in it may be found; None means all. It
    is no filter that results name.

    `synonyms` maps names that the text may contain to other names of the same thing, all as folded
    words. Articles that have only those come after the articles that have the name.
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
    is_for_editors: bool = False
    has_language: LanguageTest | None = None
    synonyms: Mapping[tuple[str, ...], tuple[tuple[str, ...], ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SearchResults:
    """One page of results.

    `ids` are in order, and `total` is the exact number of results on all pages. `terms` and
    `prefixes` are folded by `spectator.text.words.folding.fold`, for highlighting. `mode` is "any"
    if no article has every word, so that the results have at least one. `index_offset` is the
    outbox offset of the index.

    `facets` maps each name of `FACETS` to (slug, number of articles) pairs, most articles first: at
    most `MAX_FACET_VALUES`, and the selected ones. Each number is of articles that match that value
    and all other filters. `year_counts` is (year, number) pairs, oldest first, without empty years
    and without the date filter.

    `term_counts` is filled only if no article has every word: each clause, as the parser understood
    it, with its number of articles. `suggestion` is a better spelling of the whole text in words of
    the archive, or "". Spelling is checked only if at most two articles have every word.

    `filters` are the active (facet, slug) pairs from the request and the text (`in:politics`), and
    `published_from` and `published_to` the active dates. `excluded_filters` are pairs that no
    result may have (`-in:politics`), `unknown_filters` the (facet, value) pairs of the text that
    match no indexed value. `is_truncated` is set if the text has more conditions than a search
    uses, `is_partial` if the search was stopped because of its cost.
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
    """Completions of the start of a search: ids of articles by headline, and slugs by facet."""

    articles: list[int]
    countries: list[str]
    topics: list[str]
    authors: list[str]
    index_offset: int


@dataclass(frozen=True, slots=True)
class SimilarArticle:
    """A similar article.

    `score` is 1.0 if it matches every key term as well as the original, 0 if it has none.
    """

    id: int
    score: float


class Index(Protocol):
    """A search index. The threads of a process can share one, and it survives a fork."""

    def find(self, request: SearchRequest) -> SearchResults:
        """Return one page of results.

        After the last page, or `MAX_PAGE`, there are no ids but the exact total.

        Raises IndexUnavailableError.
        """

    def suggest(
        self, text: str, limit: int = 5, has_language: LanguageTest | None = None
    ) -> Suggestions:
        """Return at most `limit` completions of each kind, newest headlines first.

        Headlines are those of articles whose language tag passes the test. Fewer than two letters
        give none. Raises IndexUnavailableError.
        """

    def more_like_this(self, document: Document, limit: int = 30) -> list[SimilarArticle]:
        """Return the articles most similar to a document, best first, without the document itself.

        The document need not be in the index. Raises IndexUnavailableError.
        """

    def offset(self) -> int | None:
        """Return the outbox offset of the index, or None if it must be rebuilt. Never raises."""

    def apply(
        self,
        changes: Mapping[int, Document | None],
        offset: int,
        *,
        expected_offset: int | None = None,
    ) -> None:
        """Index the articles, or remove those that are None, and record the new offset.

        Raises IndexUnavailableError if the index is missing, outdated or busy, or is not at
        `expected_offset` because it was rebuilt in between. Any other error leaves the last commit
        in place. The process should then exit, because the engine may hold its lock until it does.
        """

    def rebuild(
        self,
        documents: Iterable[Document],
        offset: int,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Build a new index of `documents` (unique ids), then switch to it atomically.

        `offset` is the outbox offset from before the first document was read. `progress` is called
        with the number of documents so far. Raises IndexUnavailableError while another process is
        rebuilding.
        """

    def versions(self) -> dict[int, int]:
        """Return the version of every indexed article, by id. Raises IndexUnavailableError."""

    def is_outdated(self) -> bool:
        """Return whether the index has the format of another release. Never raises.

        Such an index still answers searches, but cannot be changed until it is rebuilt.
        """

    def delete_unused(self) -> None:
        """Delete what interrupted rebuilds have left. Never raises."""

    def is_fragmented(self) -> bool:
        """Return whether many small commits have made searches slow and a rebuild worthwhile.

        Raises IndexUnavailableError.
        """

    def size(self) -> int:
        """Return the bytes that the index takes up, 0 if it is missing.

        Raises IndexUnavailableError.
        """

    def close(self) -> None:
        """Close the open files. The next call opens them again."""


def open_index(directory: Path, zone: tzinfo = UTC) -> Index:
    """Return the index in `directory`, which need not exist. Files are opened only when needed.

    Days and years are those of `zone`. The index stores times, so a new zone does not need a new
    index.
    """
    # Whoosh takes 100 ms to import, and most commands never search.
    from spectator.search.whoosh.index import WhooshIndex

    return WhooshIndex(directory, zone)


def open_shared_index(database: Database, name: str, zone: tzinfo = UTC) -> Index:
    """Return an index in PostgreSQL, which all hosts share; it need not exist.

    `name` is a word of lower-case letters and digits, and distinguishes the database's indexes.
    """
    from spectator.search.postgres.index import PostgresIndex

    return PostgresIndex(database, name, zone)


def engine_fault() -> str:
    """Return one sentence if the installed Whoosh cannot be used, else ""."""
    from spectator.search.whoosh.internals import layout_fault

    return layout_fault()
