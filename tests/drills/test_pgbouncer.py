"""A site whose PostgreSQL is behind PgBouncer in transaction mode."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from spectator import accounts
from spectator.db import db
from spectator.models import Section
from spectator.operations import setup
from tests import pgbouncer, postgresql
from tests.drills.running_site import Site, eventually, token
from tests.drills.sizes import drill_size

pytestmark = [
    pytest.mark.drill,
    pytest.mark.skipif(
        postgresql.find_programs() is None or pgbouncer.PROGRAM is None,
        reason="PostgreSQL or PgBouncer is missing; `make tools` says how",
    ),
]
PROCESSES = 4
INCREMENTS = drill_size("INCREMENTS", ci=50, full=500)  # of each process
INCREMENT = """
import os
from spectator import create_app
from spectator.db import db
from spectator.models import Section
app = create_app(os.environ)
with app.app_context():
    for _ in range({}):
        with db.write() as session:
            section = session.get_one(Section, 1)
            section.position = section.position + 1
"""
ANSWER_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class PooledSite:
    """A running site, and the PgBouncer that it uses."""

    site: Site
    bouncer: pgbouncer.PgBouncer


@pytest.fixture(scope="module")
def pooled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PooledSite]:
    """A running site behind PgBouncer."""
    site = Site(tmp_path_factory.mktemp("pooled") / "data")
    site.web_processes = 1  # so that a page that was read once is in the only cache
    with postgresql.server() as server, pgbouncer.pgbouncer(server) as bouncer:
        site.settings["SPECTATOR_DATABASE_URL"] = bouncer.url
        site.environ |= site.settings
        with site.app_context() as app:
            setup.initialise(app)
            accounts.add_user("drill@news.example", "Drill Editor", "editor")
        try:
            site.start()
            yield PooledSite(site, bouncer)
            assert site.stop() == 0
        finally:
            site.kill_all()


def test_the_worker_follows_what_is_published(pooled: PooledSite) -> None:
    stories = pooled.site.publish([token(number, "zb") for number in range(5)])
    pooled.site.assert_findable(stories, 15, "behind PgBouncer")


def test_no_increment_is_lost(pooled: PooledSite) -> None:
    code = INCREMENT.format(INCREMENTS)
    processes = [pooled.site.spawn_code(code) for _ in range(PROCESSES)]
    assert [process.wait(120) for process in processes] == [0] * PROCESSES
    assert position(pooled.site) - 1 == PROCESSES * INCREMENTS


def position(site: Site) -> int:
    """Return the position of the first section, 1 on a new site."""
    with site.app_context():
        return db.session.scalars(select(Section.position).where(Section.id == 1)).one()


def test_a_backup_leaves_the_connections_as_they_were(pooled: PooledSite, tmp_path: Path) -> None:
    site = pooled.site
    for number in range(3):
        backup = site.spawn("spectator", "backup", str(tmp_path / f"{number}.backup"))
        assert backup.wait(60) == 0, site.log_tail()
        [story] = site.publish([token(number, "zc")])
        eventually(lambda story=story: story.token in site.get("/").body, 5, "the front page")
    check = site.spawn("spectator", "restore", "--check", str(tmp_path / "0.backup"))
    assert check.wait(60) == 0, site.log_tail()


def test_readers_and_editors_are_told_of_an_outage_and_it_ends(pooled: PooledSite) -> None:
    site = pooled.site
    assert site.get("/").status == 200
    pooled.bouncer.stop()
    started = time.monotonic()
    assert site.get("/topic/nothing/").status == 503
    assert time.monotonic() - started < ANSWER_SECONDS
    assert site.get("/").status == 200, "a cached page is served"
    assert site.get("/newsroom/login").status in (200, 503)
    pooled.bouncer.start()
    eventually(lambda: site.get("/topic/nothing/").status == 404, 15, "the outage is over")
    stories = site.publish([token(9, "zd")])
    site.assert_findable(stories, 60, "after the outage")
