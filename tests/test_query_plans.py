"""Queries of readers' pages use indexes only, so that an archive may grow.

The site never runs ANALYZE, but plans must be as good where an operator has. With the few rows of a
test any scan would look cheap, so statistics are those of a hundred thousand stories.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text

from spectator import publishing, queries
from spectator.db import db
from spectator.models import User
from spectator.publishing import listings
from tests.conftest import make_draft

# Tables that stay small, and steps over what a LIMIT or one story bounds.
SMALL = {"section", "country", "follower", "story_count"}
BOUNDED = {
    "page": "one page of a list, cut by its LIMIT",
    "chosen": "four stories of each section",
    "filed": "what one story is filed under",
    "touched": "the stories that an act touches",
    "json_each": "the same",
}
# How many rows there are, and how many of them share the first columns of an index.
STATISTICS = """
article ix_article_stream 100000 100000 1 1
article ix_article_section_stream 100000 14286 14286 1 1
article ix_article_saved_at 100000 1
article ix_article_created_by_id 100000 100000
article ix_article_picture_id 100000 100000
article sqlite_autoindex_article_1 100000 1
article ix_article_seen_slug 100000 1
article_topic article_topic 100060 1 1
article_topic ix_article_topic_topic_id 100060 2502
article_country article_country 119916 2 1
article_country ix_article_country_country_id 119916 482
article_author article_author 100000 1 1
article_author ix_article_author_author_id 100000 3334
author sqlite_autoindex_author_1 30 1
country sqlite_autoindex_country_1 249 1
topic sqlite_autoindex_topic_1 40 1
section sqlite_autoindex_section_1 7 1
correction ix_correction_article_id 2000 1
redirect sqlite_autoindex_redirect_1 500 1
redirect ix_redirect_article_id 500 1
related related 600000 6 1
related ix_related_related_id 600000 6
related_choice related_choice 20 2 1
related_choice ix_related_choice_related_id 20 2
listed listed 519976 103996 1433 1 1
listed ix_listed_article_id 519976 6
story_count story_count 363 73 1
"""
# As long as a list, so that a LIMIT has to cut it, and nothing may sort it.
STRETCH = re.compile(
    r"SEARCH (?:article USING (?:COVERING )?INDEX ix_(?!article_seen_slug)|"
    r"listed USING PRIMARY KEY)"
)
Asked = list[tuple[str, Any]]


@pytest.fixture
def recorded_selects(app: Flask) -> Iterator[Asked]:
    """Record every SELECT with its values as SQLite receives it."""
    seen: Asked = []

    def listen(
        _connection: object, _cursor: object, statement: str, values: Any, *_rest: object
    ) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            seen.append((statement, values))

    event.listen(db.engine, "before_cursor_execute", listen)
    yield seen
    event.remove(db.engine, "before_cursor_execute", listen)


@pytest.fixture
def paths(app: Flask, story: Callable[..., int], editor: User) -> list[str]:
    """Return every kind of page of a site with some stories."""
    filing: dict[str, Any] = {
        "countries": ("Mali", "Niger"),
        "topics": ("One",),
        "authors": ("A One",),
    }
    ids = [
        story(
            headline=f"S {number}",
            hours=number,
            countries=("Mali", "Niger"),
            topics=("One", f"Topic {number}"),
            authors=("A One", f"Person {number}"),
        )
        for number in range(30)
    ]
    version = queries.articles_to_index([ids[0]])[0].version
    publishing.save(
        ids[0], make_draft(slug="moved", **filing), editor, version, publishing.Action("update")
    )
    last = queries.published_article(ids[20])
    assert last is not None
    before = f"?before={queries.cursor_after(last)}"
    through = f"?through={queries.cursor_after(last)}"
    lists = ["/politics/", "/country/mali/", "/topic/one/", "/author/a-one/", "/archive/2026/11/"]
    pages = [
        "/",
        f"/{before}",
        "/politics/moved",
        "/politics/s-0",
        "/archive/",
        "/feed.xml",
        "/nowhere/at-all",
    ]
    pages += [
        *lists,
        *(f"{path}{before}" for path in lists),
        *(f"{path}feed.xml" for path in lists),
    ]
    pages += [
        f"/{through}",
        *(f"{path}{through}" for path in lists),
        f"/{before}&{before[1:].replace('before', 'rails')}",
    ]
    return [*pages, f"/fragments/stream{lists[2]}{before}", f"/fragments/related/{ids[5]}"]


def plan(statement: str, values: Any) -> list[str]:
    """Return the steps of SQLite's query plan."""
    connection = db.engine.raw_connection()
    try:
        return [
            row[3]
            for row in connection.cursor()
            .execute(f"EXPLAIN QUERY PLAN {statement}", values)
            .fetchall()
        ]
    finally:
        connection.close()


