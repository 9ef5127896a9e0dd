"""The search index with several threads and processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from spectator.search import Index, SearchRequest
from tests.search_samples import (
    ABIDJAN,
    HAUSA,
    MALI,
    MARKET,
    SEGUN,
    document_ids,
    open_samples,
)
from tests.test_search_index_damage import leaves_files_open


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    """Index of the samples for one test, at offset 7."""
    with open_samples(tmp_path / "search") as index:
        yield index


@leaves_files_open
def test_threads_get_right_results_while_changes_are_committed(index: Index) -> None:
    stop = time.monotonic() + 1.5
    failures: list[object] = []

    def search(text: str, expected: list[int]) -> None:
        while time.monotonic() < stop:
            try:
                results = index.find(SearchRequest(text, sort="newest"))
                if results.ids != expected:
                    failures.append((text, results))
            except Exception as error:
                failures.append(error)

    cases = [
        ("mali faso", document_ids(MARKET, MALI)),
        ('"burkina faso"', document_ids(MALI)),
        ("ḍan ta*", document_ids(HAUSA)),
        ("ivoire", document_ids(ABIDJAN)),
    ]
    threads = [threading.Thread(target=search, args=case) for case in cases]
    for thread in threads:
        thread.start()
    position = 7
    while time.monotonic() < stop:
        position += 1
        index.apply(
            {10**6 + position % 40: replace(SEGUN, id=10**6 + position % 40, version=position)},
            position,
        )
    for thread in threads:
        thread.join()
    assert position > 9
    assert failures == []


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from spectator.search import Document, open_index

index = open_index(Path(sys.argv[1]))
for number in range(1, 6):
    headline, moment = f"Headline serial{number}", datetime(2030, 1, number, tzinfo=UTC)
    story = Document(
        10**7 + number, 1, headline, "", "", "", "politics", (), (), (), "en", moment
    )
    index.apply({story.id: story}, 100 + number)
    print(number, flush=True)
    sys.stdin.readline()
"""


def test_stories_indexed_by_another_process_are_found(index: Index, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "search")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as writer:
        assert writer.stdin
        assert writer.stdout
        for number in range(1, 6):
            assert writer.stdout.readline() == f"{number}\n"
            results = index.find(SearchRequest(f"serial{number}"))
            assert (results.ids, results.index_offset) == ([10**7 + number], 100 + number)
            writer.stdin.write("\n")
            writer.stdin.flush()
    assert writer.returncode == 0


def test_a_forked_child_does_not_wait_for_locks_of_its_parents_threads(index: Index) -> None:
    results = index.find(SearchRequest("mali"))
    with index._reader_state.lock:  # type: ignore[attr-defined]  # as if another thread were searching
        child = os.fork()
        if child == 0:
            status = 1
            try:
                signal.alarm(5)
                status = 0 if index.find(SearchRequest("mali")) == results else 1
            finally:
                os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert index.find(SearchRequest("mali")) == results
