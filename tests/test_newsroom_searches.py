"""Reader searches: which are counted, and the newsroom's page of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from flask import Flask
from flask.testing import FlaskClient

from spectator import queries
from spectator.db import db
from spectator.models import SearchCount
from tests.newsroom_client import logged_in_client

TODAY = datetime.now(UTC).date()


def make_count(text: str, times: int, hits: int, days_ago: int = 0) -> SearchCount:
    return SearchCount(
        day=TODAY - timedelta(days=days_ago),
        text=text,
        times=times,
        hits=hits,
        milliseconds=10 * times,
    )


def store_counts() -> None:
    with db.write() as session:
        session.add_all(
            [
                make_count("mali", 5, 3, 1),
                make_count("mali", 2, 4),
                make_count("atlantis", 3, 0),
                make_count("old", 50, 0, 40),
            ]
        )
        session.add_all([make_count("found now", 1, 0, 2), make_count("found now", 1, 1)])


def test_search_counts_are_summed_over_the_days(app: Flask) -> None:
    store_counts()
    assert queries.top_searches(7) == [
        ("mali", 7, 4, 10),
        ("atlantis", 3, 0, 10),
        ("found now", 2, 1, 10),
    ]
    without_results = queries.top_searches(7, only_without_results=True)
    assert [search.text for search in without_results] == ["atlantis"]
    assert queries.top_searches(90)[0].text == "old"
    assert [search.text for search in queries.top_searches(1)] == [
        "atlantis",
        "mali",
        "found now",
    ]


def test_the_page_of_searches_needs_a_login(app: Flask, client: FlaskClient) -> None:
    store_counts()
    editor = logged_in_client(app)
    assert client.get("/newsroom/searches").status_code == 303
    page = editor.get("/newsroom/searches?days=30").text
    assert "/search?q=atlantis" in page and "mali" in page
    assert "old" not in page.partition("<main")[2], "40 days ago"
    assert "No searches in the last" not in page
    assert editor.get("/newsroom/searches?days=rubbish").status_code == 200


def test_empty_tables_of_searches_say_why(app: Flask) -> None:
    editor = logged_in_client(app)
    no_searches = "No searches in the last 7 days."
    all_found = "Every search term had results the last time it was used."
    assert editor.get("/newsroom/searches").text.count(no_searches) == 2
    with db.write() as session:
        session.add_all([make_count("found now", 1, 0, 2), make_count("found now", 1, 1)])
    page = editor.get("/newsroom/searches").text
    assert all_found in page and no_searches not in page


def test_only_first_pages_of_searches_with_words_are_counted(
    app: Flask, client: FlaskClient, catch_up: Callable[[], None]
) -> None:
    catch_up()
    log = app.config["DATA_DIR"] / "searches.log"
    for path in (
        "/search",
        "/search?q=",
        "/search?section=politics",
        "/fragments/search?q=x",
        "/fragments/suggest?q=xy",
    ):
        client.get(path)
    client.get("/search/feed.xml?q=x")
    client.get("/search?q=x&page=2")
    assert not log.exists()
    client.get("/search?q=x&section=politics")
    assert log.read_text().count("\n") == 1
