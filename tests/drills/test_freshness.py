"""No process shows a page older than a second, whichever process changed it, even if that one died.

Four web processes listen on ports of their own, so that each can be asked alone; all share one data
directory.
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
KILLED = """
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
    """What a process showed to a request that began at that Unix time."""

    process: int
    asked_at: float
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
            eventually(lambda port=port: is_up(port), BOOT_SECONDS, "served")
        yield site, ports
    finally:
        for master in masters:
            master.terminate()
        for master in masters:
            master.wait(30)


def is_up(port: int) -> bool:
    """Return whether a process responds."""
    try:
        return ask(port, "/healthz")[0] == 200
    except OSError:
        return False


def ask(port: int, path: str) -> tuple[int, str]:
    """Request a page on a new connection; return status and text."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


@contextmanager
def watched(
    ports: list[int], path: str, is_new: Callable[[int, str], bool]
) -> Iterator[list[Observation]]:
    """Poll a page of every process until half a second past its maximum age."""
    seen: list[Observation] = []
    is_over = Event()

    def watch(number: int, port: int) -> None:
        while not is_over.is_set():
            asked_at = time.time()
            seen.append(Observation(number, asked_at, is_new(*ask(port, path))))
            time.sleep(0.005)

    threads = [Thread(target=watch, args=numbered_port) for numbered_port in enumerate(ports)]
    for thread in threads:
        thread.start()
    eventually(
        lambda: {view.process for view in list(seen)} == set(range(PROCESSES)),
        10,
        "everybody answers",
    )
    try:
        yield seen
        time.sleep(STALE_SECONDS + 0.5)
    finally:
        is_over.set()
        for thread in threads:
            thread.join(15)


def check(site: Site, seen: list[Observation], what: str) -> None:
    """Compare the pages with the time of the newest outbox row, which is shortly before the
    commit.
    """
    with site.app_context():
        newest = db.session.scalars(select(Outbox.at).order_by(Outbox.seq.desc()).limit(1)).one()
    changed_at = newest.timestamp()
    for process in range(PROCESSES):
        own = [view for view in seen if view.process == process]
        assert any(not view.is_new for view in own if view.asked_at < changed_at), (
            "the old page was kept there"
        )
        assert any(view.is_new for view in own), f"{what}: process {process} never showed it"
    stale = [
        view.asked_at - changed_at
        for view in seen
        if not view.is_new and view.asked_at > changed_at
    ]
    print(f"{what}: {len(seen)} answers, old for {max(stale, default=0) * 1000:.0f} ms at most")
    assert max(stale, default=0) <= STALE_SECONDS, what


@contextmanager
def editing(site: Site) -> Iterator[User]:
    """Edit the site from this process."""
    with site.app_context():
        yield db.session.query(User).filter_by(role="editor").one()


def created(site: Site, headline: str) -> int:
    """Return the id of a new draft."""
    with editing(site) as by:
        return publishing.create(
            publishing.Draft(headline=headline, body="The first text.", section="politics"), by
        )


def test_no_process_shows_a_page_that_is_older_than_a_second(ports: tuple[Site, list[int]]) -> None:
    site, process_ports = ports
    story = created(site, "Zero hour")
    with (
        watched(process_ports, "/", lambda _, text: "Zero hour" in text) as seen,
        editing(site) as by,
    ):
        publishing.apply_action(story, by, Action("publish"))
    check(site, seen, "published")
    with (
        watched(
            process_ports, "/politics/zero-hour", lambda _, text: "Second text." in text
        ) as seen,
        editing(site) as by,
    ):
        version = queries.articles_to_index([story])[0].version
        draft = publishing.Draft(headline="Zero hour", body="Second text.", section="politics")
        publishing.save(
            story, draft, by, version, publishing.Action("correct", note="The text was wrong.")
        )
    check(site, seen, "corrected")
    with (
        watched(process_ports, "/politics/zero-hour", lambda status, _: status == 410) as seen,
        editing(site) as by,
    ):
        publishing.apply_action(story, by, Action("withdraw", note="It was wrong."))
    check(site, seen, "withdrawn")
    later = created(site, "On the hour")
    with watched(process_ports, "/politics/", lambda _, text: "On the hour" in text) as seen:
        with editing(site) as by:
            publishing.apply_action(
                later, by, Action("schedule", datetime.now(UTC) + timedelta(seconds=2))
            )
        eventually(lambda: any(one.is_new for one in list(seen)), 5, "published by the worker")
    check(site, seen, "scheduled")
    last = created(site, "The last word")
    with watched(process_ports, "/feed.xml", lambda _, text: "The last word" in text) as seen:
        killed = site.spawn_code(KILLED.format(id=last))
        assert killed.wait(20) == -signal.SIGKILL
    check(site, seen, "published by a process that died after its commit")
