"""Scheduled stories are published at most two seconds late and exactly once.

That holds over restarts, clock changes, both daylight saving nights, and any number of processes.
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
from spectator.db import db, sqlite
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

    Only the worker looks at the clock, and faketime confuses the waiting of gunicorn's threads.
    """
    seconds = round((moment - datetime.now(UTC)).total_seconds())
    more = {"LD_PRELOAD": str(LIBRARIES[0]), "FAKETIME": f"{seconds:+}s", "NO_FAKE_STAT": "1"}
    begun = len(site.log_matches(r"worker \d+ started"))
    site.spawn("spectator", "worker", **more)
    eventually(lambda: len(site.log_matches(r"worker \d+ started")) > begun, 15, "a worker at work")
    return timedelta(seconds=seconds)


def schedule(site: Site, headline: str, at: datetime) -> int:
    """Schedule a story through the newsroom's code."""
    with site.app_context():
        by = db.session.query(User).filter_by(role="editor").one()
        story = publishing.Draft(headline=headline, body="Text.", section="politics")
        article_id = publishing.create(story, by)
        with db.write() as session:  # whatever this process's clock says
            article = session.get_one(Article, article_id)
            article.status, article.published_at = "scheduled", at
        return article_id


def query_number(site: Site, question: str, article_id: int) -> int:
    with closing(sqlite.connect(str(site.data / "spectator.db"))) as connection:
        return int(connection.execute(question, (article_id,)).fetchone()[0])


def is_out(site: Site, article_id: int) -> bool:
    return bool(
        query_number(site, "SELECT status = 'published' FROM article WHERE id = ?", article_id)
    )


def went_out_once(site: Site, article_id: int) -> bool:
    rows = "SELECT count(*) FROM outbox WHERE action = 'publish' AND article_id = ?"
    revisions = "SELECT count(*) FROM revision WHERE action = 'publish' AND article_id = ?"
    return (query_number(site, rows, article_id), query_number(site, revisions, article_id)) == (
        1,
        1,
    )


def lateness(site: Site, article_id: int, due: datetime, now: Callable[[], datetime]) -> float:
    """Wait until a story is public; return how many seconds after its time that was."""
    while not is_out(site, article_id):
        assert now() < due + timedelta(seconds=LATEST_SECONDS + 8), (
            f"story {article_id} is still not out"
        )
        time.sleep(0.02)
    return (now() - due).total_seconds()


def our_clock() -> datetime:
    return datetime.now(UTC)


def test_a_story_is_published_in_time_and_once_with_many_workers(site: Site) -> None:
    by_hand = [site.spawn("spectator", "worker") for _ in range(2)]
    start = datetime.now(UTC)
    dues = [start + timedelta(seconds=seconds) for seconds in (2.5, 2.5, 4, 5.5)]
    stories = [schedule(site, f"Due {number}", due) for number, due in enumerate(dues)]
    assert not any(is_out(site, story) for story in stories)
    late = [lateness(site, story, due, our_clock) for story, due in zip(stories, dues, strict=True)]
    print(f"late by {max(late):.2f} s at most")
    assert all(0 <= delay <= LATEST_SECONDS for delay in late), late
    assert all(went_out_once(site, story) for story in stories)
    for worker in by_hand:
        worker.terminate()
        assert worker.wait(10) == 0


def test_a_story_is_published_after_a_restart_that_missed_its_time(site: Site) -> None:
    due = datetime.now(UTC) + timedelta(seconds=2)
    story = schedule(site, "Missed", due)
    far_story = schedule(site, "Far", due + timedelta(hours=1))
    site.kill_all()
    time.sleep(2.5)
    assert not is_out(site, story)
    site.master = None
    site.start()
    eventually(lambda: site.log_matches(r"worker \d+ started"), 10, "a worker")
    assert lateness(site, story, datetime.now(UTC), our_clock) <= LATEST_SECONDS
    site.kill("worker")
    eventually(lambda: site.processes("worker"), 20, "the next worker")
    time.sleep(1)
    assert went_out_once(site, story)
    assert not is_out(site, far_story)


@needs_faketime
@pytest.mark.parametrize(
    ("wall_time", "choice", "due"),
    [
        (
            "2027-10-28T23:30",
            0,
            datetime(2027, 10, 28, 20, 30, tzinfo=UTC),
        ),  # comes twice: the first
        ("2027-10-28T23:30", 1, datetime(2027, 10, 28, 21, 30, tzinfo=UTC)),  # and the second
        (
            "2027-04-30T00:30",
            0,
            datetime(2027, 4, 29, 21, 30, tzinfo=UTC),
        ),  # is skipped: before the jump
        ("2027-04-30T00:30", 1, datetime(2027, 4, 29, 22, 30, tzinfo=UTC)),  # and behind it
    ],
)
def test_the_nights_of_daylight_saving(
    make_site: Callable[[], Site], wall_time: str, choice: int, due: datetime
) -> None:
    moment = times.time_choices(datetime.fromisoformat(wall_time), CAIRO)[choice].at
    assert moment == due
    site = make_site()
    site.environ |= {"TZ": "Africa/Cairo", "SPECTATOR_TIMEZONE": "Africa/Cairo"}
    story = schedule(site, "At night", moment)
    ahead = worker_at(site, due - timedelta(seconds=5))
    assert not is_out(site, story), "early"
    late = lateness(site, story, due, lambda: datetime.now(UTC) + ahead)
    assert 0 <= late <= LATEST_SECONDS
    assert went_out_once(site, story)
    site.kill_all()


@needs_faketime
def test_a_clock_that_is_set_back_publishes_nothing_twice(make_site: Callable[[], Site]) -> None:
    site, start = make_site(), datetime(2027, 1, 10, 12, tzinfo=UTC)
    first = schedule(site, "First", start + timedelta(hours=2))
    second = schedule(site, "Second", start + timedelta(hours=3))
    worker_at(site, start + timedelta(hours=2, minutes=1))
    eventually(lambda: is_out(site, first), 5, "the first is out")
    site.kill("worker")
    worker_at(site, start)
    time.sleep(1)
    assert is_out(site, first)
    assert not is_out(site, second)
    site.kill("worker")
    worker_at(site, start + timedelta(hours=4))
    eventually(lambda: is_out(site, second), 5, "the second is out")
    assert went_out_once(site, first)
    assert went_out_once(site, second)
    site.kill_all()
