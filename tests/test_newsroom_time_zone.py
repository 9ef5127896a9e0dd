"""Dates, months, URLs and filters that readers see are in the newsroom's time zone."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from spectator import create_app, indexing, outbox, publishing, queries, times
from spectator.db import db
from spectator.models import TableTimeZone
from spectator.operations import doctor
from spectator.publishing import Action
from spectator.search import SearchRequest
from spectator.worker import Worker
from tests.cases import case_text
from tests.conftest import add_user, make_draft, settings
from tests.newsroom_client import logged_in_client, post, story_form
from tests.page_checks import CheckingClient, Page

ENVIRONMENT, FORM = case_text("2026-11/16-midnight.txt").splitlines()[:2]
CASE_SETTINGS = dict(pair.split("=", 1) for pair in shlex.split(ENVIRONMENT))
CASE_FORM = dict(re.findall(r"(headline|published_at)=(.*?)(?=  |$)", FORM))
PATH = "/2026/05/01/past-midnight-in-nairobi"


@contextmanager
def open_site(data: Path, **site_settings: str) -> Iterator[Flask]:
    """Open a site on a data directory, inside its application context."""
    app = create_app(settings(data, **site_settings))
    app.test_client_class = CheckingClient
    app.testing = True
    app.extensions["page_cache"].poll_seconds = 0.0
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def data(fresh_data: Path, tmp_path: Path) -> Path:
    """Data directory for sites with different settings, opened one after the other."""
    return Path(shutil.copytree(fresh_data, tmp_path / "data"))


def publish_case(app: Flask) -> None:
    """Publish the case's story through the form and index it."""
    form = story_form(**CASE_FORM, section="politics", do="publish")
    assert post(logged_in_client(app), "/newsroom/stories/new", form).status_code == 303
    while indexing.catch_up(indexing.open_public_index(app.config["DATA_DIR"])):
        pass


def test_a_story_past_midnight_is_dated_in_the_newsrooms_time_zone(data: Path) -> None:
    with open_site(data, **CASE_SETTINGS) as app:
        publish_case(app)
        client = app.test_client()
        story = client.get(PATH)
        assert story.status_code == 200
        assert "1 May 2026, 00:30 EAT" in Page(story.text).visible_text
        assert 'datetime="2026-05-01T00:30:00+03:00"' in story.text
        assert '"datePublished":"2026-05-01T00:30:00+03:00"' in story.text
        assert client.get("/2026/04/30/past-midnight-in-nairobi").location == PATH
        assert "1 May 2026" in Page(client.get("/politics/").text).visible_text
        assert "/archive/2026/05/" in client.get("/archive/").text
        assert "/archive/2026/04/" not in client.get("/archive/").text
        assert PATH in client.get("/archive/2026/05/").text
        assert PATH in client.get("/archive/2026/05/feed.xml").text
        assert (
            "<pubDate>Fri, 01 May 2026 00:30:00 +0300</pubDate>" in client.get("/feed.xml").text
        )


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("from=2026-05-01", True),
        ("to=2026-04-30", False),
        ("from=2026-05-01&to=2026-05-01", True),
        ("q=after:2026-05", True),
        ("q=before:2026-05", False),
        ("q=nairobi+after:2026-05-02", False),
        ("q=nairobi+before:2026-05-02", True),
    ],
)
def test_search_dates_are_in_the_newsrooms_time_zone(
    query: str, is_found: bool, data: Path
) -> None:
    with open_site(data, **CASE_SETTINGS) as app:
        publish_case(app)
        assert (PATH in app.test_client().get(f"/search?{query}").text) is is_found
        assert (PATH in app.test_client().get(f"/search/feed.xml?{query}").text) is is_found


def test_year_counts_are_in_the_newsrooms_time_zone(data: Path) -> None:
    with open_site(data, SPECTATOR_TIMEZONE="Africa/Lagos") as app:
        editor, night = add_user("editor"), datetime(2025, 12, 31, 23, 30, tzinfo=UTC)
        for at in (night, night - timedelta(hours=2)):
            publishing.apply_action(
                publishing.create(make_draft(headline=f"Story {at:%H}"), editor),
                editor,
                Action("publish", at),
            )
        index = indexing.open_public_index(app.config["DATA_DIR"])
        while indexing.catch_up(index):
            pass
        assert index.find(SearchRequest("story")).year_counts == [(2025, 1), (2026, 1)]
        assert index.find(SearchRequest("story", published_from=date(2026, 1, 1))).total == 1
        assert index.find(SearchRequest("story", published_to=date(2025, 12, 31))).total == 1
        html = app.test_client().get("/search?q=story").text
        assert "from=2026-01-01&amp;to=2026-12-31" in html


