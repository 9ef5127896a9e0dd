"""A killed import leaves only complete batches; importing the same file again completes it.

8 batches in CI, 100 at full size (variable `IMPORT_BATCHES`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from spectator.db import sqlite
from spectator.importers import runner
from tests.drills.running_site import Site
from tests.drills.sizes import drill_size

pytestmark = pytest.mark.drill
BATCHES = drill_size("IMPORT_BATCHES", ci=8, full=100)
STORIES = BATCHES * runner.BATCH_SIZE
ONE_ROW_PER_STORY = ("article", "article_author", "article_topic", "article_country")
TABLES = (*ONE_ROW_PER_STORY, "revision", "outbox")


def test_a_killed_import_leaves_only_complete_batches(
    make_site: Callable[[], Site], tmp_path: Path
) -> None:
    site, file = make_site(), tmp_path / "stories.jsonl"
    with file.open("w") as lines:
        for number in range(STORIES):
            record = {
                "id": f"k{number}",
                "headline": "The same headline",
                "body": "word " * 400,
                "topics": ["T"],
                "slug": f"s{number}",
                "author": "A",
                "countries": ["ML"],
                "published_at": "2024-05-01T10:00:00Z",
            }
            lines.write(json.dumps(record) + "\n")
    for batches in (1, 4):
        process = site.spawn("spectator", "import", "jsonl", str(file))
        deadline = time.monotonic() + 60
        while query_value(site, "SELECT count(*) FROM revision") < batches * runner.BATCH_SIZE:
            assert process.poll() is None, f"the import ended before the kill: {site.log_tail()}"
            assert time.monotonic() < deadline, f"{row_counts(site)} {site.log_tail()}"
            time.sleep(0.002)
        process.kill()
        assert process.wait(10) == -9, "the import ended before the kill"
        counts = row_counts(site)
        assert counts["article"] % runner.BATCH_SIZE == 0
        assert 0 < counts["article"] < STORIES
        assert {counts[table] for table in ONE_ROW_PER_STORY} == {counts["article"]}
        assert (
            counts["revision"]
            == counts["outbox"]
            == query_value(site, "SELECT sum(version) FROM article")
        )
    assert site.spawn("spectator", "import", "jsonl", str(file)).wait(120 + 2 * BATCHES) == 0
    counts = row_counts(site)
    assert {counts[table] for table in ONE_ROW_PER_STORY} == {STORIES}
    assert (
        counts["revision"]
        == counts["outbox"]
        == query_value(site, "SELECT sum(version) FROM article")
    )
    assert query_value(site, "PRAGMA integrity_check") == "ok"


def row_counts(site: Site) -> dict[str, int]:
    """Return the number of rows of each table."""
    return {table: query_value(site, f"SELECT count(*) FROM {table}") for table in TABLES}


def query_value(site: Site, query: str) -> Any:
    """Return the single value of a database query."""
    with closing(sqlite.connect(str(site.data / "spectator.db"))) as connection:
        return connection.execute(query).fetchone()[0]
