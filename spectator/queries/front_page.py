"""The front page: the newest stories, and a rail of older ones for each section."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import Select, Subquery, select, tuple_, union_all

from spectator.db import db
from spectator.editions import Edition, current_edition
from spectator.models import Article, ListingRow, Section
from spectator.queries.bylines import load_bylines
from spectator.queries.cards import select_cards
from spectator.queries.cursors import parse_cursor
from spectator.queries.listings import (
    cursor_parameters,
    is_in_edition,
    is_of_edition,
    latest_listing,
    stream,
    stream_through,
)
from spectator.queries.translations import is_preferred_version, preferred_language

LATEST_COUNT, RAIL_SIZE = 8, 4  # stories after the lead, stories in each section's rail


@dataclass(frozen=True, slots=True)
class FrontPage:
    """The front page: the lead, the latest stories after it, and a rail for each section.

    `rails_cursor` marks the end of the first page of latest stories; the rails hold the first
    stories of each section after it.
    """

    lead: Article | None
    latest: list[Article]
    rails: list[tuple[Section, list[Article]]]
    cursor: str | None
    rails_cursor: str | None = None
    is_truncated: bool = False


@lru_cache(maxsize=32)
def _select_rail_rows(section_ids: tuple[int, ...], rail_size: int, edition: Edition) -> Subquery:
    """Return the rows of each section's first stories after a cursor in an edition."""
    rails = [
        select(ListingRow.article_id, ListingRow.published_at)
        .where(ListingRow.kind == "section", ListingRow.key == section_id)
        .where(is_of_edition(ListingRow.language, edition))
        .where(
            tuple_(ListingRow.published_at, ListingRow.article_id) < cursor_parameters("start")
        )
        # Of the versions in all sections, because the latest stories are on the same page.
        .where(is_preferred_version(ListingRow.article_id, is_in_edition(edition)))
        .order_by(ListingRow.published_at.desc(), ListingRow.article_id.desc())
        .limit(rail_size)
        .subquery()
        for section_id in section_ids
    ]
    return union_all(
        *(select(rows.c.article_id, rows.c.published_at) for rows in rails)
    ).subquery()


@lru_cache(maxsize=32)
def _select_rails(
    section_ids: tuple[int, ...], rail_size: int, edition: Edition
) -> Select[Article]:
    rows = _select_rail_rows(section_ids, rail_size, edition)
    newest_first = (rows.c.published_at.desc(), rows.c.article_id.desc())
    return select_cards().join(rows, rows.c.article_id == Article.id).order_by(*newest_first)


def rail_ids(navigation: Sequence[Section], cursor: str) -> list[int]:
    """Return the ids of the stories in the rails that start after a cursor.

    Raises InvalidCursor.
    """
    values = _rail_values(cursor)
    if not navigation:
        return []
    section_ids = tuple(section.id for section in navigation)
    rows = _select_rail_rows(section_ids, RAIL_SIZE, current_edition())
    return list(db.session.scalars(select(rows.c.article_id), values))


def _rail_values(cursor: str) -> dict[str, object]:
    """Return the parameters of the rails that start after a cursor; raises InvalidCursor."""
    at, article_id = parse_cursor(cursor)
    language = preferred_language(current_edition())
    return {"start_at": at, "start_id": article_id, "list_language": language}


def load_front_page(navigation: Sequence[Section], through: str | None = None) -> FrontPage:
    """Return the front page of the current edition.

    With the cursor `through` the latest stories continue down to it, without those in the rails.
    Raises InvalidCursor.
    """
    latest = latest_listing()
    page = stream(latest, limit=LATEST_COUNT + 1)
    lead, rest = (page.articles[0], page.articles[1:]) if page.articles else (None, [])
    rails, has_more = _load_rails(navigation, page.cursor)
    if not has_more:
        return FrontPage(lead, rest, rails, None)
    if through is None:
        return FrontPage(lead, rest, rails, page.cursor, page.cursor)
    excluded = [article.id for _, articles in rails for article in articles]
    later = stream_through(latest, page.cursor, through, excluded)
    latest_articles = later.articles if later.is_truncated else rest + later.articles
    return FrontPage(lead, latest_articles, rails, later.cursor, page.cursor, later.is_truncated)


def _load_rails(
    navigation: Sequence[Section], cursor: str | None
) -> tuple[list[tuple[Section, list[Article]]], bool]:
    """Return the rails that have stories, and whether a section has more stories than its rail."""
    if cursor is None or not navigation:
        return [], cursor is not None
    section_ids = tuple(section.id for section in navigation)
    statement = _select_rails(section_ids, RAIL_SIZE + 1, current_edition())
    by_section: dict[int, list[Article]] = {}
    rows = db.session.scalars(statement, _rail_values(cursor)).all()
    for article in load_bylines(rows):
        by_section.setdefault(article.section_id, []).append(article)
    rails = [
        (section, by_section[section.id][:RAIL_SIZE])
        for section in navigation
        if section.id in by_section
    ]
    return rails, any(len(articles) > RAIL_SIZE for articles in by_section.values())
