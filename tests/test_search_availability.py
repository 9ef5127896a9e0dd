"""When an index answers, when it may be changed, and when it must be rebuilt."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from spectator.search import Index, IndexUnavailableError, SearchRequest, open_index
from spectator.search.whoosh import index as whoosh_index
from tests.search_samples import MALI, STORIES, document_ids, search_ids


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    """Index of STORIES for one test, at offset 7."""
    index = open_index(tmp_path / "search")
    index.rebuild(STORIES, 7)
    yield index
    index.close()


def test_an_index_of_another_format_answers_but_takes_no_changes(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not index.is_outdated()
    monkeypatch.setattr(whoosh_index, "FORMAT", whoosh_index.FORMAT + 1)
    assert index.is_outdated()
    with pytest.raises(IndexUnavailableError, match="format of another release"):
        index.apply({MALI.id: None}, 8)
    assert MALI.id in search_ids(index, "mali") and index.offset() == 7


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
def test_a_shortage_of_the_process_is_no_damage(
    index: Index, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def run_out(*_arguments: object) -> None:
        raise OSError(number, "out of something")

    index.close()
    with monkeypatch.context() as patch:
        patch.setattr(whoosh_index, "open_snapshot", run_out)
        with pytest.raises(IndexUnavailableError):
            index.find(SearchRequest("mali"))
    assert index.find(SearchRequest("bamako")).ids == document_ids(MALI)


def test_a_rebuild_leaves_one_generation(index: Index, tmp_path: Path) -> None:
    (tmp_path / "search" / "generation-000009").mkdir()
    index.rebuild(STORIES, 8)
    names = {path.name for path in (tmp_path / "search").glob("generation-*")}
    assert len(names) == 1 and index.offset() == 8