def test_a_new_time_zone_moves_stories_to_other_months_and_redirects_old_urls(data: Path) -> None:
    dated = {"SPECTATOR_PERMALINK": CASE_SETTINGS["SPECTATOR_PERMALINK"]}
    with open_site(data, **CASE_SETTINGS) as app:
        publish_case(app)
        assert Worker(app).run_maintenance()
    with open_site(data, SPECTATOR_TIMEZONE="UTC", **dated) as app:
        client = app.test_client()
        client.get("/archive/")
        assert any("Story lists or counts" in problem for problem in doctor.problems(app))
        before = outbox.newest_number()
        assert Worker(app).run_maintenance()
        assert not any("Story lists or counts" in problem for problem in doctor.problems(app))
        assert queries.month_counts() == [(2026, 4, 1)]
        assert "/archive/2026/04/" in client.get("/archive/").text, "the cached page is stale"
        assert client.get(PATH).location == "/2026/04/30/past-midnight-in-nairobi"
        old_month = client.get("/archive/2026/05/")
        assert (old_month.status_code, old_month.location) == (301, "/archive/2026/04/")
        assert client.get("/archive/2026/05/feed.xml").status_code == 200
        assert client.get("/archive/2026/06/").status_code == 404
        assert client.get("/archive/2026/03/").status_code == 404
        assert (before, outbox.newest_number()) == (1, 2)
        Worker(app).run_maintenance()
        assert db.session.scalar(select(TableTimeZone.zone)) == "UTC"
        assert outbox.newest_number() == 2, "a second run changes nothing"


def test_listings_of_an_older_version_are_taken_to_be_in_utc(data: Path) -> None:
    with open_site(data) as app:
        editor = add_user("editor")
        publishing.apply_action(
            publishing.create(make_draft(), editor),
            editor,
            Action("publish", datetime(2026, 4, 30, 22, tzinfo=UTC)),
        )
        assert not publishing.apply_time_zone()
        assert app.config["TIMEZONE"] == "UTC"
    with open_site(data, SPECTATOR_TIMEZONE="Africa/Nairobi"):
        assert queries.month_counts() == [(2026, 4, 1)]
        assert publishing.apply_time_zone()
        assert queries.month_counts() == [(2026, 5, 1)]
        assert not publishing.apply_time_zone()


def test_sqlite_counts_months_as_python_does(data: Path) -> None:
    with open_site(data, SPECTATOR_TIMEZONE="Africa/Nairobi"):
        for stored, month in (
            ("2026-04-30 20:59:59.999999", 202604),
            ("2026-04-30 21:00:00.000000", 202605),
        ):
            assert db.session.scalar(text("SELECT newsroom_month(:at)"), {"at": stored}) == month


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Africa/Nairobi", "1 May 2026, 00:30 EAT"),
        ("Africa/Lagos", "30 April 2026, 22:30 WAT"),
        ("Africa/Cairo", "1 May 2026, 00:30 EEST"),
        ("Africa/Casablanca", "30 April 2026, 22:30 UTC+1"),
        ("Africa/Accra", "30 April 2026, 21:30 GMT"),
        ("UTC", "30 April 2026, 21:30 GMT"),
    ],
)
def test_times_are_shown_with_their_zone(zone: str, expected: str, data: Path) -> None:
    with open_site(data, SPECTATOR_TIMEZONE=zone) as app:
        moment = datetime(2026, 4, 30, 21, 30, tzinfo=UTC)
        assert app.jinja_env.filters["date_time"](moment) == expected
        assert expected.startswith(app.jinja_env.filters["long_date"](moment))
        assert app.jinja_env.filters["long_date"](date(2026, 5, 1)) == "1 May 2026"


def test_local_mean_time_is_written_in_utc_for_machines(data: Path) -> None:
    with open_site(data, SPECTATOR_TIMEZONE="Africa/Nairobi") as app:
        moment = datetime(1900, 1, 1, tzinfo=UTC)
        assert app.jinja_env.filters["iso"](moment) == "1900-01-01T00:00:00Z"
        assert app.jinja_env.filters["rfc822"](moment) == "Mon, 01 Jan 1900 00:00:00 +0000"


@hypothesis_settings(deadline=None)
@given(
    day=st.dates(date(1000, 1, 2), date(9000, 12, 30)),
    second=st.integers(0, 86_399),
    zone=st.sampled_from(
        sorted(name for name in available_timezones() if name.startswith("Africa/"))
    ),
)
def test_every_moment_of_a_day_is_between_its_start_and_end(
    day: date, second: int, zone: str
) -> None:
    local = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)) + timedelta(
        seconds=second
    )
    moment = local.astimezone(UTC)
    if moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == local.replace(tzinfo=None):
        at = (moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
        assert times.day_start(day, ZoneInfo(zone)) <= at < times.day_end(day, ZoneInfo(zone))


def test_the_first_and_last_day_of_the_calendar_have_a_start_and_an_end() -> None:
    for zone in (
        "UTC",
        "Africa/Nairobi",
        "Africa/Casablanca",
        "Pacific/Kiritimati",
        "Etc/GMT+12",
    ):
        assert times.day_start(date.min, ZoneInfo(zone)) < times.day_end(date.min, ZoneInfo(zone))
        assert times.day_end(date.max, ZoneInfo(zone)) == float("inf")
