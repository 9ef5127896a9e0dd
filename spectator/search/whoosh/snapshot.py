"""The index as it stood at one commit: an open Whoosh searcher, and two numbers for every document in memory."""

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

from spectator.search import IndexUnavailableError
from spectator.search.whoosh.budget import Budget
from spectator.search.whoosh.facets import Facets, concatenate_facets, read_facets
from spectator.search.whoosh.generations import Generation, Generations
from spectator.search.whoosh.schema import COLUMNS, TEXT_FIELDS
from spectator.times import day_start

_OPEN_ATTEMPTS = 10
_PAUSE_SECONDS = 0.02
_MAX_CACHED_FREQUENCIES = 50_000


# BM25 (Robertson and Zaragoza, 2009): how fast more of the same word counts less, and how much long texts are held
# back; the usual values. Lengths are held against fixed ones, so that a segment's numbers never change.
BM25_K1, BM25_B = 1.2, 0.75
AVERAGE_LENGTHS = {"headline": 10, "body": 400}


@dataclass(frozen=True, slots=True)
class SegmentColumns:
    """Of every document in a segment: the article's id, when it was published (epoch seconds), its year, the rest.

    A damper is what BM25 holds a word's count against in a text of this length, by field.
    """

    article_ids: array[int]
    published_at: array[int]
    years: array[int]
    length_norms: dict[str, array[float]]
    facets: Facets


def open_snapshot(
    generations: Generations, previous: Snapshot | None = None, zone: tzinfo = UTC
) -> Snapshot:
    """The current state of the index, whatever a writer is doing meanwhile.

    `previous`, of the same time zone, lends the numbers of the segments that both share.
    Raises IndexUnavailable where there is no index,
    and anything at all where there is a damaged one.
    """
    failures = 0
    for _ in range(_OPEN_ATTEMPTS):
        generation = generations.current()
        if generation is None:
            raise IndexUnavailableError("there is no search index")
        commits = generation.toc_files()
        try:
            snapshot = Snapshot(generation, previous, zone)
        except Exception:
            failures += generations.current() == generation and generation.toc_files() == commits
            # Twice, because a directory that is being written may be listed with a name missing.
            if failures > 1:
                raise
        else:
            # A commit meanwhile may have deleted a file just before it was to be opened, and Whoosh takes a
            # missing column for an empty one.
            if generation.toc_files() == commits:
                return snapshot
            snapshot.close()
        time.sleep(_PAUSE_SECONDS)
    raise IndexUnavailableError("the search index changes faster than it can be opened")


