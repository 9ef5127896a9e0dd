"""A killed import leaves whole batches; importing the same file again completes it.

12 batches in CI, 100 at full size (`IMPORT_BATCHES`).
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
BATCHES = drill_size("IMPORT_BATCHES", ci=12, full=100)
STORIES = BATCHES * runner.BATCH_SIZE
TABLES = ("article", "article_author", "article_topic", "article_country", "revision", "outbox")


def test_a_killed_import_leaves_whole_batches(
    make_site: Callable[[], Site], tmp_path: Path
) -> None:
    site, file = make_site(), tmp_path / "stories.jsonl"
    with file.open("w") as lines:
        for number in range(STORIES):
            line = {
                "id": f"k{number}",
                "headline": "The same headline",
                "body": "word " * 400,
                "topics": ["T"],
            }
            line |= {
                "slug": f"s{number}",
                "author": "A",
                "countries": ["ML"],
                "published_at": "2024-05-01T10:00:00Z",
            }
            lines.write(json.dumps(line) + "\n")
    for batches in (1, 4):
        imported = site.spawn("spectator", "import", "jsonl", str(file))
        until = time.monotonic() + 60
        while ask(site, "SELECT count(*) FROM revision") < batches * runner.BATCH_SIZE:
            assert imported.poll() is None, f"ended by itself: {site.log_tail()}"
            assert time.monotonic() < until, f"{rows(site)} {site.log_tail()}"
            time.sleep(0.002)
        imported.kill()
        assert imported.wait(10) == -9, "it was killed while it worked"
        left = rows(site)
        assert left["article"] % runner.BATCH_SIZE == 0
        assert 0 < left["article"] < STORIES
        assert {left[table] for table in TABLES[:4]} == {left["article"]}
        assert left["revision"] == left["outbox"] == ask(site, "SELECT sum(version) FROM article")
    assert site.spawn("spectator", "import", "jsonl", str(file)).wait(120 + 2 * BATCHES) == 0
    done = rows(site)
    assert {done[table] for table in TABLES[:4]} == {STORIES}
    assert done["revision"] == done["outbox"] == ask(site, "SELECT sum(version) FROM article")
    assert ask(site, "PRAGMA integrity_check") == "ok"


def rows(site: Site) -> dict[str, int]:
    """Return the number of rows of each table."""
    return {table: ask(site, f"SELECT count(*) FROM {table}") for table in TABLES}


def ask(site: Site, question: str) -> Any:
    """Return the single value that a database query gives."""
    with closing(sqlite.connect(str(site.data / "spectator.db"))) as connection:
        return connection.execute(question).fetchone()[0]
