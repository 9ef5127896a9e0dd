"""The search index in PostgreSQL: its tables, and several hosts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from spectator.db import postgresql_engine
from spectator.db.postgresql_engine import DerivedDatabase
from spectator.search import (
    Document,
    IndexBusyError,
    IndexUnavailableError,
    SearchRequest,
)
from spectator.search.postgres import (
    generations,
    index,
    writer,
)
from spectator.search.postgres.generations import Generation, current_generation
from spectator.search.postgres.index import PostgresIndex
from tests.search_engines import MakeIndex
from tests.search_samples import (
    MALI,
    MARKET,
    STORIES,
    document,
    search_ids,
)

LIST_TERMS = "SELECT term, documents FROM {terms} ORDER BY term"
Execute = Callable[[str], list[tuple[object, ...]]]


@pytest.fixture
def database(search_database: DerivedDatabase | None, make_index: MakeIndex) -> DerivedDatabase:
    """Database of the indexes."""
    if search_database is None:
        pytest.skip("needs PostgreSQL: python -m tests.postgresql pytest …")
    return search_database


@pytest.fixture
def shared(database: DerivedDatabase, make_index: MakeIndex) -> PostgresIndex:
    """Index of STORIES for one test, at offset 7."""
    shared = make_index()
    shared.rebuild(STORIES, 7)
    assert isinstance(shared, PostgresIndex)
    return shared


def generation_of(database: DerivedDatabase, shared: PostgresIndex) -> Generation:
    with database.reading() as connection:
        generation = current_generation(connection, shared._name)
    assert generation
    return generation


def read(database: DerivedDatabase, sql: str, generation: Generation) -> list[tuple[object, ...]]:
    with database.reading() as connection:
        return [tuple(row) for row in connection.execute(generation.sql(sql))]


def tables(database: DerivedDatabase, shared: PostgresIndex) -> set[str]:
    with database.reading() as connection:
        return set(connection.scalars(text(generations.LIST_TABLES), {"name": shared._name}))


# Tables


def test_a_rebuild_drops_the_tables_of_the_generation_before(
    database: DerivedDatabase, shared: PostgresIndex
) -> None:
    before = tables(database, shared)
    assert len(before) == 2
    shared.rebuild([MALI], 8)
    assert len(tables(database, shared)) == 2 and tables(database, shared).isdisjoint(before)


def test_a_failed_rebuild_leaves_no_tables(
    database: DerivedDatabase, shared: PostgresIndex
) -> None:
    before = tables(database, shared)

    def stories() -> Iterator[Document]:
        yield MALI
        assert len(tables(database, shared)) == 4
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="disk is gone"):
        shared.rebuild(stories(), 8)
    assert tables(database, shared) == before


def test_frequencies_after_many_changes_are_those_of_a_rebuilt_index(
    database: DerivedDatabase, shared: PostgresIndex, make_index: MakeIndex
) -> None:
    added = [document("N'Golo and élan", "votes voting vote") for _ in range(3)]
    changed = replace(MARKET, headline="Millet", topics=("food",), version=2)
    shared.apply({story.id: story for story in added}, 8)
    shared.apply({MALI.id: None, MARKET.id: changed, added[0].id: None, 10**6: None}, 9)
    rest = [story for story in (*STORIES, *added[1:]) if story not in (MALI, MARKET)]
    fresh = make_index()
    assert isinstance(fresh, PostgresIndex)
    fresh.rebuild([*rest, changed], 9)
    rows, expected = (
        read(database, LIST_TERMS, one)
        for one in (generation_of(database, shared), generation_of(database, fresh))
    )
    assert rows == expected and len(rows) > 50
    counts = [generation_of(database, one).document_count for one in (shared, fresh)]
    assert counts == [len(rest) + 1] * 2


@pytest.mark.parametrize(("limit", "writes"), [(None, 1), (1, 3)])
def test_a_rebuild_stores_frequencies_once_unless_there_are_too_many(
    database: DerivedDatabase,
    shared: PostgresIndex,
    make_index: MakeIndex,
    monkeypatch: pytest.MonkeyPatch,
    limit: int | None,
    writes: int,
) -> None:
    """Storing them after each batch would write frequent terms again and again."""
    expected = read(database, LIST_TERMS, generation_of(database, shared))
    sizes: list[int] = []
    add = writer._add_frequencies
    monkeypatch.setattr(writer, "BATCH_DOCUMENTS", len(STORIES) // 2)
    monkeypatch.setattr(writer, "MAX_COUNTED_TERMS", limit or writer.MAX_COUNTED_TERMS)
    monkeypatch.setattr(
        writer,
        "_add_frequencies",
        lambda *arguments: sizes.append(len(arguments[2])) or add(*arguments),
    )
    other = make_index()
    assert isinstance(other, PostgresIndex)
    other.rebuild(STORIES, 7)
    assert read(database, LIST_TERMS, generation_of(database, other)) == expected
    assert len([size for size in sizes if size]) == writes


def test_tables_of_interrupted_rebuilds_are_dropped_later(
    database: DerivedDatabase, shared: PostgresIndex
) -> None:
    current = tables(database, shared)
    generations.begin_rebuild(database, shared._name)
    shared.delete_unused()
    assert len(tables(database, shared)) == 4, "it may go on"
    with database.writing() as connection:
        row = {"name": shared._name, "seconds": -1, "generation": 2}
        connection.execute(text(generations.KEEP_LEASE), row)
    shared.delete_unused()
    assert tables(database, shared) == current


def test_a_rebuild_whose_tables_were_dropped_says_so(
    database: DerivedDatabase, shared: PostgresIndex
) -> None:
    def stories() -> Iterator[Document]:
        generation = replace(generation_of(database, shared), number=2)
        with database.writing() as connection:
            connection.execute(generation.sql("DROP TABLE {documents}, {terms}"))
        yield MALI

    with pytest.raises(IndexUnavailableError, match="another process"):
        shared.rebuild(stories(), 8)
    assert shared.offset() == 7


def test_an_error_after_the_switch_does_not_drop_the_new_tables(
    shared: PostgresIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection breaks when the server has committed."""

    def switch_and_fail(*arguments: Any) -> None:
        generations.switch(*arguments)
        raise OSError("the connection is gone")

    monkeypatch.setattr(index, "switch", switch_and_fail)
    with pytest.raises(OSError, match="connection is gone"):
        shared.rebuild([MALI], 8)
    assert shared.offset() == 8 and search_ids(shared, "mali") == {MALI.id}


