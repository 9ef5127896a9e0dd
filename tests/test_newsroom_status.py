"""The status page of administrators: who sees it, what it says, and its charts."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NoReturn

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from spectator import indexing, metrics, queries
from spectator.db import Database, StorageError, db
from spectator.models import Article, Outbox, TrafficHour
from spectator.newsroom.charts import make_chart
from spectator.newsroom.status import TABLE_LABELS, describe_requests
from spectator.operations.site_status import TABLES
from spectator.operations.traffic import TrafficRecorder
from tests.newsroom_client import logged_in_client
from tests.page_checks import Page

STATUS = "/newsroom/status/"


@pytest.fixture
def admin(app: Flask) -> FlaskClient:
    """Client that is logged in as an administrator."""
    return logged_in_client(app, "admin")


@pytest.mark.parametrize("role", ["author", "editor"])
def test_only_administrators_see_the_status(app: Flask, role: str) -> None:
    client = logged_in_client(app, role)
    response = client.get(STATUS)
    assert response.status_code == 403
    assert "Only administrators can open this page" in response.text
    assert STATUS not in client.get("/newsroom/stories/").text
    assert app.test_client().get(STATUS).status_code == 303, "strangers log in first"


def make_indexes(app: Flask) -> None:
    """Build both search indexes, as the worker does."""
    for index, source in indexing.open_indexes(app.config["DATA_DIR"]):
        while indexing.catch_up(index, source):
            pass


def test_an_administrator_reads_the_state_in_plain_words(
    app: Flask, admin: FlaskClient, story: Callable[..., int]
) -> None:
    make_indexes(app)
    story(headline="Ports")
    page = admin.get(STATUS).text
    assert "Everything works." in page
    assert "1 change behind, the first of " in page
    assert "none: SPECTATOR_BACKUP_TO is not set" in page
    assert "Disk (data)" in page and " GB free (" in page
    assert f'href="{STATUS}"' in admin.get("/newsroom/stories/").text
    assert admin.get("/newsroom/status").location.endswith(STATUS)


def test_a_stopped_worker_is_a_problem_on_the_status_page(
    app: Flask, admin: FlaskClient, story: Callable[..., int]
) -> None:
    assert "The search index is missing or damaged." in admin.get(STATUS).text
    make_indexes(app)
    story()
    with db.write() as session:
        session.execute(update(Outbox).values(at=datetime.now(UTC) - timedelta(hours=2)))
    app.extensions["status"].computed_at = float("-inf")
    page = admin.get(STATUS).text
    assert re.search(r"The search index is 7[0-9]{3} s behind. Start the worker", page)
    assert "Everything works." not in page


def test_a_missed_schedule_is_at_the_top(
    app: Flask, admin: FlaskClient, story: Callable[..., int]
) -> None:
    article_id = story()
    make_indexes(app)
    with db.write() as session:
        at = datetime.now(UTC) - timedelta(minutes=5)
        session.execute(update(Article).values(status="scheduled", published_at=at))
    page = admin.get(STATUS).text
    assert "One thing needs attention" in page and f"Story {article_id} was due at" in page
    assert "Everything works." not in page


def test_the_charts_show_requests_by_hour_and_publications_by_day(
    admin: FlaskClient, story: Callable[..., int]
) -> None:
    article_id = story()
    now = datetime.now(UTC)
    with db.write() as session:
        session.execute(update(Article).values(published_at=now))
        hour = now.replace(minute=0, second=0, microsecond=0)
        session.add(TrafficHour(hour=hour, requests=1200, errors=3, slow=1))
        session.add(TrafficHour(hour=hour - timedelta(hours=60), requests=7, errors=0, slow=0))
    text = admin.get(STATUS).text
    page = Page(text)
    assert f"1,200 in all, 3 failed. Most: 1,200 ({hour:%-d %b, %H:%M})." in text
    assert f"1 in all. Most: 1 ({now:%-d %b})." in text
    assert article_id and len(page.find_all("svg")) == 2
    assert {svg["role"] for svg in page.find_all("svg")} == {"img"}
    assert len(page.find_all("rect")) == 48 + 1 + 30


def test_bars_are_in_proportion() -> None:
    chart = make_chart("T", [("a", 0, 0), ("b", 4, 1), ("c", 2, 0)], describe_requests)
    assert [(bar.x, bar.height, bar.bad_height) for bar in chart.bars] == [
        (0, 0, 0),
        (10, 100, 25),
        (20, 50, 0),
    ]
    assert (chart.width, chart.summary) == (30, "6 in all, 1 failed. Most: 4 (b).")
    assert make_chart("T", [("a", 0, 0)], describe_requests).summary == "0 in all."


def test_the_worker_adds_the_requests_of_each_hour(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    totals = [(10, 1, 0), (15, 1, 2), (15, 1, 2), (4, 1, 0)]  # started again before the last
    counts = iter([metrics.RequestTotals(*numbers) for numbers in totals])
    monkeypatch.setattr(metrics, "read_totals", lambda _data: next(counts))
    recorder = TrafficRecorder(app.config["DATA_DIR"])
    for _ in totals:
        recorder.record()
    rows = queries.traffic_hours(2)
    assert sum(row.requests for row in rows) == 5 + 4
    assert sum(row.errors for row in rows) == 1 and sum(row.slow for row in rows) == 2


def test_a_restart_is_noticed_by_any_count_even_after_more_requests_than_before(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = TrafficRecorder(app.config["DATA_DIR"])
    recorder.totals = metrics.RequestTotals(10, 1, 7)
    monkeypatch.setattr(metrics, "read_totals", lambda _data: metrics.RequestTotals(12, 1, 0))
    recorder.record()
    (row,) = queries.traffic_hours(2)
    assert (row.requests, row.errors, row.slow) == (12, 1, 0)


def test_the_traffic_of_two_weeks_is_kept(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime.now(UTC)
    with db.write() as session:
        for days in (13, 15):
            at = now - timedelta(days=days)
            session.add(TrafficHour(hour=at, requests=days, errors=0, slow=0))
    recorder = TrafficRecorder(app.config["DATA_DIR"])
    recorder.totals = metrics.RequestTotals()
    monkeypatch.setattr(metrics, "read_totals", lambda _data: metrics.RequestTotals(1, 0, 0))
    recorder.record_if_due()
    recorder.record_if_due()  # not due
    assert [row.requests for row in queries.traffic_hours(24 * 30)] == [13, 1]


def test_counts_that_could_not_be_stored_are_stored_the_next_time(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = TrafficRecorder(app.config["DATA_DIR"])
    recorder.totals = metrics.RequestTotals(0, 0, 0)
    monkeypatch.setattr(metrics, "read_totals", lambda _data: metrics.RequestTotals(5, 0, 0))
    with monkeypatch.context() as patch, pytest.raises(StorageError):
        patch.setattr(Database, "write", fail_to_write)
        recorder.record()
    recorder.record()
    assert [row.requests for row in queries.traffic_hours(2)] == [5]


def fail_to_write(_database: Database) -> NoReturn:
    raise StorageError("busy", OSError("another writes"))


def test_every_table_has_a_name_in_plain_words() -> None:
    assert TABLE_LABELS.keys() == set(TABLES)
