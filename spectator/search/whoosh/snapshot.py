"""A snapshot of the index at one commit: an open Whoosh searcher, with its columns in memory."""

from __future__ import annotations

import time
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, tzinfo
from functools import cached_property
from typing import Any

from whoosh.index import open_dir

from spectator.i18n import gettext
from spectator.search import IndexUnavailableError
from spectator.search.relevance import AVERAGE_LENGTHS, LENGTH_NORMS
from spectator.search.whoosh.budget import Budget
from spectator.search.whoosh.facets import Facets, concatenate_facets, read_facets
from spectator.search.whoosh.generations import Generation, Generations
from spectator.search.whoosh.internals import check_layout, deleted_documents
from spectator.search.whoosh.schema import COLUMNS, TEXT_FIELDS, WORD_LIST
from spectator.times import day_start

_OPEN_ATTEMPTS = 10
_PAUSE_SECONDS = 0.02
_MAX_CACHED_FREQUENCIES = 50_000


@dataclass(frozen=True, slots=True)
class SegmentColumns:
    """The columns of a segment, by document number. Publication times are epoch seconds.

    `length_norms` has, by field, the part of BM25's denominator that depends on the length of the
    text.
    """

    article_ids: array[int]
    published_at: array[int]
    years: array[int]
    length_norms: dict[str, array[float]]
    facets: Facets


def open_snapshot(
    generations: Generations, previous: Snapshot | None = None, zone: tzinfo = UTC
) -> Snapshot:
    """Return a snapshot of the current index, even while a writer is committing.

    Columns of shared segments are taken from `previous`, which must have the same time zone.
    Raises IndexUnavailableError if there is no index, and any other exception if it is damaged.
    """
    check_layout()
    failures = 0
    for _ in range(_OPEN_ATTEMPTS):
        generation = generations.current()
        if generation is None:
            raise IndexUnavailableError(gettext("there is no search index"))
        commits = generation.toc_files()
        try:
            snapshot = Snapshot(generation, previous, zone)
        except Exception:
            failures += (
                1
                if generations.current() == generation and generation.toc_files() == commits
                else 0
            )
            # One failure may be a coincidence: a listing of a changing directory can miss a file.
            if failures > 1:
                raise
        else:
            # A commit in between may have deleted a file before it was opened,
            # and Whoosh treats a missing column as empty.
            if generation.toc_files() == commits:
                return snapshot
            snapshot.close()
        time.sleep(_PAUSE_SECONDS)
    raise IndexUnavailableError(gettext("the search index is changing too fast to be opened"))