@pytest.mark.parametrize(
    "read_index",
    [
        lambda shared: search_ids(shared, "mali") == {MALI.id},
        lambda shared: shared.versions() == {MALI.id: 1},
    ],
)
def test_a_read_during_a_switch_reads_the_new_tables(
    shared: PostgresIndex,
    monkeypatch: pytest.MonkeyPatch,
    read_index: Callable[[PostgresIndex], bool],
) -> None:
    """The row is read, then the tables are dropped, then they are read."""
    read_once, attempts = current_generation, []

    def read_and_replace(connection: object, name: str) -> Generation | None:
        generation = read_once(connection, name)  # type: ignore[arg-type]
        attempts.append(generation)
        if len(attempts) == 1:
            with monkeypatch.context() as patch:
                patch.setattr(index, "current_generation", read_once)
                shared.rebuild([MALI], 8)
        return generation

    monkeypatch.setattr(index, "current_generation", read_and_replace)
    assert read_index(shared)
    assert len(attempts) == 2


def test_an_index_whose_tables_are_gone_is_rebuilt(
    database: DerivedDatabase, shared: PostgresIndex
) -> None:
    """As after `spectator database copy` or `restore`, which leave the tables out."""
    with database.writing() as connection:
        connection.execute(generation_of(database, shared).sql("DROP TABLE {documents}, {terms}"))
    assert shared.offset() is None
    with pytest.raises(IndexUnavailableError):
        shared.find(SearchRequest("mali"))
    shared.rebuild(STORIES, 9)
    assert shared.offset() == 9 and MALI.id in search_ids(shared, "mali")


