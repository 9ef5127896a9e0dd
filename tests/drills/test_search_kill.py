"""Killing the worker during index commits loses no story and causes no wrong result.

8 kills in CI, 100 at full size (variable `SEARCH_KILLS`). There are no web processes meanwhile:
this process reads the index as they do, through one index object that stays open throughout.
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
from spectator.search.whoosh.generations import OFFSET_FILE
from tests.drills.running_site import Site, Story, eventually
from tests.drills.sizes import drill_size
from tests.drills.test_kill import acknowledged, check_nothing_is_lost

pytestmark = pytest.mark.drill
KILLS = drill_size("SEARCH_KILLS", ci=8, full=100)
SEED = 20261123
COMMIT_SECONDS = 0.01  # a commit takes longer even on a fast machine, so kills interrupt it
LOCK = {"MAIN_WRITELOCK"}
COMMON_WORD = "drill"  # every published story has it


def test_killing_the_worker_during_index_commits_loses_nothing(
    make_site: Callable[[], Site], tmp_path: Path
) -> None:
    site, rng, ledger = make_site(), random.Random(SEED), tmp_path / "ledger"
    index, hits, seen = open_index(site.data / "index"), Counter[str](), set[int]()
    site.spawn("tests.drills.publisher", str(ledger))
    for number in range(KILLS):
        site.spawn("spectator", "worker")
        hits[kill_in_commit(site, rng.uniform(0, COMMIT_SECONDS), number)] += 1
        seen = check_index(site, index, seen, acknowledged(ledger))
    site.kill("publisher")
    index.close()
    print(f"{KILLS} kills: {dict(hits)}; {len(seen)} stories")
    assert KILLS - hits["after"] >= KILLS // 4, "too few kills interrupted a commit"
    stories = acknowledged(ledger)
    assert len(stories) > KILLS
    site.start()
    check_nothing_is_lost(site, stories)


def kill_in_commit(site: Site, delay_seconds: float, number: int) -> str:
    """Kill the worker shortly after a commit begins; return the step that it had reached."""
    start_offset, _ = recorded_state(site)
    eventually(
        lambda: recorded_state(site)[0] not in {"", start_offset},
        20,
        f"a commit by worker {number}",
        pause_seconds=0.005,
    )
    eventually(
        lambda: unrecorded_files(site),
        20,
        f"another commit by worker {number}",
        pause_seconds=0.001,
    )
    time.sleep(delay_seconds)
    site.kill("worker")
    unrecorded = unrecorded_files(site)
    if not unrecorded:
        return "after"
    if any(name.endswith(".toc") for name in unrecorded):
        return "before the position"
    return "within the commit"


def recorded_state(site: Site) -> tuple[str, set[str]]:
    """Return the offset recorded in the index, and the files that belong to it."""
    try:
        first, *lines = (site.data / "index" / "current" / OFFSET_FILE).read_text().splitlines()
    except FileNotFoundError:
        return "", set()
    return first, {line.split(" ", 1)[1] for line in lines}


def unrecorded_files(site: Site) -> set[str]:
    """Return the files written by a commit that has not recorded its offset."""
    try:
        names = os.listdir(site.data / "index" / "current")
    except FileNotFoundError:
        return set()
    index_files = {name for name in names if name.startswith(("MAIN", "_MAIN", "position.new"))}
    _, recorded = recorded_state(site)
    return index_files - recorded - LOCK


def check_index(site: Site, index: Index, seen: set[int], published: list[Story]) -> set[int]:
    """Compare the index, while nothing writes it, with the database; return its article ids."""
    offset = index.offset()
    assert offset is not None, "the kill damaged the index"
    indexed = set(index.versions())
    with site.app_context():
        pending = set(db.session.scalars(select(Outbox.article_id).where(Outbox.seq > offset)))
        public = set(queries.published_versions())
    assert indexed <= public, "the index has stories that are not public"
    assert public - pending <= indexed, "stories published before the offset are missing"
    assert seen <= indexed, "stories found earlier are missing"
    results = index.find(SearchRequest(COMMON_WORD, sort="newest", per_page=MAX_PER_PAGE))
    assert results.total == len(indexed), "postings and columns disagree"
    assert results.ids == sorted(indexed, reverse=True)[:MAX_PER_PAGE]
    assert dict(results.facets["country"]) == {"mali": len(indexed)}
    for story in published[-20:]:
        # Stemming may match another token as well; the story itself ranks first.
        first = index.find(SearchRequest(story.token)).ids[:1]
        assert (first == [story.id]) == (story.id in indexed), (story, first)
    return indexed
