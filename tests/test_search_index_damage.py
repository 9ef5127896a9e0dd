"""Damage to the search index is detected and repaired by a rebuild."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spectator.search import Index, IndexUnavailableError, SearchRequest, open_index
from spectator.search.whoosh.generations import DAMAGE_MARKER, OFFSET_FILE
from tests.search_samples import (
    MALI,
    MARKET,
    STORIES,
    open_samples,
    search_ids,
)


def leaves_files_open(test: Callable[..., None]) -> Callable[..., None]:
    """Mark a test in which Whoosh leaves files open because one is missing or damaged."""
    for warning in ("pytest.PytestUnraisableExceptionWarning", "ResourceWarning"):
        test = pytest.mark.filterwarnings(f"ignore::{warning}")(test)
    marked: Callable[..., None] = pytest.mark.usefixtures("garbage_collection")(test)
    return marked


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    """Index of the samples for one test, at offset 7."""
    with open_samples(tmp_path / "search") as index:
        yield index


def test_a_missing_index_is_unavailable(tmp_path: Path) -> None:
    index = open_index(tmp_path / "nowhere")
    assert index.offset() is None
    for attempt in (
        lambda: index.find(SearchRequest("mali")),
        index.versions,
        lambda: index.apply({}, 1),
    ):
        with pytest.raises(IndexUnavailableError):
            attempt()


def files(tmp_path: Path, pattern: str) -> list[Path]:
    paths = list((tmp_path / "search" / "current").glob(pattern))
    assert paths
    return paths


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def overwrite(path: Path) -> None:
    path.write_bytes(b"\xff" * path.stat().st_size)


@leaves_files_open
@pytest.mark.parametrize(
    "damage", [truncate, empty, overwrite, Path.unlink], ids=lambda damage: damage.__name__
)
@pytest.mark.parametrize("pattern", ["*.toc", "*.trm", "*.pst", "*.article.col", "*"])
@pytest.mark.parametrize("is_open", [True, False], ids=["open", "closed"])
def test_damage_is_detected_and_repaired_by_a_rebuild(
    index: Index, tmp_path: Path, damage: Callable[[Path], None], pattern: str, is_open: bool
) -> None:
    if is_open:
        assert search_ids(index, "mali") == {MALI.id, MARKET.id}
    else:
        index.close()
    for path in files(tmp_path, pattern):
        damage(path)
    try:
        # An open index may still find the stories, if the files are open or not needed.
        assert search_ids(index, "mali") == {MALI.id, MARKET.id}
    except IndexUnavailableError:
        assert index.offset() is None
        assert open_index(tmp_path / "search").offset() is None
        assert pattern == "*" or files(tmp_path, DAMAGE_MARKER)
    else:
        assert is_open
    index.rebuild(STORIES, 8)
    assert (index.offset(), search_ids(index, "mali")) == (8, {MALI.id, MARKET.id})
    assert not list((tmp_path / "search" / "current").glob(DAMAGE_MARKER))


@leaves_files_open
def test_a_changed_file_is_named(index: Index, tmp_path: Path) -> None:
    index.close()
    path = files(tmp_path, "*.pst")[0]
    with path.open("ab") as file:
        file.write(b"x")
    with pytest.raises(IndexUnavailableError, match=f"{path.name} was changed from outside"):
        search_ids(index, "mali")


@leaves_files_open
def test_damage_is_remembered_even_if_it_cannot_be_marked_on_disk(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_with_full_disk(self: Path) -> None:
        raise OSError(28, "No space left on device")

    index.close()
    for path in files(tmp_path, "*.trm"):
        truncate(path)
    monkeypatch.setattr(Path, "touch", fail_with_full_disk)
    for _ in range(3):
        with pytest.raises(IndexUnavailableError):
            index.find(SearchRequest("mali"))
    assert index.offset() is None


@pytest.mark.parametrize(
    "text", [b"", b"7", b"-7\n", b"seven\n", b"7\n7\n", b"\xff\n", b"9" * 40 + b"\n"]
)
def test_an_index_with_an_invalid_offset_is_unavailable(
    index: Index, tmp_path: Path, text: bytes
) -> None:
    files(tmp_path, OFFSET_FILE)[0].write_bytes(text)
    assert index.offset() is None
    with pytest.raises(IndexUnavailableError):
        open_index(tmp_path / "search").find(SearchRequest("mali"))


def test_an_index_behind_a_dangling_link_can_be_rebuilt(index: Index, tmp_path: Path) -> None:
    shutil.rmtree((tmp_path / "search" / "current").resolve())
    assert index.offset() is None
    index.rebuild(STORIES, 8)
    assert index.offset() == 8
