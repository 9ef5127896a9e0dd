"""Killing a process between a commit and its indexing loses no acknowledged story.

A story is acknowledged once its publication has returned. 20 kills in CI, 200 at full size
(environment variable `SITE_KILLS`, see `sizes.py`).
"""

from __future__ import annotations

import random
import time
from contextlib import closing, suppress
from itertools import cycle, islice
from pathlib import Path

import pytest

from spectator import queries
from spectator.db import sqlite
from spectator.search.whoosh.generations import OFFSET_FILE
from tests.drills import publisher
from tests.drills.running_site import Site, Story, eventually
from tests.drills.sizes import drill_size

pytestmark = pytest.mark.drill
SEED = 20261122
KILLS = drill_size("SITE_KILLS", ci=20, full=200)
VICTIMS = ["worker"] * 6 + ["web"] * 5 + ["publisher"] * 4 + ["master"] * 5


def test_killing_any_process_loses_no_acknowledged_story(site: Site, tmp_path: Path) -> None:
    rng, ledger = random.Random(SEED), tmp_path / "ledger"
    victims = list(islice(cycle(VICTIMS), KILLS))
    rng.shuffle(victims)
    site.spawn("tests.drills.publisher", str(ledger))
    for victim in victims:
        kill_around_indexing(site, ledger, victim, rng.uniform(0, 0.05))
    site.kill("publisher")
    check_nothing_is_lost(site, acknowledged(ledger))


def kill_around_indexing(site: Site, ledger: Path, victim: str, delay_seconds: float) -> None:
    """Kill the victim between a commit and its indexing, or soon after.

    Restart a killed master or publisher; the site restarts web processes and workers itself.
    """
    count = len(acknowledged(ledger))
    eventually(lambda: len(acknowledged(ledger)) > count, 15, "another publication")
    eventually(lambda: site.processes(victim), 40, f"a {victim} to kill")
    old_workers = site.processes("worker")
    eventually(
        lambda: newest_outbox_number(site) > index_offset(site),
        15,
        "a commit that is not yet indexed",
        pause_seconds=0.005,
    )
    time.sleep(delay_seconds)
    site.kill(victim)
    if victim == "master":
        site.start()
        eventually(
            lambda: old_workers.isdisjoint(site.processes()),
            10,
            "the killed master's worker exits",
        )
    elif victim == "publisher":
        site.spawn("tests.drills.publisher", str(ledger))


def check_nothing_is_lost(site: Site, stories: list[Story]) -> None:
    """Check that every acknowledged story is public and findable, and that all processes run."""
    site.assert_findable(reversed(stories), 10, "after the last kill")
    for story in stories:
        assert site.get(story.path).status == 200, story
    with site.app_context():
        assert {story.id for story in stories} <= set(queries.published_versions())
    with closing(sqlite.connect(str(site.data / "spectator.db"))) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert site.is_index_correct()
    eventually(lambda: len(site.processes("worker")) == 1, 5, "exactly one worker")
    eventually(lambda: len(site.processes("web")) == 2, 10, "two web processes")


def acknowledged(ledger: Path) -> list[Story]:
    """Return the stories recorded by the publisher."""
    if not ledger.exists():
        return []
    return publisher.parse_ledger(ledger.read_text(encoding="utf-8").splitlines())


def newest_outbox_number(site: Site) -> int:
    """Return the number of the outbox's newest row."""
    with closing(sqlite.connect(str(site.data / "spectator.db"))) as connection:
        return int(connection.execute("SELECT max(seq) FROM outbox").fetchone()[0] or 0)


def index_offset(site: Site) -> int:
    """Return the number of the last outbox row that is indexed; 0 without an index."""
    for _ in range(2):  # the worker may switch to a new build of the index while this one is read
        with suppress(FileNotFoundError):
            return int((site.data / "index" / "current" / OFFSET_FILE).read_text().split()[0])
    return 0
