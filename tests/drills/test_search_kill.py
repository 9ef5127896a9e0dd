"""The worker is killed during index commits again and again: nothing is lost, no answer is wrong.

15 kills in CI, 100 at full size (`SEARCH_KILLS`). Nothing is served meanwhile: this process reads
the index as web processes do, through one open index that outlives every kill.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from spectator import queries
from spectator.db import db
from spectator.models import Outbox
from spectator.search import MAX_PER_PAGE, Index, SearchRequest, open_index
from tests.drills.running_site import Site, Story, eventually
from tests.drills.sizes import drill_size
from tests.drills.test_kill import acknowledged, check_nothing_is_lost

pytestmark = pytest.mark.drill
KILLS = drill_size("SEARCH_KILLS", ci=15, full=100)
SEED = 20261123
COMMIT_SECONDS = 0.01  # less than a commit takes on a fast machine, so that kills hit its parts
LOCK = {"MAIN_WRITELOCK"}
COMMON_WORD = "drill"  # every published story has it


def test_kills_in_the_middle_of_commits(make_site: Callable[[], Site], tmp_path: Path) -> None:
    site, chance, ledger = make_site(), random.Random(SEED), tmp_path / "ledger"
    index, hits, seen = open_index(site.data / "index"), Counter[str](), set[int]()
    site.spawn("tests.drills.publisher", str(ledger))
    for number in range(KILLS):
        site.spawn("spectator", "worker")
        hits[kill_in_commit(site, chance.uniform(0, COMMIT_SECONDS), number)] += 1
        seen = check_answers(site, index, seen, acknowledged(ledger))
    site.kill("publisher")
    index.close()
    print(f"{KILLS} kills: {dict(hits)}; {len(seen)} stories")
    assert KILLS - hits["after"] >= KILLS // 4, "the kills have to hit commits"
    stories = acknowledged(ledger)
    assert len(stories) > KILLS
    site.start()
    check_nothing_is_lost(site, stories)


def kill_in_commit(site: Site, delay_seconds: float, number: int) -> str:
    """Kill the worker shortly after a commit begins; return how far it had come."""
    start = noted(site)
    eventually(
        lambda: noted(site)[0] not in {"", start[0]},
        20,
        f"a commit by worker {number}",
        pause_seconds=0.005,
    )
    eventually(lambda: unnoted(site), 20, f"another commit by worker {number}", pause_seconds=0.001)
    time.sleep(delay_seconds)
    site.kill("worker")
    left = unnoted(site)
    if not left:
        return "after"
    return (
        "before the position"
        if any(name.endswith(".toc") for name in left)
        else "within the commit"
    )


def noted(site: Site) -> tuple[str, set[str]]:
    """Return the offset recorded in the index, and the files that belong to it."""
    try:
        first, *lines = (site.data / "index" / "current" / "position").read_text().splitlines()
    except FileNotFoundError:
        return "", set()
    return first, {line.split(" ", 1)[1] for line in lines}


def unnoted(site: Site) -> set[str]:
    """Return the files that a commit has written before it records its offset."""
    try:
        names = os.listdir(site.data / "index" / "current")
    except FileNotFoundError:
        return set()
    return (
        {name for name in names if name.startswith(("MAIN", "_MAIN", "position.new"))}
        - noted(site)[1]
        - LOCK
    )


def check_answers(site: Site, index: Index, seen: set[int], published: list[Story]) -> set[int]:
    """Compare the index, which nobody writes now, with the database; return its stories."""
    position = index.offset()
    assert position is not None, "a kill does not damage the index"
    indexed = set(index.versions())
    with site.app_context():
        pending = set(db.session.scalars(select(Outbox.article_id).where(Outbox.seq > position)))
        public = set(queries.published_versions())
    assert indexed <= public, "nothing that is not public"
    assert public - pending <= indexed, "all that was published up to the position"
    assert seen <= indexed, "what was found once stays"
    results = index.find(SearchRequest(COMMON_WORD, sort="newest", per_page=MAX_PER_PAGE))
    assert results.total == len(indexed), "words and columns agree, no story twice"
    assert results.ids == sorted(indexed, reverse=True)[:MAX_PER_PAGE]
    assert dict(results.facets["country"]) == {"mali": len(indexed)}
    for story in published[-20:]:
        # Stemming may match another token as well; the story itself ranks first.
        first = index.find(SearchRequest(story.token)).ids[:1]
        assert (first == [story.id]) == (story.id in indexed), (story, first)
    return indexed