class Snapshot:
    """The index at one commit. Not thread-safe: Whoosh's files have one read position each.

    `article_ids`, `published_at` (epoch seconds), `years` (in the snapshot's time zone), and by
    field `length_norms` (of BM25) are indexed by document number.
    """

    def __init__(
        self, generation: Generation, previous: Snapshot | None = None, zone: tzinfo = UTC
    ) -> None:
        self.generation = generation
        self.zone = zone
        # Searcher.refresh() would reuse readers that miss later deletions.
        self.searcher = open_dir(str(generation.path)).searcher()
        self.leaves = [
            (leaf, base)
            for leaf, base in self.searcher.reader().leaf_readers()
            if leaf.doc_count_all()
        ]
        self.segments: dict[str, SegmentColumns] = {}
        self._frequencies: dict[str, int] = {}
        self.budget = Budget()
        try:
            generation.check_files()
            for leaf, _ in self.leaves:
                _open_all_files(leaf)
                name = leaf.segment().segment_id()
                columns = previous.segments.get(name) if previous else None
                self.segments[name] = columns or _read_columns(leaf, zone)
        except BaseException:
            self.close()
            raise
        self._join_segments()

    def _join_segments(self) -> None:
        segments = list(self.segments.values())
        self.article_ids = _concatenate(columns.article_ids for columns in segments)
        self.published_at = _concatenate(columns.published_at for columns in segments)
        self.years = _concatenate((columns.years for columns in segments), "h")
        self.length_norms = {
            field: _concatenate((columns.length_norms[field] for columns in segments), "f")
            for field in AVERAGE_LENGTHS
        }
        self.facets = concatenate_facets(columns.facets for columns in segments)

    def close(self) -> None:
        """Close every file."""
        if not self.searcher.is_closed:
            self.searcher.close()

    @cached_property
    def deleted(self) -> frozenset[int]:
        """The numbers of the deleted documents, which posting lists still contain."""
        return frozenset(
            base + document for leaf, base in self.leaves for document in deleted_documents(leaf)
        )

    @cached_property
    def document_numbers(self) -> dict[int, int]:
        """The document numbers, by article id."""
        return {self.article_ids[document]: document for document in self.newest_first}

    def word_list(self, document: int) -> bytes:
        """Return the packed words of somebody's own document, b"" of any other."""
        leaf, base = next(pair for pair in reversed(self.leaves) if pair[1] <= document)
        if WORD_LIST not in leaf.schema:  # an index of an older release
            return b""
        words: bytes = leaf.column_reader(WORD_LIST, translate=False)[document - base]
        return words

    @cached_property
    def facet_counts(self) -> dict[str, Counter[str]]:
        """The number of articles with each slug, by facet."""
        return {name: facet.count_slugs(self.newest_first) for name, facet in self.facets.items()}

    def document_frequency(self, word: str) -> int:
        """Return in how many documents' bodies a word occurs.

        Frequencies are cached, because searches for similar stories need the same words.
        """
        frequency = self._frequencies.get(word)
        if frequency is None:
            frequency = sum(leaf.doc_frequency("body", word) for leaf, _ in self.leaves)
            if len(self._frequencies) < _MAX_CACHED_FREQUENCIES:
                self._frequencies[word] = frequency
        return frequency

    @cached_property
    def newest_first(self) -> list[int]:
        """The numbers of all documents that are not deleted, newest first."""
        return sorted(self.searcher.reader().all_doc_ids(), key=self.date_sort_key, reverse=True)

    def date_sort_key(self, document: int) -> tuple[int, int]:
        """Return the sort key of a document by date. It is unique to each article."""
        return self.published_at[document], self.article_ids[document]

    def versions(self) -> dict[int, int]:
        """Return the indexed version of every article, by id."""
        version = _concatenate(_read_column(leaf, "version") for leaf, _ in self.leaves)
        return {self.article_ids[document]: version[document] for document in self.newest_first}


def _open_all_files(leaf: Any) -> None:
    """Open every file of a segment now; a later merge may delete those that Whoosh opens lazily."""
    leaf.stored_fields(0)
    for column in COLUMNS:
        if not leaf.has_column(column):
            raise FileNotFoundError(f"{leaf.segment()}: the column {column} is missing")
        leaf.column_reader(column)
    for field in TEXT_FIELDS:
        if leaf.field_length(field) and leaf.doc_field_length(0, field, default=-1) == -1:
            raise FileNotFoundError(f"{leaf.segment()}: the lengths of {field} are missing")


def _read_columns(leaf: Any, zone: tzinfo) -> SegmentColumns:
    published = _read_column(leaf, "published")
    return SegmentColumns(
        _read_column(leaf, "article"),
        published,
        _publication_years(published, zone),
        {
            field: _length_norms(field, _read_column(leaf, f"{field}_length"))
            for field in AVERAGE_LENGTHS
        },
        read_facets(leaf.column_reader("facets", translate=False)),
    )


def _publication_years(published: array[int], zone: tzinfo) -> array[int]:
    """Return the years, in a time zone, of times in epoch seconds."""
    if not published:
        return array("h")
    first, last = (time.gmtime(seconds).tm_year for seconds in (min(published), max(published)))
    first = max(first - 1, 1)
    starts = [day_start(date(year, 1, 1), zone) for year in range(first, min(last + 1, 9999) + 1)]
    return array(
        "h", [first + max(bisect_right(starts, seconds) - 1, 0) for seconds in published]
    )


def _length_norms(field: str, lengths: array[int]) -> array[float]:
    base, slope = LENGTH_NORMS[field]
    return array("f", [base + slope * length for length in lengths])


def _read_column(leaf: Any, name: str) -> array[int]:
    return array("q", leaf.column_reader(name, translate=False).load())


def _concatenate(arrays: Iterator[array[Any]], typecode: str = "q") -> array[Any]:
    result = array(typecode)
    for segment_array in arrays:
        result.extend(segment_array)
    return result
