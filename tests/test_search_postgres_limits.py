"""The limits of a search in PostgreSQL: its time, its threads, and how many texts it reads."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from typing import Any

import pytest

from spectator.search import (
    IndexBusyError,
    SearchRequest,
)
from spectator.search.postgres import (
    facets,
    index,
    lexicon,
    ranker,
    reader,
    searcher,
    verification,
)
from spectator.search.postgres.index import PostgresIndex
from spectator.search.postgres.terms import StoredText
from tests.search_samples import (
    ABIDJAN,
    MALI,
    STORIES,
    document,
    document_ids,
    search_ids,
)
from tests.test_search_postgres import database as database
from tests.test_search_postgres import shared as shared


def test_a_search_that_takes_too_long_is_refused_as_busy(
    shared: PostgresIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "MAX_SECONDS", -1)
    with pytest.raises(IndexBusyError):
        shared.find(SearchRequest("mali"))
    assert shared.offset() == 7, "None would mean that the index must be rebuilt"


def test_a_statement_that_takes_too_long_is_ended_by_the_server(
    shared: PostgresIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = reader.LIMITS.replace("3000ms", "20ms")
    monkeypatch.setattr(reader, "LIMITS", limits)
    monkeypatch.setattr(reader, "FREQUENCIES", "SELECT pg_sleep(1), CAST(:terms AS text[])")
    started = time.monotonic()
    with pytest.raises(IndexBusyError):
        shared.find(SearchRequest("mali"))
    assert time.monotonic() - started < 0.9


def test_the_last_statement_gets_the_time_that_remains(
    shared: PostgresIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "MAX_SECONDS", 0.3)
    monkeypatch.setattr(reader, "FREQUENCIES", "SELECT pg_sleep(2), CAST(:terms AS text[])")
    started = time.monotonic()
    with pytest.raises(IndexBusyError):
        shared.find(SearchRequest("mali"))
    assert time.monotonic() - started < 1.5


@pytest.mark.parametrize("seconds", [-1, 0.2])
def test_results_do_not_wait_for_a_better_spelling(
    shared: PostgresIndex, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    assert shared.find(SearchRequest("abidjam vote")).suggestion == "abidjan vote"
    monkeypatch.setattr(searcher, "MAX_SPELLING_SECONDS", seconds)
    slow = "SELECT pg_sleep(1) WHERE :most > 0"
    monkeypatch.setattr(lexicon, "SIMILAR", slow)
    results = shared.find(SearchRequest("abidjam vote"))
    assert results.suggestion == "" and results.ids == [ABIDJAN.id]


def test_costly_searches_leave_threads_to_others(
    shared: PostgresIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "SLOT_TIMEOUT_SECONDS", 0.05)
    with ExitStack() as costly_searches:
        for _ in range(index.MAX_SEARCHES):
            costly_searches.enter_context(shared._slot())
        with pytest.raises(IndexBusyError, match="other searches"):
            shared.find(SearchRequest("mali"))
        with monkeypatch.context() as patch:
            patch.setattr(index.os, "getpid", lambda: 0)
            assert search_ids(shared, "bamako") == {MALI.id}, "a forked process has its own"
    assert search_ids(shared, "bamako") == {MALI.id}


def test_editors_searches_leave_slots_to_readers(
    shared: PostgresIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    for_editors = SearchRequest("bamako", is_for_editors=True)
    with shared._slot(is_for_editors=True):
        with monkeypatch.context() as patch:
            patch.setattr(index, "EDITORS_TIMEOUT_SECONDS", 0.05)
            with pytest.raises(IndexBusyError):
                shared.find(for_editors)
            with pytest.raises(IndexBusyError):
                shared.more_like_this(MALI)
        with ExitStack() as readers:
            for _ in range(index.MAX_SEARCHES - 1):
                readers.enter_context(shared._slot())
            assert search_ids(shared, "bamako") == {MALI.id}
    assert shared.find(for_editors).ids == [MALI.id]


def test_a_search_of_editors_waits_for_that_of_a_colleague(
    shared: PostgresIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "SLOT_TIMEOUT_SECONDS", 0.01)
    with ThreadPoolExecutor() as executor:
        with shared._slot(is_for_editors=True):
            results = executor.submit(shared.find, SearchRequest("bamako", is_for_editors=True))
            assert not wait([results], timeout=0.1).done
        assert results.result().ids == [MALI.id]
    assert index.EDITORS_TIMEOUT_SECONDS > reader.MAX_SECONDS, "one search is over by then"


def test_results_beyond_the_exact_scores_follow_by_their_rough_ones(
    shared: PostgresIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranker, "MAX_SCORED", 5)
    headlines = [document("Harbour report", "x") for _ in range(4)]
    bodies = [document("Report", "harbour x") for _ in range(9)]
    shared.apply({story.id: story for story in (*bodies, *headlines)}, 8)
    pages = [
        shared.find(SearchRequest("harbour", page=page, per_page=4)).ids for page in range(1, 6)
    ]
    assert set(pages[0]) == set(document_ids(*headlines))
    seen = [key for page in pages for key in page]
    assert sorted(seen) == sorted(document_ids(*headlines, *bodies))
    assert [len(page) for page in pages] == [4, 4, 4, 1, 0]


def test_phrases_are_looked_for_in_a_limited_number_of_texts(
    shared: PostgresIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "MAX_READ", 3)
    stories = [document("Report", "free port x") for _ in range(5)]
    shared.apply({story.id: story for story in stories}, 8)
    results = shared.find(SearchRequest('"free port"'))
    assert results.is_partial and results.ids == document_ids(*reversed(stories[2:]))
    assert not shared.find(SearchRequest("free port")).is_partial


def test_old_phrases_are_found_by_a_filter_and_from_the_oldest(
    shared: PostgresIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "MAX_READ", 3)
    old = document("Report", "free port x", section="society")
    recent = [document("Report", "free port x") for _ in range(5)]
    shared.apply({story.id: story for story in (old, *recent)}, 8)
    filtered = shared.find(SearchRequest('"free port"', section="society"))
    assert filtered.ids == [old.id] and not filtered.is_partial
    assert dict(filtered.facets["section"]) == {"society": 1, "politics": 3}
    oldest = shared.find(SearchRequest('"free port"', sort="oldest"))
    assert oldest.ids == document_ids(old, *recent[:2])


@pytest.mark.parametrize("section", ["", "politics"])
def test_all_phrases_of_a_search_share_the_texts_that_it_may_read(
    shared: PostgresIndex, monkeypatch: pytest.MonkeyPatch, section: str
) -> None:
    monkeypatch.setattr(reader, "MAX_VERIFIED", 12)
    read: list[int] = []
    texts = reader.Reader.texts

    def count(self: reader.Reader, ids: list[int]) -> Iterator[StoredText]:
        read.append(len(ids))
        return texts(self, ids)

    monkeypatch.setattr(reader.Reader, "texts", count)
    phrases = ("free port", "old town", "new road")
    stories = [document("Report", f"{phrase} x") for phrase in phrases for _ in range(9)]
    shared.apply({story.id: story for story in stories}, 8)
    query = '"free port" "old town" "new road" nowhere'
    results = shared.find(SearchRequest(query, section=section, per_page=50))
    assert results.is_partial
    bodies = {story.body for story in stories if story.id in results.ids}
    assert len(bodies) == len(phrases), "each phrase has its share"
    assert sum(read) - len(results.ids) <= 12, "besides those that are scored"


def test_texts_are_read_in_batches_of_few_bytes(
    shared: PostgresIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[int] = []
    execute = reader.Reader.execute

    def record(self: reader.Reader, template: str, values: Mapping[str, Any]) -> Sequence[Any]:
        if template == reader.TEXTS:
            statements.append(len(values["ids"]))
        return execute(self, template, values)

    monkeypatch.setattr(reader.Reader, "execute", record)
    stories = [document("Report", "harbour " + "word " * 1_000) for _ in range(9)]
    shared.apply({story.id: story for story in stories}, 8)
    expected = shared.find(SearchRequest("harbour"))
    assert statements == [9] and not expected.is_partial
    statements.clear()
    monkeypatch.setattr(reader, "MAX_BATCH_BYTES", 9_000)
    assert shared.find(SearchRequest("harbour")).ids == expected.ids
    assert statements == [2, 2, 2, 2, 1]
    monkeypatch.setattr(reader, "MAX_TEXT_BYTES", 20_000)
    partial = shared.find(SearchRequest("harbour"))
    assert partial.is_partial and set(partial.ids) < set(expected.ids)


def test_long_texts_are_ranked_without_the_distance_of_words(
    shared: PostgresIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    near = document("Report", "harbour market " + "x " * 60)
    far = document("Report", "harbour " + "x " * 60 + "market")
    shared.apply({near.id: near, far.id: far}, 8)
    assert shared.find(SearchRequest("harbour market")).ids == document_ids(near, far)
    monkeypatch.setattr(ranker, "MAX_KEPT_SIZE", 10)
    assert shared.find(SearchRequest("harbour market")).ids == document_ids(far, near)


def test_a_country_with_a_name_of_two_words_needs_no_limit_on_texts(
    shared: PostgresIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "MAX_READ", 3)
    stories = [document("Report", "Egypt x") for _ in range(6)]
    former = document("Report", "united arab republic x")
    shared.apply({story.id: story for story in (*stories, former)}, 8)
    results = shared.find(SearchRequest("Egypt"))
    assert not results.is_partial
    assert set(results.ids) == set(document_ids(*stories, former))
    assert search_ids(shared, "x -Egypt") == {former.id}  # an exclusion has no other names


def test_facets_are_counted_in_a_limited_number_of_stories(
    shared: PostgresIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facets, "MAX_COUNTED", 4)
    results = shared.find(SearchRequest(""))
    assert results.is_partial and results.total == len(STORIES) == len(results.ids)
    assert sum(count for _, count in results.facets["language"]) == 4
