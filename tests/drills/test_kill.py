"""Any process may be killed between a commit and its indexing: nothing acknowledged is lost, all becomes findable."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from spectator import indexing, outbox
from spectator.db import sqlite
from tests.drills import publisher
from tests.drills.running_site import Site, Story, eventually

pytestmark = pytest.mark.drill
SEED = 20261122
VICTIMS = ["worker"] * 6 + ["web"] * 5 + ["publisher"] * 4 + ["master"] * 5


def test_twenty_kills_lose_nothing(site: Site, tmp_path: Path) -> None:
    chance, ledger = random.Random(SEED), tmp_path / "ledger"
    victims = chance.sample(VICTIMS, len(VICTIMS))
    site.spawn("tests.drills.publisher", str(ledger))
    behind = sum(strike(site, ledger, victim, chance.uniform(0, 0.15)) for victim in victims)
    print(f"{behind} of {len(victims)} kills fell between a commit and its indexing")
    assert behind >= len(victims) // 2
    site.kill("publisher")
    stories = acknowledged(ledger)
    assert len(stories) > len(victims)
    check_nothing_is_lost(site, stories)


def strike(site: Site, ledger: Path, victim: str, delay_seconds: float) -> bool:
    """Kill the victim shortly after a commit, start again what nobody else does; say whether the index was behind."""
    known = len(acknowledged(ledger))
    eventually(lambda: len(acknowledged(ledger)) > known, 15, "another publication")
    workers = site.processes("worker")
    time.sleep(delay_seconds)
    is_behind = edition(site) > position(site)
    site.kill(victim)
    if victim == "master":
        site.start()
        gone = "the worker of a dead master leaves by itself"
        eventually(lambda: not workers & site.processes(), 10, gone)
    elif victim == "publisher":
        site.spawn("tests.drills.publisher", str(ledger))
    return is_behind


def check_nothing_is_lost(site: Site, stories: list[Story]) -> None:
    """Every acknowledged story is there, answers and is findable; database and index are whole; one worker runs."""
    site.must_find(reversed(stories), 10, "after the last kill")
    for story in stories:
        assert site.get(story.path).status == 200, story
    with site.opened():
        assert {story.id for story in stories} <= set(indexing.queries.published_versions())
    connection = sqlite.connect(str(site.data / "spectator.db"))
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    assert site.is_index_true()
    eventually(lambda: len(site.processes("worker")) == 1, 5, "exactly one worker")
    assert len(site.processes("web")) == 2


def acknowledged(ledger: Path) -> list[Story]:
    """Return what the publisher has noted."""
    return publisher.read(ledger.read_text().splitlines()) if ledger.exists() else []


def edition(site: Site) -> int:
    """Return the newest number of the outbox."""
    with site.opened():
        return outbox.edition()


def position(site: Site) -> int:
    """Return the number that the index has reached."""
    noted = site.data / "index" / "current" / "position"
    return int(noted.read_text().split()[0]) if noted.exists() else 0
