"""Changes and rebuilds of an index, and what searches see of them, in both engines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from spectator.search import Document, Index, IndexUnavailableError, SearchRequest
from tests.search_engines import MakeIndex
from tests.search_samples import (
    MALI,
    MARKET,
    SEGUN,
    STORIES,
    document,
    document_ids,
    search_ids,
)


@pytest.fixture
def index(make_index: MakeIndex) -> Index:
    """Index of STORIES for one test, at offset 7."""
    index = make_index()
    index.rebuild(STORIES, 7)
    return index


def test_applied_changes_are_found_and_move_the_offset(index: Index) -> None:
    story = document("Cocoa prices")
    index.apply({story.id: story}, 8)
    assert index.offset() == 8
    results = index.find(SearchRequest("cocoa"))
    assert (results.ids, results.index_offset) == ([story.id], 8)


def test_an_update_replaces_the_former_version(index: Index) -> None:
    for version in range(2, 14):
        index.apply(
            {MALI.id: replace(MALI, headline=f"Edition number{version}", version=version)},
            6 + version,
        )
        assert search_ids(index, f"number{version}") == {MALI.id}
        assert search_ids(index, f"number{version - 1}") == set()
        assert index.find(SearchRequest()).total == len(STORIES)
    assert index.versions()[MALI.id] == 13


def test_a_story_can_be_removed_and_added_again(index: Index) -> None:
    index.apply({MALI.id: None, 10**6: None}, 8)
    assert search_ids(index, "mali") == {MARKET.id}
    assert MALI.id not in index.versions()
    index.apply({MALI.id: MALI}, 9)
    assert search_ids(index, "mali") == {MALI.id, MARKET.id}


def test_an_empty_change_only_moves_the_offset(index: Index) -> None:
    index.apply({}, 12)
    assert index.offset() == index.find(SearchRequest("mali")).index_offset == 12


def test_one_commit_adds_updates_and_removes_stories(index: Index) -> None:
    more = [document("Peace talks") for _ in range(5)]
    changes: dict[int, Document | None] = {story.id: story for story in more}
    changes |= {MALI.id: replace(MALI, headline="Peace", version=2), MARKET.id: None}
    index.apply(changes, 8)
    assert search_ids(index, "peace") == {*document_ids(*more), MALI.id}
    assert search_ids(index, "cotton") == set()


def test_versions(index: Index) -> None:
    index.apply({MALI.id: replace(MALI, version=5)}, 8)
    assert index.versions() == {story.id: 1 for story in STORIES} | {MALI.id: 5}


def test_a_change_that_expects_another_offset_is_refused(index: Index) -> None:
    index.apply({}, 8, expected_offset=7)
    with pytest.raises(IndexUnavailableError):
        index.apply({MALI.id: None}, 9, expected_offset=7)
    assert (index.offset(), search_ids(index, "mali sahel")) == (8, {MALI.id})


def test_a_long_word_and_an_empty_story_can_be_indexed(index: Index) -> None:
    long, empty = document("x" * 100_000, section=""), document("", language="")
    index.apply({long.id: long, empty.id: empty}, 8)
    assert search_ids(index, "x" * 150) == {long.id}
    assert index.find(SearchRequest()).total == len(STORIES) + 2


def test_an_empty_index_answers(make_index: MakeIndex) -> None:
    index = make_index()
    index.rebuild([], 0)
    assert index.offset() == 0
    for text in ("", "mali", '"mali faso"', "mali*", "-mali", "mali faso"):
        assert index.find(SearchRequest(text, section="politics")).total == 0
        assert index.find(SearchRequest(text)).total == 0
    assert index.versions() == {}
    index.apply({MALI.id: MALI}, 1)
    assert search_ids(index, "mali") == {MALI.id}


def test_readers_use_the_old_generation_until_a_rebuild_ends(make_index: MakeIndex) -> None:
    index, other = make_index("read"), make_index("read")
    index.rebuild(STORIES, 7)

    def stories() -> Iterator[Document]:
        yield MALI
        assert search_ids(other, "cotton") == {MARKET.id}
        other.apply({MARKET.id: replace(MARKET, headline="Millet")}, 8)
        assert search_ids(other, "millet") == {MARKET.id}
        yield SEGUN

    index.rebuild(stories(), 7)
    assert other.offset() == 7
    assert search_ids(other, "cotton") == search_ids(other, "millet") == set()
    assert search_ids(other, "mali") == {MALI.id}


def test_only_one_rebuild_at_a_time(make_index: MakeIndex) -> None:
    index = make_index("rebuilt")

    def stories() -> Iterator[Document]:
        with pytest.raises(IndexUnavailableError):
            make_index("rebuilt").rebuild([], 1)
        yield MALI

    index.rebuild(stories(), 8)
    assert index.find(SearchRequest()).ids == [MALI.id]


def test_a_missing_index_is_unavailable(make_index: MakeIndex) -> None:
    index = make_index()
    assert index.offset() is None
    for attempt in (
        lambda: index.find(SearchRequest("mali")),
        index.versions,
        lambda: index.apply({}, 1),
    ):
        with pytest.raises(IndexUnavailableError):
            attempt()


def test_a_rebuild_reports_its_progress_and_replaces_everything(index: Index) -> None:
    done: list[int] = []
    index.rebuild(iter([MALI, MARKET]), 11, done.append)
    assert done == [1, 2]
    assert (index.offset(), index.find(SearchRequest()).ids) == (11, document_ids(MARKET, MALI))


def test_a_failed_rebuild_leaves_the_old_index_and_can_be_repeated(index: Index) -> None:
    def stories() -> Iterator[Document]:
        yield MALI
        raise OSError("the database is gone")

    with pytest.raises(OSError, match="the database is gone"):
        index.rebuild(stories(), 8)
    assert (index.offset(), index.find(SearchRequest()).total) == (7, len(STORIES))
    index.rebuild([MALI], 8)
    assert (index.offset(), index.find(SearchRequest()).total) == (8, 1)


def test_an_index_has_a_size(make_index: MakeIndex) -> None:
    index = make_index()
    assert index.size() == 0
    index.rebuild(STORIES, 7)
    small = index.size()
    assert small > 0
    index.rebuild([document("Report", f"word{number}" * 20) for number in range(500)], 8)
    assert index.size() > small
