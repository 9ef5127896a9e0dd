"""Three hosts behind nginx, with one PostgreSQL and one object store; hosts are killed and frozen.

Readers notice nothing, no acknowledged story is lost, scheduled stories are published once and in
time, and the hosts agree.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from spectator import publishing
from spectator.db import db
from spectator.models import Article, Outbox, User
from tests import object_stores, postgresql
from tests.drills.host_group import HostGroup, Load, send_signal
from tests.drills.nginx_proxy import NGINX
from tests.drills.running_site import Site, eventually, token
from tests.drills.sizes import drill_size, is_long

pytestmark = [
    pytest.mark.drill,
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed"),
    pytest.mark.skipif(
        postgresql.find_programs() is None, reason="PostgreSQL is missing; `make tools` says how"
    ),
]
ROUNDS = drill_size("HOST_ROUNDS", ci=1, full=12)
FROZEN_SECONDS = drill_size("FROZEN_SECONDS", ci=6, full=20)
LATEST_SECONDS, FRESH_SECONDS, THAW_SECONDS = 2.0, 1.0, 2.0
# In CI other drills run beside this one, and each host has its own index to update.
AGREEMENT_SECONDS = 2.0 if is_long() else 5.0


@pytest.fixture
def group(tmp_path: Path) -> Iterator[HostGroup]:
    """Three running hosts."""
    with postgresql.server() as server, object_stores.s3_server() as store:
        bucket = object_stores.new_bucket(store)
        environ = object_stores.environ(store) | {"SPECTATOR_MEDIA": bucket}
        group = HostGroup(tmp_path, f"{server}/postgres", 3, **environ)
        try:
            group.start()
            yield group
            assert group.stop() == [0, 0, 0]
        finally:
            group.kill_all()


def schedule(site: Site, seconds: float) -> tuple[int, datetime]:
    """Schedule a story; return its id and its time."""
    due = datetime.now(UTC) + timedelta(seconds=seconds)
    with site.app_context():
        by = db.session.scalars(select(User)).one()
        draft = publishing.Draft(headline=f"Due {due}", body="Text.", section="politics")
        return publishing.create(draft, by, publishing.Action("schedule", due)), due


def publications(site: Site, article_id: int) -> list[datetime]:
    """Return when a story was published: the times of its rows in the outbox."""
    with site.app_context():
        query = select(Outbox.at).where(Outbox.article_id == article_id)
        return list(db.session.scalars(query))


def assert_published_in_time(site: Site, article_id: int, due: datetime) -> float:
    """Wait for a due story; return by how many seconds it was late."""
    eventually(lambda: publications(site, article_id), 15, "the due story is published", 0.2)
    [published_at] = publications(site, article_id)
    late = (published_at - due).total_seconds()
    assert 0 <= late <= LATEST_SECONDS, f"published {late:.2f} s late"
    return late


def assert_fresh(writer: Site, reader: Site, number: int) -> float:
    """Publish on one host; return after how many seconds another shows it."""
    reader.get("/")
    [story] = writer.publish([token(number, "zf")])
    started = time.monotonic()
    eventually(lambda: story.token in reader.get("/").body, 5, "fresh", 0.01)
    seconds = time.monotonic() - started
    assert seconds <= FRESH_SECONDS, seconds
    return seconds


def state(site: Site) -> tuple[object, ...]:
    """Return the newest outbox number that a host sees, and how far its indexes are."""
    details = json.loads(site.get("/readyz").body)
    names = ("edition", "index_position", "newsroom_index_position", "newsroom_behind_seconds")
    return tuple(details[name] for name in names)


def do_hosts_agree(hosts: list[Site]) -> bool:
    """Return whether all hosts see the same newest outbox number, and have indexed up to it."""
    states = {state(host) for host in hosts}
    newest, offset, _, behind = states.pop()
    return not states and newest == offset and behind == 0


def assert_only_requests_in_flight_failed(load: Load, killed_at: list[float]) -> None:
    """Fail if a reader saw an error for which no killed host is to blame."""
    failures = [request for request in load.reads if request.status != 200]
    unexplained = [
        request
        for request in failures
        if not any(request.started_at <= moment <= request.ended_at for moment in killed_at)
    ]
    assert unexplained == []
    assert len(failures) <= 2 * len(killed_at), "at most one for each reader and kill"


def assert_nothing_is_lost(group: HostGroup, load: Load) -> None:
    """Fail if a host lacks an acknowledged story, in the database or in its index."""
    with group.hosts[0].app_context():
        headlines = set(
            db.session.scalars(select(Article.headline).where(Article.status == "published"))
        )
    assert {f"Story {word}" for word in load.published} <= headlines
    for host in group.hosts:
        for word in load.published[-20:]:
            page = host.get(f"/search?q={word}").body
            assert f"/politics/story-{word}" in page, word


def test_readers_notice_no_host_that_is_killed_or_frozen(group: HostGroup) -> None:
    hosts, load, killed_at, late = group.hosts, Load(group.nginx.port), [], []
    load.log_in()
    with load.running():
        for number in range(ROUNDS):
            killed, frozen, other = (hosts[(number + step) % 3] for step in range(3))
            fresh = assert_fresh(killed, other, number)
            article_id, due = schedule(other, 2.5)
            killed_at.append(time.monotonic())
            killed.kill_all()
            late.append(assert_published_in_time(other, article_id, due))
            article_id, due = schedule(other, 2.0)
            send_signal(frozen, signal.SIGSTOP)
            frozen_at = time.monotonic()
            killed.master = None
            killed.start()
            late.append(assert_published_in_time(other, article_id, due))
            time.sleep(max(0.0, frozen_at + FROZEN_SECONDS - time.monotonic()))
            send_signal(frozen, signal.SIGCONT)
        time.sleep(THAW_SECONDS)
    ended_at = time.monotonic()
    eventually(lambda: do_hosts_agree(hosts), 30, "the hosts agree")
    agreement = time.monotonic() - ended_at
    print(
        f"{len(load.reads)} reads, the slowest {slowest(load):.1f} s; {len(load.published)} "
        f"acknowledged stories, {load.refused} refused; late by {max(late):.2f} s at most, "
        f"fresh in {fresh:.2f} s; the hosts agreed after {agreement:.1f} s"
    )
    assert_only_requests_in_flight_failed(load, killed_at)
    assert_nothing_is_lost(group, load)
    assert len(load.published) >= 3 * ROUNDS, "the editor could not save"
    assert agreement <= AGREEMENT_SECONDS


def slowest(load: Load) -> float:
    """Return how long the slowest request of a reader took, in seconds."""
    return max(request.ended_at - request.started_at for request in load.reads)
