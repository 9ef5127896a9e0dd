"""When an index can be searched and changed, and when it must be rebuilt.

A rebuild writes a new generation (a directory) and switches to it. The offset of an index is the
number of the last outbox row that it includes.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from spectator.search import Index, IndexUnavailableError, SearchRequest, open_index
from spectator.search.whoosh import index as whoosh_index
from spectator.search.whoosh import writer
from spectator.search.whoosh.schema import WORD_LIST
from tests.search_samples import MALI, STORIES, document_ids, search_ids


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    """Index of STORIES for one test, at offset 7."""
    index = open_index(tmp_path / "search")
    index.rebuild(STORIES, 7)
    yield index
    index.close()


def test_an_index_in_the_format_of_another_release_is_read_only(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not index.is_outdated()
    monkeypatch.setattr(whoosh_index, "FORMAT", whoosh_index.FORMAT + 1)
    assert index.is_outdated()
    with pytest.raises(IndexUnavailableError, match="format of another release"):
        index.apply({MALI.id: None}, 8)
    assert MALI.id in search_ids(index, "mali") and index.offset() == 7


def test_an_index_without_word_lists_answers_limited_searches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An index of format 2, until the worker has rebuilt it."""
    fields, schema = writer.document_fields, writer.make_schema()
    schema.remove(WORD_LIST)
    monkeypatch.setattr(writer, "make_schema", lambda: schema)
    monkeypatch.setattr(
        writer,
        "document_fields",
        lambda story: {key: terms for key, terms in fields(story).items() if key != WORD_LIST},
    )
    index = open_index(tmp_path / "old")
    index.rebuild(STORIES, 7)
    ids = frozenset(document_ids(*STORIES))
    assert MALI.id in search_ids(index, "mali", article_ids=ids)
    assert search_ids(index, "mal*", article_ids=ids) == set()
    index.close()


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
def test_running_out_of_file_handles_or_memory_does_not_mark_the_index_damaged(
    index: Index, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fail(*_arguments: object) -> None:
        raise OSError(number, os.strerror(number))

    index.close()
    with monkeypatch.context() as patch:
        patch.setattr(whoosh_index, "open_snapshot", fail)
        with pytest.raises(IndexUnavailableError):
            index.find(SearchRequest("mali"))
    assert index.find(SearchRequest("bamako")).ids == document_ids(MALI)


def test_a_rebuild_deletes_all_other_generations(index: Index, tmp_path: Path) -> None:
    (tmp_path / "search" / "generation-000009").mkdir()
    index.rebuild(STORIES, 8)
    names = {path.name for path in (tmp_path / "search").glob("generation-*")}
    assert len(names) == 1 and index.offset() == 8