class Snapshot:
    """One open state of the index. Not for two threads at once: Whoosh's files have one read position each."""

    def __init__(
        self, generation: Generation, previous: Snapshot | None = None, zone: tzinfo = UTC
    ) -> None:
        self.generation = generation
        self.zone = zone
        # Opened anew each time: Searcher.refresh() hands on readers that know only the deletions of their time.
        self.searcher = open_dir(str(generation.path)).searcher()
        self.leaves = [
            (leaf, base)
            for leaf, base in self.searcher.reader().leaf_readers()
            if leaf.doc_count_all()
        ]
        self._segments: dict[str, SegmentColumns] = {}
        self._frequencies: dict[str, int] = {}
        self.budget = Budget()  # of the search that is using it
        try:
            generation.check_files()
            for leaf, _ in self.leaves:
                _open_all_files(leaf)
                name = leaf.segment().segment_id()
                known = previous._segments.get(name) if previous else None
                self._segments[name] = known or _read_columns(leaf, zone)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close every file."""
        if not self.searcher.is_closed:
            self.searcher.close()

    @cached_property
    def article_ids(self) -> array[int]:
        """The article's id, by Whoosh's document number."""
        return _concatenate(numbers.article_ids for numbers in self._segments.values())

    @cached_property
    def published_at(self) -> array[int]:
        """When the article was published in epoch seconds, by document number."""
        return _concatenate(numbers.published_at for numbers in self._segments.values())

    @cached_property
    def years(self) -> array[int]:
        """The year in the index's time zone in which the article was published, by document number."""
        return _concatenate((numbers.years for numbers in self._segments.values()), "h")

    @cached_property
    def length_norms(self) -> dict[str, array[float]]:
        """By field and document number what BM25 holds a word's count against."""
        parts = [numbers.length_norms for numbers in self._segments.values()]
        return {
            field: _concatenate((part[field] for part in parts), "f") for field in AVERAGE_LENGTHS
        }

    @cached_property
    def facets(self) -> Facets:
        """What each document is filed under."""
        return concatenate_facets(numbers.facets for numbers in self._segments.values())

    @cached_property
    def deleted(self) -> frozenset[int]:
        """The numbers of documents that are deleted; lists of words still have them."""
        return frozenset(
            base + each for leaf, base in self.leaves for each in leaf._perdoc.deleted_docs()
        )

    @cached_property
    def document_numbers(self) -> dict[int, int]:
        """The document number of each article by its id."""
        return {self.article_ids[document]: document for document in self.newest_first}

    @cached_property
    def facet_counts(self) -> dict[str, Counter[str]]:
        """How many articles are filed under each slug, by facet."""
        return {name: facet.count_slugs(self.newest_first) for name, facet in self.facets.items()}

    def document_frequency(self, word: str) -> int:
        """In how many documents' bodies a word is; kept, because many articles ask for the same words."""
        known = self._frequencies.get(word)
        if known is None:
            known = sum(leaf.doc_frequency("body", word) for leaf, _ in self.leaves)
            if len(self._frequencies) < _MAX_CACHED_FREQUENCIES:
                self._frequencies[word] = known
        return known

    @cached_property
    def newest_first(self) -> list[int]:
        """The numbers of all documents that are not deleted, newest article first."""
        return sorted(self.searcher.reader().all_doc_ids(), key=self.date_sort_key, reverse=True)

    def date_sort_key(self, document: int) -> tuple[int, int]:
        """What documents are sorted by when sorted by date: never equal for two articles."""
        return self.published_at[document], self.article_ids[document]

    @property
    def segment_count(self) -> int:
        """How many parts the index has; every search looks into each."""
        return len(self._segments)

    def versions(self) -> dict[int, int]:
        """Each article's version by its id."""
        version = _concatenate(_read_column(leaf, "version") for leaf, _ in self.leaves)
        return {self.article_ids[document]: version[document] for document in self.newest_first}


def _open_all_files(leaf: Any) -> None:
    """Make a segment's reader open what it would open lazily, when a merge may have deleted the files."""
    leaf.stored_fields(0)
    for column in COLUMNS:
        if not leaf.has_column(column):
            raise FileNotFoundError(f"{leaf.segment()} has lost its column {column}")
        leaf.column_reader(column)
    for field in TEXT_FIELDS:
        if leaf.field_length(field) and leaf.doc_field_length(0, field, default=-1) == -1:
            raise FileNotFoundError(f"{leaf.segment()} has lost the lengths of {field}")


def _read_columns(leaf: Any, zone: tzinfo) -> SegmentColumns:
    published = _read_column(leaf, "published")
    return SegmentColumns(
        _read_column(leaf, "article"),
        published,
        _publication_years(published, zone),
        {
            field: _length_norms(_read_column(leaf, f"{field}_length"), usual)
            for field, usual in AVERAGE_LENGTHS.items()
        },
        read_facets(leaf.column_reader("facets", translate=False)),
    )


def _publication_years(published: array[int], zone: tzinfo) -> array[int]:
    """The years in a time zone of moments in epoch seconds."""
    if not published:
        return array("h")
    first, last = (time.gmtime(moment).tm_year for moment in (min(published), max(published)))
    first = max(first - 1, 1)
    starts = [day_start(date(year, 1, 1), zone) for year in range(first, min(last + 1, 9999) + 1)]
    return array("h", [first + max(bisect_right(starts, moment) - 1, 0) for moment in published])


def _length_norms(lengths: array[int], usual: int) -> array[float]:
    base, slope = BM25_K1 * (1 - BM25_B), BM25_K1 * BM25_B / usual
    return array("f", [base + slope * length for length in lengths])


def _read_column(leaf: Any, name: str) -> array[int]:
    return array("q", leaf.column_reader(name, translate=False).load())


def _concatenate(parts: Iterator[array[Any]], typecode: str = "q") -> array[Any]:
    whole = array(typecode)
    for part in parts:
        whole.extend(part)
    return whole
