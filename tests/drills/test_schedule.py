"""Scheduled stories are published at most two seconds late and exactly once.

That holds across restarts, changes of the clock and of daylight saving time, and with several
workers.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from spectator import publishing, times
from spectator.db import db
from spectator.db.poller import PollingConnection
from spectator.models import Article, User
from tests.drills.running_site import Site, eventually

pytestmark = pytest.mark.drill
LATEST_SECONDS = 2.0
CAIRO = ZoneInfo("Africa/Cairo")
LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
needs_faketime = pytest.mark.skipif(
    not LIBRARIES, reason="faketime is not installed; `make tools` says how"
)


def worker_at(site: Site, moment: datetime) -> timedelta:
    """Start a worker whose clock begins at a moment; return its offset from the real clock.

    The other processes keep the real clock: they do not publish, and gunicorn does not run under
    faketime.
    """
    seconds = round((moment - datetime.now(UTC)).total_seconds())
    environ = {"LD_PRELOAD": str(LIBRARIES[0]), "FAKETIME": f"{seconds:+}s", "NO_FAKE_STAT": "1"}
    earlier_starts = len(site.log_matches(r"worker \d+ started"))
    site.spawn("spectator", "worker", **environ)
    eventually(
        lambda: len(site.log_matches(r"worker \d+ started")) > earlier_starts,
        15,
        "the worker has started",
    )
    return timedelta(seconds=seconds)


def schedule(site: Site, headline: str, at: datetime) -> int:
    """Schedule a story, also for a time that has passed on the real clock; return its id."""
    with site.app_context():
        by = db.session.query(User).filter_by(role="editor").one()
        story = publishing.Draft(headline=headline, body="Text.", section="politics")
        article_id = publishing.create(story, by)
        with db.write() as session:
            article = session.get_one(Article, article_id)
            article.status, article.published_at = "scheduled", at
        return article_id


def query_number(site: Site, query: str, article_id: int) -> int:
    own_file = f"sqlite:///{site.data}/spectator.db"
    url = site.settings.get("SPECTATOR_DATABASE_URL", own_file)
    with closing(PollingConnection(url, timeout=5)) as connection:
        return int(connection.fetch(query, (article_id,))[0][0])


def is_published(site: Site, article_id: int) -> bool:
    return bool(
        query_number(site, "SELECT status = 'published' FROM article WHERE id = ?", article_id)
    )


def was_published_once(site: Site, article_id: int) -> bool:
    outbox_rows = "SELECT count(*) FROM outbox WHERE action = 'publish' AND article_id = ?"
    revisions = "SELECT count(*) FROM revision WHERE action = 'publish' AND article_id = ?"
    return all(query_number(site, query, article_id) == 1 for query in (outbox_rows, revisions))


def lateness(site: Site, article_id: int, due: datetime, now: Callable[[], datetime]) -> float:
    """Wait until a story is published; return by how many seconds it was late."""
    while not is_published(site, article_id):
        assert now() < due + timedelta(seconds=LATEST_SECONDS + 8), (
            f"story {article_id} is still not published"
        )
        time.sleep(0.02)
    return (now() - due).total_seconds()


def real_clock() -> datetime:
    return datetime.now(UTC)


def test_a_story_is_published_in_time_and_once_with_many_workers(site: Site) -> None:
    extra_workers = [site.spawn("spectator", "worker") for _ in range(2)]
    start = datetime.now(UTC)
    due_times = [start + timedelta(seconds=seconds) for seconds in (2.5, 2.5, 4, 5.5)]
    stories = [schedule(site, f"Due {number}", due) for number, due in enumerate(due_times)]
    assert not any(is_published(site, story) for story in stories)
    late = [
        lateness(site, story, due, real_clock)
        for story, due in zip(stories, due_times, strict=True)
    ]
    print(f"late by {max(late):.2f} s at most")
    assert all(0 <= delay <= LATEST_SECONDS for delay in late), late
    assert all(was_published_once(site, story) for story in stories)
    for worker in extra_workers:
        worker.terminate()
        assert worker.wait(10) == 0


def test_a_story_is_published_after_a_restart_that_missed_its_time(site: Site) -> None:
    due = datetime.now(UTC) + timedelta(seconds=2)
    story = schedule(site, "Missed", due)
    far_story = schedule(site, "Far", due + timedelta(hours=1))
    site.kill_all()
    time.sleep(2.5)
    assert not is_published(site, story)
    site.master = None
    site.start()
    eventually(lambda: site.log_matches(r"worker \d+ started"), 10, "a worker")
    assert lateness(site, story, datetime.now(UTC), real_clock) <= LATEST_SECONDS
    site.kill("worker")
    eventually(lambda: site.processes("worker"), 20, "another worker")
    time.sleep(1)
    assert was_published_once(site, story)
    assert not is_published(site, far_story)


@needs_faketime
@pytest.mark.parametrize(
    ("wall_time", "choice", "due"),
    [
        # In October this time comes twice: the first and the second.
        ("2027-10-28T23:30", 0, datetime(2027, 10, 28, 20, 30, tzinfo=UTC)),
        ("2027-10-28T23:30", 1, datetime(2027, 10, 28, 21, 30, tzinfo=UTC)),
        # In April the clock skips this time: the choices are an hour earlier and an hour later.
        ("2027-04-30T00:30", 0, datetime(2027, 4, 29, 21, 30, tzinfo=UTC)),
        ("2027-04-30T00:30", 1, datetime(2027, 4, 29, 22, 30, tzinfo=UTC)),
    ],
)
def test_a_story_is_published_in_time_when_daylight_saving_begins_or_ends(
    make_site: Callable[[], Site], wall_time: str, choice: int, due: datetime
) -> None:
    moment = times.time_choices(datetime.fromisoformat(wall_time), CAIRO)[choice].at
    assert moment == due
    site = make_site()
    site.environ |= {"TZ": "Africa/Cairo", "SPECTATOR_TIMEZONE": "Africa/Cairo"}
    story = schedule(site, "At night", moment)
    clock_offset = worker_at(site, due - timedelta(seconds=5))
    assert not is_published(site, story), "published early"
    late = lateness(site, story, due, lambda: datetime.now(UTC) + clock_offset)
    assert 0 <= late <= LATEST_SECONDS
    assert was_published_once(site, story)
    site.kill_all()


@needs_faketime
def test_setting_the_clock_back_publishes_no_story_twice(make_site: Callable[[], Site]) -> None:
    site, start = make_site(), datetime(2027, 1, 10, 12, tzinfo=UTC)
    first = schedule(site, "First", start + timedelta(hours=2))
    second = schedule(site, "Second", start + timedelta(hours=3))
    worker_at(site, start + timedelta(hours=2, minutes=1))
    eventually(lambda: is_published(site, first), 5, "the first story is published")
    site.kill("worker")
    worker_at(site, start)
    time.sleep(1)
    assert is_published(site, first)
    assert not is_published(site, second)
    site.kill("worker")
    worker_at(site, start + timedelta(hours=4))
    eventually(lambda: is_published(site, second), 5, "the second story is published")
    assert was_published_once(site, first)
    assert was_published_once(site, second)
    site.kill_all()
