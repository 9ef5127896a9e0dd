"""What readers' pages ask the database touches indexes alone, so that an archive may grow.

Without statistics, which the site never gathers: on the few rows of a test they would make any walk look cheap.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from spectator import publishing, queries
from spectator.db import db
from spectator.models import User
from tests.conftest import draft

# Tables that stay small, and steps over what a LIMIT or one story bounds.
SMALL = {"section", "country", "follower", "story_count"}
BOUNDED = {
    "page": "one page of a list, cut by its LIMIT",
    "chosen": "four stories of each section",
    "filed": "what one story is filed under",
}
Asked = list[tuple[str, Any]]


@pytest.fixture
def asked(app: Flask) -> Iterator[Asked]:
    """Every SELECT with its values, as it reaches SQLite."""
    seen: Asked = []

    def listen(_connection: object, _cursor: object, statement: str, values: Any, *_rest: object) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            seen.append((statement, values))

    event.listen(db.engine, "before_cursor_execute", listen)
    yield seen
    event.remove(db.engine, "before_cursor_execute", listen)


@pytest.fixture
def paths(app: Flask, story: Callable[..., int], editor: User) -> list[str]:
    """Every kind of page of a site with some stories."""
    filing: dict[str, Any] = {"countries": ("Mali", "Niger"), "topics": ("One",), "authors": ("A One",)}
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
    publishing.save(ids[0], draft(slug="moved", **filing), editor, version, publishing.Step("update"))
    last = queries.published_article(ids[20])
    assert last is not None
    before = f"?before={queries.cursor_after(last)}"
    lists = ["/politics/", "/country/mali/", "/topic/one/", "/author/a-one/", "/archive/2026/11/"]
    pages = ["/", f"/{before}", "/politics/moved", "/politics/s-0", "/archive/", "/feed.xml", "/nowhere/at-all"]
    pages += [*lists, *(f"{path}{before}" for path in lists), *(f"{path}feed.xml" for path in lists)]
    return [*pages, f"/fragments/stream{lists[2]}{before}", f"/fragments/related/{ids[5]}"]


def plan(statement: str, values: Any) -> list[str]:
    """Return the steps that SQLite takes."""
    connection = db.engine.raw_connection()
    try:
        return [row[3] for row in connection.cursor().execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()]
    finally:
        connection.close()


def is_bounded(step: str) -> bool:
    """Say whether a step costs the same however many stories there are."""
    scanned = re.match(r"SCAN (?:\"?(\w+)\"?)", step)
    return scanned is None or scanned[1] in SMALL or scanned[1] in BOUNDED or scanned[1].startswith("anon_")


def test_no_page_walks_a_table(client: FlaskClient, paths: list[str], asked: Asked) -> None:
    asked.clear()
    for path in paths:
        client.get(path)
    statements = dict(asked)
    assert len(statements) > 15
    for statement, values in dict(asked).items():
        steps = plan(statement, values)
        assert all(is_bounded(step) for step in steps), "\n".join([statement, *steps])
        for step in steps:
            assert "AUTOMATIC" not in step, "\n".join([statement, *steps])


def test_a_walk_is_noticed(app: Flask) -> None:
    [step] = plan("select id from article where headline = ?", ("x",))
    assert not is_bounded(step)
