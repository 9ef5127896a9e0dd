"""Reading export files of Ghost as a stream: shapes, damage, size and memory."""

from __future__ import annotations

import json
import tracemalloc
from io import BytesIO
from typing import Any

import pytest

from spectator.importers.ghost import joins, tables
from spectator.importers.ghost.tables import GhostError, Row, read_rows
from tests.ghost_samples import export, post

DATA = {
    "posts": [{"id": 1, "title": 'é "]}', "n": [-1.5e3, None, True, {}]}, {"id": 2}],
    "tags": [],
    "other": {"a": ["}"]},
}


def rows(data: Any) -> list[Row]:
    return list(
        read_rows(BytesIO(data if isinstance(data, bytes) else json.dumps(data).encode()))
    )


@pytest.mark.parametrize(
    "data",
    [
        {"db": [{"meta": {"version": "6"}, "data": DATA}]},
        {"meta": {"version": "004"}, "data": DATA},
        {"data": DATA, "meta": {"x": "]"}},
        DATA,
    ],
)
@pytest.mark.parametrize("chunk", [1, 7, 262_144])
def test_the_objects_around_the_tables_are_optional(
    monkeypatch: pytest.MonkeyPatch, data: Any, chunk: int
) -> None:
    monkeypatch.setattr(tables, "CHUNK_BYTES", chunk)
    for text in (json.dumps(data), json.dumps(data, ensure_ascii=False, indent=1)):
        read = rows(b"\xef\xbb\xbf" + text.encode())
        assert [row.columns for row in read] == DATA["posts"]
        assert {row.table for row in read} == {"posts"}


def test_a_file_that_is_cut_is_refused_with_the_position() -> None:
    data = export(post())
    for end in range(1, len(data)):
        with pytest.raises(GhostError, match="it is damaged at character"):
            rows(data[:end])


@pytest.mark.parametrize("data", [b"", b"[]", b"PK", b"<rss>"])
def test_another_file_is_refused(data: bytes) -> None:
    with pytest.raises(GhostError, match="it is not an export file of Ghost"):
        rows(data)


@pytest.mark.parametrize(
    "value",
    [
        '["x", "' + 'a\\"' * 5_000 + '"]',
        "[" * 5_000 + "]" * 5_000,
        '{"a": ' * 2_000 + "1" + "}" * 2_000,
    ],
)
def test_a_row_that_is_too_long_or_deep_is_skipped(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setattr(tables, "CHUNK_BYTES", 64)
    monkeypatch.setattr(tables, "MAX_ROW", 1_000)
    read = rows(f'{{"posts": [{{"id": 1, "x": {value}}}, 5, {{"id": 2}}]}}'.encode())
    assert [row.columns for row in read] == [None, None, {"id": 2}]


def test_a_long_file_takes_the_memory_of_one_row() -> None:
    class LongFile:
        number = 0

        def read(self, size: int) -> bytes:
            self.number += 1
            if self.number > 100:
                return b"{}]}}]}" if self.number == 101 else b""
            start = b'{"db": [{"data": {"posts": [' if self.number == 1 else b""
            return start + json.dumps({"id": self.number, "html": "x" * 200_000}).encode() + b","

    tracemalloc.start()
    count = 0
    for _ in read_rows(LongFile()):  # type: ignore[arg-type]
        count += 1
    assert count == 101
    assert tracemalloc.get_traced_memory()[1] < 8_000_000
    tracemalloc.stop()


def test_the_number_of_relations_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joins, "MAX_ROWS", 3)
    with pytest.raises(GhostError, match="it has too many rows"):
        joins.read_joins(read_rows(BytesIO(export())))