@pytest.fixture(params=["without statistics", "with statistics"])
def statistics(app: Flask, request: pytest.FixtureRequest) -> None:
    """Give SQLite the table sizes of a large archive."""
    if request.param == "without statistics":
        return
    rows = [line.split(" ", 2) for line in STATISTICS.strip().splitlines()]
    with db.write() as session:
        session.execute(text("ANALYZE"))  # makes the table
        session.execute(text("DELETE FROM sqlite_stat1"))
        add = text("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (:tbl, :idx, :stat)")
        session.execute(add, [dict(zip(("tbl", "idx", "stat"), row, strict=True)) for row in rows])
    db.session.remove()
    db.engine.dispose()  # a connection reads them when it opens


def faults(statement: str, values: Any) -> list[str]:
    """Return the steps of a statement that cost more as stories grow, with the reason for each."""
    steps = plan(statement, values)
    complaints = [f"walks: {step}" for step in steps if is_walk(step) or "AUTOMATIC" in step]
    stretches = [step for step in steps if STRETCH.match(step)]
    if "LIMIT" not in statement:
        complaints += [f"to its end: {step}" for step in stretches]
    if any(
        "TEMP B-TREE" in step for step in steps
    ):  # of a page, a rail, one story's filing or corrections
        complaints += [
            f"may be sorted: {step}" for step in stretches if step.startswith("SEARCH article")
        ]
    return complaints and [statement, *complaints, "of:", *steps]


def is_walk(step: str) -> bool:
    """Return whether a step scans a table that grows with the stories."""
    scanned = re.match(r"SCAN \"?\(?(\w+)", step)
    return bool(scanned) and not (
        scanned[1] in SMALL | set(BOUNDED) or scanned[1].startswith(("anon_", "subquery"))
    )


def test_no_page_walks_a_table(
    client: FlaskClient, paths: list[str], statistics: None, recorded_selects: Asked
) -> None:
    for path in paths:
        assert client.get(path).status_code in {200, 301, 404}
    statements = dict(recorded_selects)
    assert len(statements) > 15
    for statement, values in statements.items():
        assert not faults(statement, values), "\n".join(faults(statement, values))


def test_an_act_looks_at_its_story_alone(
    app: Flask, story: Callable[..., int], statistics: None, recorded_selects: Asked
) -> None:
    with db.write() as session:
        listings.update_listings(session, [1, 2])
    [(statement, values)] = recorded_selects
    assert not faults(statement, values), "\n".join(faults(statement, values))


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT id FROM article WHERE headline = 'x'",
        'SELECT article_id FROM listed WHERE kind = 1 AND "key" = 1',
        "SELECT id FROM article WHERE status = 'published' ORDER BY headline LIMIT 20",
        "SELECT b.id FROM article_topic a JOIN article b ON b.headline = a.topic_id LIMIT 20",
        "SELECT count(*) FROM article",
    ],
)
def test_a_walk_is_noticed(app: Flask, statistics: None, statement: str) -> None:
    assert faults(statement, ())
