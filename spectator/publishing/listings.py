"""The listings of published stories and their counts, updated inside publishing's transactions.

Both tables are derived from the stories, their taxonomy and the newsroom's time zone, which decides
the month of a story. They may be emptied at any time: `repair_listings` fills them again.
"""

# ruff: noqa: S608 - every part of these statements is a constant of this file
from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from flask import current_app
from sqlalchemy import Result, TextClause, select, text
from sqlalchemy.orm import Session

from spectator import outbox
from spectator.db import db, take_turns
from spectator.models import Article, Author, TableTimeZone, Topic
from spectator.publishing.names import KINDS, settle_slugs

BATCH_SIZE = 1000
LISTINGS = "lists"


# What the databases write differently. `join` makes SQLite start from the stories and not from the
# taxonomy, whatever table sizes it estimates (sqlite.org/optoverview.html, section 8.2).
_DIALECTS = {
    "sqlite": {
        "join": "CROSS JOIN",
        "month": "newsroom_month(a.published_at)",
        "language": "lower(substr(a.language, 1, instr(a.language || '-', '-') - 1))",
        "ids": "json_each(:ids)",
    },
    "postgresql": {
        "join": "JOIN",
        "month": (
            "CAST(to_char(a.published_at AT TIME ZONE 'UTC' AT TIME ZONE :zone, 'YYYYMM') AS int)"
        ),
        "language": "lower(split_part(a.language, '-', 1))",
        "ids": (
            "(SELECT CAST(value AS int) FROM json_array_elements_text(CAST(:ids AS json)) AS value)"
        ),
    },
}


def _desired_rows(stories: str) -> str:
    """Return the SELECT of the rows that `listed` must hold; `stories` aliases `article` as `a`.

    Times are copied in their stored form.
    """
    public = "a.status = 'published' AND a.published_at IS NOT NULL"
    taxonomy_rows = (
        "SELECT '{0}', f.{0}_id, a.published_at, a.id, {{language}} "
        "FROM {1} {{join}} article_{0} f ON f.article_id = a.id"
    )
    topics, countries, authors = (
        taxonomy_rows.format(kind, stories) for kind in ("topic", "country", "author")
    )
    return f"""
        SELECT 'section' AS kind, a.section_id AS "key",
          a.published_at AS published_at, a.id AS article_id, {{language}} AS language
        FROM {stories} WHERE {public}
        UNION ALL SELECT 'month', {{month}}, a.published_at, a.id, {{language}}
        FROM {stories} WHERE {public}
        UNION ALL {topics} WHERE {public}
        UNION ALL {countries} WHERE {public}
        UNION ALL {authors} WHERE {public} AND NOT EXISTS (
          SELECT 1 FROM article_author b
          WHERE b.article_id = f.article_id
            AND b.position < f.position AND b.author_id = f.author_id)"""


_COLUMNS = 'kind, "key", published_at, article_id, language'
_CHANGED_ARTICLES = "{ids} AS changed {join} article AS a ON a.id = changed.value"
# The rows to insert (number 1) and to delete (number -1).
_ROW_CHANGES = f"""
    SELECT sum(number) AS number, {_COLUMNS} FROM (
      SELECT 1 AS number, {_COLUMNS} FROM ({_desired_rows(_CHANGED_ARTICLES)}) AS desired
      UNION ALL
      SELECT -1, {_COLUMNS} FROM listed
      WHERE article_id IN (SELECT value FROM {{ids}} AS changed)
    ) AS difference GROUP BY {_COLUMNS} HAVING sum(number) <> 0"""
_DELETE_ROWS = text(
    'DELETE FROM listed WHERE kind = :kind AND "key" = :key '
    "AND published_at = :published_at AND article_id = :article_id"
)
_INSERT_ROWS = text(
    f"INSERT INTO listed ({_COLUMNS}) VALUES (:kind, :key, :published_at, :article_id, :language)"
)
_ADD_TO_COUNTS = text(
    'INSERT INTO story_count (kind, "key", number) VALUES (:kind, :key, :number) '
    'ON CONFLICT (kind, "key") DO UPDATE SET number = story_count.number + excluded.number'
)
_ADD_TO_LANGUAGE_COUNTS = text(
    'INSERT INTO language_count (kind, "key", language, number) '
    'VALUES (:kind, :key, :language, :number) ON CONFLICT (kind, "key", language) '
    "DO UPDATE SET number = language_count.number + excluded.number"
)
_MARK_AS_PUBLIC = text(
    'INSERT INTO opened_list (kind, "key") VALUES (:kind, :key) ON CONFLICT DO NOTHING'
)
_DELETE_EMPTY_COUNTS = text(
    'DELETE FROM story_count WHERE kind = :kind AND "key" = :key AND number <= 0'
)

_DELETE_EMPTY_LANGUAGE_COUNTS = text(
    "DELETE FROM language_count "
    'WHERE kind = :kind AND "key" = :key AND language = :language AND number <= 0'
)

_ALL_ARTICLES = "article AS a"
# By the table of counts: what they count.
_COUNTED = {"story_count": 'kind, "key"', "language_count": 'kind, "key", language'}
_ACTUAL_COUNTS = {
    table: f"SELECT {columns}, count(*) AS number FROM listed GROUP BY {columns}"
    for table, columns in _COUNTED.items()
}
_REBUILD_COUNTS = [
    text(statement)
    for table, columns in _COUNTED.items()
    for statement in (
        f"DELETE FROM {table}",
        f"INSERT INTO {table} ({columns}, number) {_ACTUAL_COUNTS[table]}",
    )
]
_ARE_ROWS_CORRECT = f"""
    SELECT count(*) = count(l.article_id) AND count(*) = (SELECT count(*) FROM listed)
    FROM ({_desired_rows(_ALL_ARTICLES)}) AS p LEFT JOIN listed AS l
      ON l.kind = p.kind AND l."key" = p."key"
      AND l.published_at = p.published_at AND l.article_id = p.article_id
      AND l.language = p.language"""
