"""The search index as a store: formats, changes, rebuilds."""

from __future__ import annotations

import os
import pickle
import re
import shutil
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from spectator.search import Document, Index, SearchRequest, open_index
from spectator.search.whoosh import index as whoosh_index
from spectator.search.whoosh import schema as whoosh_schema
from tests.search_samples import (
    ABIDJAN,
    MALI,
    MARKET,
    STORIES,
    document,
    document_ids,
    open_samples,
    search_ids,
)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    """Index of the samples for one test, at offset 7."""
    with open_samples(tmp_path / "search") as index:
        yield index


# Formats


def test_the_pickled_schema_names_only_the_stable_module() -> None:
    """Whoosh pickles the schema, and an index of an older release must open without a rebuild."""
    pickled = pickle.dumps(whoosh_schema.make_schema())
    assert set(re.findall(rb"spectator[\w.]*", pickled)) == {b"spectator.search.analysis"}


def test_an_index_without_the_newest_field_can_be_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Search an index of an older release, which lacks a field."""
    schema, fields = whoosh_schema.make_schema(), whoosh_schema.document_fields
    schema.remove(whoosh_schema.JOINED)
    monkeypatch.setattr("spectator.search.whoosh.writer.make_schema", lambda: schema)
    monkeypatch.setattr(
        "spectator.search.whoosh.writer.document_fields",
        lambda story: {
            name: value for name, value in fields(story).items() if name != whoosh_schema.JOINED
        },
    )
    older = open_index(tmp_path / "search")
    older.rebuild(STORIES, 7)
    assert (
        search_ids(older, "Cote d'Ivoire")
        == search_ids(older, "cote")
        == set(document_ids(ABIDJAN))
    )
    assert (
        search_ids(older, "N'Golo")
        == search_ids(older, "maaikata")
        == search_ids(older, "maaik*")
        == set()
    )
    assert older.suggest("mali").articles == document_ids(MALI)
    older.close()


# Changes


class _Segment:
    def __init__(self, size: int) -> None:
        self.size = size

    def list_files(self, _storage: object) -> list[str]:
        return []

    def doc_count_all(self) -> int:
        return self.size


@pytest.mark.parametrize(
    ("sizes", "remaining"),
    [
        ([10_000] + [1] * 7, [10_000] + [1] * 7),
        ([10_000] + [1] * 8, [10_000]),
        ([10_000, 24] + [1] * 7 + [30] * 7, [10_000] + [30] * 7),
        ([10_000] + [30] * 8, [10_000]),
        ([10_000, 500] + [60] * 8, [10_000, 500] + [60] * 4),
        ([190] * 9, [190] * 9),
    ],
)
def test_only_small_segments_are_merged(
    monkeypatch: pytest.MonkeyPatch, sizes: list[int], remaining: list[int]
) -> None:
    copied: list[int] = []

    class Reader:
        def __init__(self, storage: object, schema: object, segment: _Segment) -> None:
            self.size = segment.size

        def close(self) -> None:
            copied.append(self.size)

    class Writer:
        storage = schema = None

        def add_reader(self, reader: Reader) -> None:
            assert reader.size < 200

    monkeypatch.setattr(whoosh_schema, "SegmentReader", Reader)
    segments = whoosh_schema.merge_small_segments(Writer(), [_Segment(size) for size in sizes])
    assert [segment.size for segment in segments] == remaining
    assert sorted([*copied, *remaining]) == sorted(sizes)


def test_small_segments_are_merged_and_stories_in_them_can_be_removed(
    index: Index, tmp_path: Path
) -> None:
    more = [document("Peace talks") for _ in range(20)]
    for position, story in enumerate(more, 8):
        index.apply({story.id: story}, position)
    segments = list((tmp_path / "search" / "current").glob("*.trm"))
    assert 1 <= len(segments) <= 8
    for position, story in enumerate([*more, *STORIES], 28):
        index.apply({story.id: None}, position)
    assert index.find(SearchRequest()).total == index.find(SearchRequest("peace")).total == 0
    index.apply({MALI.id: MALI}, 99)
    assert search_ids(index, "mali") == {MALI.id}


def test_an_index_of_many_segments_is_fragmented(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whoosh_index, "_MAX_SEGMENTS", 2)
    for position in (8, 9):
        assert not index.is_fragmented()
        index.apply(
            {story.id: story for story in (document("Bulk") for _ in range(20))}, position
        )
    assert index.is_fragmented()


def test_a_failed_change_leaves_the_last_commit(index: Index) -> None:
    broken = replace(MALI, version="two")  # type: ignore[arg-type]
    with pytest.raises(struct.error):
        index.apply({MARKET.id: None, MALI.id: broken}, 8)
    assert search_ids(index, "mali") == {MALI.id, MARKET.id}
    assert index.offset() is None, "the index may be damaged, so it needs a rebuild"


# Rebuilding


def test_a_rebuild_replaces_everything(index: Index, tmp_path: Path) -> None:
    done: list[int] = []
    index.rebuild(iter([MALI, MARKET]), 11, done.append)
    assert done == [1, 2]
    assert (index.offset(), index.find(SearchRequest()).ids) == (11, document_ids(MARKET, MALI))
    assert len(list((tmp_path / "search").glob("generation-*"))) == 1


def test_an_open_index_is_searched_after_its_directory_was_deleted(
    index: Index, tmp_path: Path
) -> None:
    assert search_ids(index, "mali") == {MALI.id, MARKET.id}
    shutil.rmtree(tmp_path / "search")
    assert search_ids(index, '"burkina faso"') == {MALI.id}
    assert index.offset() is None
    index.rebuild(STORIES, 9)
    assert (index.offset(), search_ids(index, "mali")) == (9, {MALI.id, MARKET.id})


def test_a_failed_rebuild_leaves_the_old_index_and_no_other_files(
    index: Index, tmp_path: Path
) -> None:
    def stories() -> Iterator[Document]:
        yield MALI
        raise OSError("the database is gone")

    with pytest.raises(OSError, match="the database is gone"):
        index.rebuild(stories(), 8)
    assert (index.offset(), index.find(SearchRequest()).total) == (7, len(STORIES))
    assert len(list((tmp_path / "search").glob("generation-*"))) == 1


def test_only_the_owner_can_enter_the_directory(index: Index, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        index.rebuild(STORIES, 8)
    finally:
        os.umask(before)
    for path in (tmp_path / "search", (tmp_path / "search" / "current").resolve()):
        assert path.stat().st_mode & 0o777 == 0o700