def test_an_index_in_the_format_of_another_release_is_read_only(
    shared: PostgresIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not shared.is_outdated()
    monkeypatch.setattr(index, "FORMAT", index.FORMAT + 1)
    assert shared.is_outdated()
    with pytest.raises(IndexUnavailableError, match="format of another release"):
        shared.apply({MALI.id: None}, 8)
    assert MALI.id in search_ids(shared, "mali") and shared.offset() == 7


# Several hosts


def test_a_host_that_was_ended_during_a_rebuild_holds_up_others_for_a_while_only(
    database: DerivedDatabase, shared: PostgresIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generations, "LEASE_SECONDS", 0.3)
    ended = generations.begin_rebuild(database, shared._name)
    with pytest.raises(IndexUnavailableError, match="another process"):
        shared.rebuild([], 8)
    time.sleep(0.35)
    shared.rebuild([MALI], 8)
    assert shared.offset() == 8
    with pytest.raises(IndexUnavailableError):  # it was only frozen
        generations.switch(database, ended, 9, 0)
    assert search_ids(shared, "mali") == {MALI.id}


def test_a_long_rebuild_keeps_its_lease(
    shared: PostgresIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generations, "LEASE_SECONDS", 0.2)

    def stories() -> Iterator[Document]:
        yield MALI
        for _ in range(4):
            time.sleep(0.1)
            with pytest.raises(IndexUnavailableError):
                shared.rebuild([], 9)

    shared.rebuild(stories(), 8)
    assert shared.offset() == 8


def test_a_change_that_another_host_has_applied_is_refused(
    shared: PostgresIndex, make_index: MakeIndex
) -> None:
    other = make_index(shared._name)
    story = document("Cocoa")
    shared.apply({story.id: story}, 8, expected_offset=7)
    with pytest.raises(IndexUnavailableError, match="offset 8, not 7"):
        other.apply({story.id: story}, 8, expected_offset=7)
    assert search_ids(other, "cocoa") == {story.id} and other.offset() == 8


def test_a_frozen_host_holds_up_other_writers_for_a_while_only(
    database: DerivedDatabase, shared: PostgresIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = postgresql_engine.LIMIT_DERIVED
    monkeypatch.setattr(postgresql_engine, "LIMIT_DERIVED", limits.replace("'10s'", "'200ms'"))
    with pytest.raises(DBAPIError), database.writing() as frozen:
        current_generation(frozen, shared._name, for_update=True)
        shared.apply({MALI.id: None}, 8)  # while the other transaction sends nothing
    assert shared.offset() == 8


def test_a_writer_that_waits_too_long_finds_the_index_busy(
    database: DerivedDatabase, shared: PostgresIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = postgresql_engine.LIMIT_DERIVED
    monkeypatch.setattr(postgresql_engine, "LIMIT_DERIVED", limits.replace("'60s'", "'100ms'"))
    with database.writing() as other:
        current_generation(other, shared._name, for_update=True)
        with pytest.raises(IndexBusyError, match="another process"):
            shared.apply({MALI.id: None}, 8)
    assert shared.offset() == 7


def test_texts_are_analysed_before_the_index_is_locked(
    shared: PostgresIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def lock(connection: object, name: str, *, for_update: bool) -> None:
        calls.append("lock")

    def make_rows(documents: Iterable[Document]) -> list[object]:
        calls.extend(story.headline for story in documents)
        return []

    monkeypatch.setattr(index, "current_generation", lock)
    monkeypatch.setattr(index, "make_rows", make_rows)
    with pytest.raises(IndexUnavailableError, match="no search index"):
        shared.apply({MALI.id: MALI}, 8)
    assert calls == [MALI.headline, "lock"]