_ARE_COUNTS_CORRECT = [
    text(
        f"""SELECT count(*) = count(c.number) AND count(*) = (SELECT count(*) FROM {table})
        FROM ({actual}) AS l LEFT JOIN {table} AS c ON c.number = l.number AND """
        + " AND ".join(f"c.{column} = l.{column}" for column in _COUNTED[table].split(", "))
    )
    for table, actual in _ACTUAL_COUNTS.items()
]


@cache
def _statement(template: str, dialect: str) -> TextClause:
    """Return a statement for a database, with the parameters `ids` (a JSON list) and `zone`."""
    return text(template.format(**_DIALECTS[dialect]))


def _execute(session: Session, template: str, ids: Iterable[int] = ()) -> Result[Any]:
    """Execute a statement of this module for the stories with these ids."""
    dialect = session.get_bind().dialect.name
    parameters = {"ids": json.dumps(sorted(set(ids))), "zone": current_app.config["TIMEZONE"]}
    statement = _statement(template, dialect)
    names = statement.compile().params
    return session.execute(statement, {name: parameters[name] for name in names})


def update_listings(session: Session, article_ids: Iterable[int]) -> None:
    """Add stories to their listings, remove them from all other listings, and adjust counts."""
    session.flush()
    rows = _execute(session, _ROW_CHANGES, article_ids)
    row_changes: list[dict[str, Any]] = [dict(row) for row in rows.mappings()]
    counts = _count_changes(row_changes, ("kind", "key"))
    language_counts = _count_changes(row_changes, ("kind", "key", "language"))
    new_rows = [change for change in row_changes if change["number"] > 0]
    for model in (Author, Topic):
        listed_ids = {row["key"] for row in new_rows if row["kind"] == KINDS[model]}
        if listed_ids:
            settle_slugs(session, model, listed_ids)
    for statement, values in (
        (_DELETE_ROWS, [change for change in row_changes if change["number"] < 0]),
        (_INSERT_ROWS, new_rows),
        (_MARK_AS_PUBLIC, new_rows),
        (_ADD_TO_COUNTS, counts),
        (_DELETE_EMPTY_COUNTS, [row for row in counts if row["number"] < 0]),
        (_ADD_TO_LANGUAGE_COUNTS, language_counts),
        (_DELETE_EMPTY_LANGUAGE_COUNTS, [row for row in language_counts if row["number"] < 0]),
    ):
        if values:
            session.execute(statement, values)


def _count_changes(
    row_changes: Iterable[Mapping[str, Any]], columns: Sequence[str]
) -> list[dict[str, Any]]:
    """Return by how much the numbers of rows with these columns change: `number` of each."""
    numbers: Counter[tuple[Any, ...]] = Counter()
    for change in row_changes:
        numbers[tuple(change[column] for column in columns)] += change["number"]
    return [
        dict(zip(columns, values, strict=True)) | {"number": number}
        for values, number in numbers.items()
        if number
    ]


def are_listings_correct(session: Session) -> bool:
    """Return whether listings and counts agree with the stories; takes about 1 µs for each row."""
    return bool(_execute(session, _ARE_ROWS_CORRECT).scalar()) and all(
        session.scalar(statement) for statement in _ARE_COUNTS_CORRECT
    )


def correct_listings(article_ids: Iterable[int]) -> bool:
    """Correct the listings of these stories if they disagree; return whether they did."""
    db.session.rollback()
    rows = _execute(db.session(), _ROW_CHANGES, article_ids).mappings()
    wrong_ids = sorted({int(row["article_id"]) for row in rows})
    if wrong_ids:
        with db.write() as session:
            update_listings(session, wrong_ids)
            outbox.append_all(session, [(article_id, "lists") for article_id in wrong_ids])
    return bool(wrong_ids)


def repair_listings() -> bool:
    """Rebuild listings and counts that disagree with the stories; return whether they did.

    Each commit covers a thousand stories, so that nobody who saves has to wait for the whole
    archive.
    """
    db.session.rollback()
    if are_listings_correct(db.session()):
        return False
    zone = current_app.config["TIMEZONE"]
    for ids in take_turns(_id_batches()):
        with db.write() as session:
            update_listings(session, ids)
    with db.write() as session:
        for statement in _REBUILD_COUNTS:
            session.execute(statement)
        session.merge(TableTimeZone(name=LISTINGS, zone=zone))
        outbox.append(session, None, "lists")  # expires pages rendered during the repair
    return True


def _id_batches() -> Iterator[Sequence[int]]:
    next_ids, after = select(Article.id).order_by(Article.id).limit(BATCH_SIZE), 0
    while ids := db.session.scalars(next_ids.where(Article.id > after)).all():
        yield ids
        after = ids[-1]


def apply_time_zone() -> bool:
    """Rebuild listings that were built for another time zone; return whether they were."""
    zone: str = current_app.config["TIMEZONE"]
    query = select(TableTimeZone.zone).where(TableTimeZone.name == LISTINGS)
    previous_zone = db.session.scalar(query) or "UTC"
    if previous_zone == zone:
        return False
    if not repair_listings():
        with db.write() as session:
            session.merge(TableTimeZone(name=LISTINGS, zone=zone))
    return True
