"""Queries of readers' pages use indexes only, so that an archive may grow.

The site never runs ANALYZE, but plans must be as good where an operator has. With the few rows of a
test any scan would look cheap, so statistics are those of a hundred thousand stories.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
from tests.editions import in_languages

pytestmark = pytest.mark.sqlite

# Tables that stay small, and subqueries that a LIMIT or a single story limits.
SMALL = {"section", "country", "follower", "story_count", "language_count"}
BOUNDED = {
    "page": "one page of a list, cut by its LIMIT",
    "chosen": "four stories of each section",
    "filed": "lists of one story",
    "changed": "stories that an action changes",
    "json_each": "stories that an action changes",
    "CONSTANT": "one row, of an empty list of values",
}
# How many rows there are, and how many of them share the first columns of an index.
STATISTICS = """
article ix_article_stream 100000 100000 1 1
article ix_article_section_stream 100000 14286 14286 1 1
article ix_article_saved_at 100000 1
article ix_article_created_by_id 100000 100000
article ix_article_picture_id 100000 100000
article sqlite_autoindex_article_1 100000 1
article ix_article_translation_of_id 1000 1
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
listed ix_listed_language 519976 103996 1433 700 1 1
listed ix_latest 100000 100000 1 1 1
listed ix_latest_language 100000 100000 33334 1 1
language_count language_count 900 180 3 1
story_count story_count 363 73 1
"""
# Steps that read a whole list: they need a LIMIT, and their rows must not be sorted.
# The last index is of the translations of a story.
LIST_STEP = re.compile(
    r"SEARCH (?:article USING (?:COVERING )?INDEX ix_article_(?!seen_slug|translation_of_id)|"
    r"listed USING (?:PRIMARY KEY|(?:COVERING )?INDEX ix_(?:listed_language|latest)))"
)
Statements = list[tuple[str, Any]]


@pytest.fixture
def recorded_selects(app: Flask) -> Iterator[Statements]:
    """SELECT statements with their values, as SQLite receives them."""
    statements: Statements = []
    with recording(statements):
        yield statements


@contextmanager
def recording(statements: Statements) -> Iterator[None]:
    """Append the SELECT statements with their values."""

    def listen(
        _connection: object, _cursor: object, statement: str, values: Any, *_rest: object
    ) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            statements.append((statement, values))

    event.listen(db.engine, "before_cursor_execute", listen)
    yield
    event.remove(db.engine, "before_cursor_execute", listen)


@pytest.fixture
def paths(app: Flask, story: Callable[..., int], editor: User) -> list[str]:
    """URLs of every kind of page of a site with thirty stories."""
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
        session.execute(text("ANALYZE"))  # creates the table sqlite_stat1
        session.execute(text("DELETE FROM sqlite_stat1"))
        add = text("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (:tbl, :idx, :stat)")
        session.execute(
            add, [dict(zip(("tbl", "idx", "stat"), row, strict=True)) for row in rows]
        )
    db.session.remove()
    db.engine.dispose()  # a connection reads statistics when it is opened


def expensive_steps(statement: str, values: Any) -> list[str]:
    """Return the steps of a statement whose cost grows with the number of stories, and why."""
    steps = plan(statement, values)
    complaints = [f"scans: {step}" for step in steps if is_scan(step) or "AUTOMATIC" in step]
    list_steps = [step for step in steps if LIST_STEP.match(step)]
    list_steps += [step for step in steps if "INDEX ix_latest" in step]
    if "LIMIT" not in statement:
        complaints += [f"reads a whole list: {step}" for step in list_steps]
    # Only few rows may be sorted: a page, a rail, one story's lists or corrections.
    if any("TEMP B-TREE" in step for step in steps):
        complaints += [
            f"sorts a whole list: {step}"
            for step in list_steps
            if step.startswith("SEARCH article")
            or re.search(r"ix_latest|ix_listed_language \(kind=\?\)$", step)
        ]
    return complaints and [statement, *complaints, "of:", *steps]


def is_scan(step: str) -> bool:
    """Return whether a step scans a table that grows with the stories."""
    scanned = re.match(r"SCAN \"?\(?(\w+)", step)
    return bool(scanned) and not (
        scanned[1] in SMALL | set(BOUNDED)
        or scanned[1].startswith(("anon_", "subquery", "desired", "difference"))
    )


def test_no_page_scans_a_growing_table(
    client: FlaskClient, paths: list[str], statistics: None, recorded_selects: Statements
) -> None:
    for path in paths:
        assert client.get(path).status_code in {200, 301, 404}
    statements = dict(recorded_selects)
    assert len(statements) > 15
    for statement, values in statements.items():
        assert not expensive_steps(statement, values), "\n".join(
            expensive_steps(statement, values)
        )


def test_no_page_of_an_edition_scans_a_growing_table(
    app: Flask, paths: list[str], statistics: None
) -> None:
    with db.write() as session:
        session.execute(text("UPDATE listed SET language = 'fr' WHERE article_id % 2 = 0"))
    with in_languages(app, "en,fr") as site:
        statements: Statements = []
        client = site.test_client()
        with recording(statements):
            for path in [path for path in paths if "/s-0" not in path and "related" not in path]:
                assert client.get(path).status_code in {200, 301, 404}
                assert client.get(f"/fr{path}").status_code in {200, 404}
        assert len(statements) > 15
        for statement, values in dict(statements).items():
            assert not expensive_steps(statement, values), "\n".join(
                expensive_steps(statement, values)
            )


def test_updating_listings_reads_only_the_changed_stories(
    app: Flask, story: Callable[..., int], statistics: None, recorded_selects: Statements
) -> None:
    with db.write() as session:
        listings.update_listings(session, [1, 2])
    [(statement, values)] = recorded_selects
    assert not expensive_steps(statement, values), "\n".join(expensive_steps(statement, values))


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
def test_an_expensive_statement_is_reported(app: Flask, statistics: None, statement: str) -> None:
    assert expensive_steps(statement, ())


@pytest.mark.usefixtures("statistics")
def test_changes_of_originals_are_read_from_an_index(
    story: Callable[..., int], recorded_selects: Statements
) -> None:
    original = story(headline="Mali votes")
    translation = story(headline="Le Mali vote", language="fr", translation_of=str(original))
    articles = queries.articles_to_index([translation])
    recorded_selects.clear()
    queries.original_changes(articles)
    steps = [step for statement in recorded_selects for step in plan(*statement)]
    of_revisions = [step for step in steps if "revision" in step]
    assert len(of_revisions) == 2
    # The row of a revision is as long as its text.
    assert all(" COVERING INDEX " in step for step in of_revisions), of_revisions
