"""No web process serves a page older than a second, whichever process changed the story.

That holds even if the process that changed it was killed. Four web processes share a data
directory; each listens on a port of its own, so that a test can choose the process.
"""

from __future__ import annotations

import http.client
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import pytest
from sqlalchemy import select

from spectator import publishing, queries
from spectator.db import db
from spectator.models import Outbox, User
from spectator.publishing import Action
from tests.drills.running_site import BOOT_SECONDS, Site, eventually, free_port

pytestmark = pytest.mark.drill
STALE_SECONDS = 1.0
PROCESSES = 4
PUBLISH_AND_DIE = """
import os, signal
from spectator import create_app, publishing
from spectator.db import db
from spectator.models import User
app = create_app(os.environ)
with app.app_context():
    by = db.session.query(User).filter_by(role="editor").one()
    publishing.apply_action({id}, by, publishing.Action("publish"))
    os.kill(os.getpid(), signal.SIGKILL)
"""


@dataclass(frozen=True, slots=True)
class Observation:
    """Whether a process served the new page to a request that began at that Unix time."""

    process: int
    requested_at: float
    is_new: bool


@pytest.fixture
def ports(make_site: Callable[[], Site]) -> Iterator[tuple[Site, list[int]]]:
    """Site with four web processes, each on a port of its own."""
    site, ports = make_site(), [free_port() for _ in range(PROCESSES)]
    masters = [
        site.spawn("spectator", "run", "--workers", "1", "--bind", f"127.0.0.1:{port}")
        for port in ports
    ]
    try:
        for port in ports:
            eventually(lambda port=port: is_up(port), BOOT_SECONDS, "the process responds")
        yield site, ports
    finally:
        for master in masters:
            master.terminate()
        for master in masters:
            master.wait(30)


def is_up(port: int) -> bool:
    """Return whether a process responds."""
    try:
        return fetch(port, "/healthz")[0] == 200
    except OSError:
        return False


def fetch(port: int, path: str) -> tuple[int, str]:
    """Request a page on a new connection; return status and text."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


@contextmanager
def observe(
    ports: list[int], path: str, is_new: Callable[[int, str], bool]
) -> Iterator[list[Observation]]:
    """Poll a page of every process until half a second after the old page must be gone."""
    observations: list[Observation] = []
    stop_event = Event()

    def watch(number: int, port: int) -> None:
        while not stop_event.is_set():
            requested_at = time.time()
            observations.append(Observation(number, requested_at, is_new(*fetch(port, path))))
            time.sleep(0.005)

    threads = [Thread(target=watch, args=numbered_port) for numbered_port in enumerate(ports)]
    for thread in threads:
        thread.start()
    eventually(
        lambda: {view.process for view in list(observations)} == set(range(PROCESSES)),
        10,
        "all processes respond",
    )
    try:
        yield observations
        time.sleep(STALE_SECONDS + 0.5)
    finally:
        stop_event.set()
        for thread in threads:
            thread.join(15)


def check_freshness(site: Site, observations: list[Observation], change: str) -> None:
    """Check that every process replaced the old page within STALE_SECONDS of the change.

    The time of the newest outbox row, shortly before the commit, is the time of the change.
    """
    with site.app_context():
        newest = db.session.scalars(select(Outbox.at).order_by(Outbox.seq.desc()).limit(1)).one()
    changed_at = newest.timestamp()
    for process in range(PROCESSES):
        own = [view for view in observations if view.process == process]
        # The old page was in this process's cache before the change.
        assert any(not view.is_new for view in own if view.requested_at < changed_at)
        assert any(view.is_new for view in own), f"{change}: process {process} never served it"
    stale = [
        view.requested_at - changed_at
        for view in observations
        if not view.is_new and view.requested_at > changed_at
    ]
    oldest = max(stale, default=0)
    print(f"{change}: {len(observations)} responses, stale for {oldest * 1000:.0f} ms at most")
    assert oldest <= STALE_SECONDS, change


@contextmanager
def editing(site: Site) -> Iterator[User]:
    """Enter the site's application context in this process; yield its editor."""
    with site.app_context():
        yield db.session.query(User).filter_by(role="editor").one()


def create_draft(site: Site, headline: str) -> int:
    """Create a draft; return its id."""
    with editing(site) as by:
        return publishing.create(
            publishing.Draft(headline=headline, body="The first text.", section="politics"), by
        )


def test_no_process_serves_a_page_that_is_older_than_a_second(
    ports: tuple[Site, list[int]],
) -> None:
    site, process_ports = ports
    story = create_draft(site, "Zero hour")
    with (
        observe(process_ports, "/", lambda _, text: "Zero hour" in text) as observations,
        editing(site) as by,
    ):
        publishing.apply_action(story, by, Action("publish"))
    check_freshness(site, observations, "published")
    with (
        observe(
            process_ports, "/politics/zero-hour", lambda _, text: "Second text." in text
        ) as observations,
        editing(site) as by,
    ):
        version = queries.articles_to_index([story])[0].version
        draft = publishing.Draft(headline="Zero hour", body="Second text.", section="politics")
        publishing.save(
            story, draft, by, version, publishing.Action("correct", note="The text was wrong.")
        )
    check_freshness(site, observations, "corrected")
    with (
        observe(
            process_ports, "/politics/zero-hour", lambda status, _: status == 410
        ) as observations,
        editing(site) as by,
    ):
        publishing.apply_action(story, by, Action("withdraw", note="It was wrong."))
    check_freshness(site, observations, "withdrawn")
    later = create_draft(site, "On the hour")
    with observe(
        process_ports, "/politics/", lambda _, text: "On the hour" in text
    ) as observations:
        with editing(site) as by:
            publishing.apply_action(
                later, by, Action("schedule", datetime.now(UTC) + timedelta(seconds=2))
            )
        eventually(
            lambda: any(view.is_new for view in list(observations)), 5, "published by the worker"
        )
    check_freshness(site, observations, "scheduled")
    last = create_draft(site, "The last word")
    with observe(
        process_ports, "/feed.xml", lambda _, text: "The last word" in text
    ) as observations:
        killed = site.spawn_code(PUBLISH_AND_DIE.format(id=last))
        assert killed.wait(20) == -signal.SIGKILL
    check_freshness(site, observations, "published by a process that died after its commit")
