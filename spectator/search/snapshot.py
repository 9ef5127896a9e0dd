"""The index as it stood at one commit: an open Whoosh searcher, and two numbers for every document in memory."""

from __future__ import annotations

import time
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from whoosh.index import open_dir

from spectator.search import IndexUnavailable
from spectator.search.generations import Generation, Generations
from spectator.search.whoosh_schema import COLUMNS, TEXT_FIELDS

_OPENING_TRIES = 10
_PAUSE_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Numbers:
    """Of every document in a segment: the article's id, and when it was published in epoch seconds."""

    article: array[int]
    published: array[int]


def open_snapshot(generations: Generations, previous: Snapshot | None = None) -> Snapshot:
    """The current state of the index, whatever a writer is doing meanwhile.

    `previous` lends the numbers of the segments that both share. Raises IndexUnavailable where there is no index,
    and anything at all where there is a damaged one.
    """
    failures = 0
    for _ in range(_OPENING_TRIES):
        generation = generations.current()
        if generation is None:
            raise IndexUnavailable("there is no search index")
        commits = generation.commits()
        try:
            snapshot = Snapshot(generation, previous)
        except Exception:
            failures += generations.current() == generation and generation.commits() == commits
            # Twice, because a directory that is being written may be listed with a name missing.
            if failures > 1:
                raise
        else:
            # A commit meanwhile may have deleted a file just before it was to be opened, and Whoosh takes a
            # missing column for an empty one.
            if generation.commits() == commits:
                return snapshot
            snapshot.close()
        time.sleep(_PAUSE_SECONDS)
    raise IndexUnavailable("the search index changes faster than it can be opened")


class Snapshot:
    """One open state of the index. Not for two threads at once: Whoosh's files have one read position each."""

    def __init__(self, generation: Generation, previous: Snapshot | None = None) -> None:
        self.generation = generation
        # Opened anew each time: Searcher.refresh() hands on readers that know only the deletions of their time.
        self.searcher = open_dir(str(generation.path)).searcher()
        self._segments: dict[str, Numbers] = {}
        try:
            generation.check_files()
            for leaf in self._leaves():
                _open_all_files(leaf)
                name = leaf.segment().segment_id()
                known = previous._segments.get(name) if previous else None
                self._segments[name] = known or _numbers(leaf)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close every file."""
        if not self.searcher.is_closed:
            self.searcher.close()

    def _leaves(self) -> list[Any]:
        return [leaf for leaf, _ in self.searcher.reader().leaf_readers() if leaf.doc_count_all()]

    @cached_property
    def article(self) -> array[int]:
        """The article's id, by Whoosh's document number."""
        return _joined(numbers.article for numbers in self._segments.values())

    @cached_property
    def published(self) -> array[int]:
        """When the article was published in epoch seconds, by document number."""
        return _joined(numbers.published for numbers in self._segments.values())

    @cached_property
    def newest(self) -> list[int]:
        """The numbers of all documents that are not deleted, newest article first."""
        return sorted(self.searcher.reader().all_doc_ids(), key=self.age, reverse=True)

    def age(self, document: int) -> tuple[int, int]:
        """What documents are sorted by when sorted by date: never equal for two articles."""
        return self.published[document], self.article[document]

    @property
    def segment_count(self) -> int:
        """How many parts the index has; every search looks into each."""
        return len(self._segments)

    def versions(self) -> dict[int, int]:
        """Each article's version by its id."""
        version = _joined(_column(leaf, "version") for leaf in self._leaves())
        return {self.article[document]: version[document] for document in self.newest}


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


def _numbers(leaf: Any) -> Numbers:
    return Numbers(_column(leaf, "article"), _column(leaf, "published"))


def _column(leaf: Any, name: str) -> array[int]:
    return array("q", leaf.column_reader(name, translate=False).load())


def _joined(parts: Iterator[array[int]]) -> array[int]:
    whole = array("q")
    for part in parts:
        whole.extend(part)
    return whole
