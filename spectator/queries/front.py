"""The front page: the newest stories, and a rail of the next ones for each section."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import Select, Subquery, select, tuple_, union_all

from spectator.db import db
from spectator.models import Article, Listed, Section
from spectator.queries.published import Listing, cards, cursor_parameters, loaded_stream, read_cursor, stream

LATEST, RAIL = 8, 4  # stories after the lead, and of each section


@dataclass(frozen=True, slots=True)
class Front:
    """The front page: the lead story, the newest after it, and a rail of (section, stories) for each section.

    `rails_cursor` is where the newest end; the rails hold the first stories of each section behind it.
    """

    lead: Article | None
    latest: list[Article]
    rails: list[tuple[Section, list[Article]]]
    cursor: str | None
    rails_cursor: str | None = None
    is_cut: bool = False


@lru_cache(maxsize=8)
def _rail_rows(sections: tuple[int, ...], rail: int) -> Subquery:
    """Return the rows of each section's first stories behind a cursor."""
    rails = [
        select(Listed.article_id, Listed.published_at)
        .where(Listed.kind == "section", Listed.key == section)
        .where(tuple_(Listed.published_at, Listed.article_id) < cursor_parameters("start"))
        .order_by(Listed.published_at.desc(), Listed.article_id.desc())
        .limit(rail)
        .subquery()
        for section in sections
    ]
    return union_all(*(select(rows.c.article_id, rows.c.published_at) for rows in rails)).subquery()


@lru_cache(maxsize=8)
def _rails(sections: tuple[int, ...], rail: int) -> Select[Article]:
    rows = _rail_rows(sections, rail)
    newest_first = (rows.c.published_at.desc(), rows.c.article_id.desc())
    return cards().join(rows, rows.c.article_id == Article.id).order_by(*newest_first)


def rail_ids(navigation: Sequence[Section], cursor: str) -> list[int]:
    """Return the ids of the stories in the rails of a front page whose newest end at a cursor; raises BadCursor."""
    at, article_id = read_cursor(cursor)
    if not navigation:
        return []
    rows = _rail_rows(tuple(section.id for section in navigation), RAIL)
    return list(db.session.scalars(select(rows.c.article_id), {"start_at": at, "start_id": article_id}))


def front(navigation: Sequence[Section], through: str | None = None) -> Front:
    """Return the front page: a lead, the newest after it, and the first others of each section.

    With the cursor `through` the newest go on down to it, without what stands in the rails; raises BadCursor.
    """
    latest = Listing("latest", "Latest", "/")
    page = stream(latest, limit=LATEST + 1)
    lead, rest = (page.articles[0], page.articles[1:]) if page.articles else (None, [])
    rails, has_more = _filled_rails(navigation, page.cursor)
    if not has_more:
        return Front(lead, rest, rails, None)
    if through is None:
        return Front(lead, rest, rails, page.cursor, page.cursor)
    excluded = [article.id for _, articles in rails for article in articles]
    more = loaded_stream(latest, page.cursor, through, excluded)
    shown = more.articles if more.is_cut else rest + more.articles
    return Front(lead, shown, rails, more.cursor, page.cursor, more.is_cut)


def _filled_rails(
    navigation: Sequence[Section], cursor: str | None
) -> tuple[list[tuple[Section, list[Article]]], bool]:
    """Return the rails that have stories, and whether any section has more than its rail shows."""
    if cursor is None or not navigation:
        return [], cursor is not None
    at, article_id = read_cursor(cursor)
    statement = _rails(tuple(section.id for section in navigation), RAIL + 1)
    by_section: dict[int, list[Article]] = {}
    for article in db.session.scalars(statement, {"start_at": at, "start_id": article_id}):
        by_section.setdefault(article.section_id, []).append(article)
    rails = [(section, by_section[section.id][:RAIL]) for section in navigation if section.id in by_section]
    return rails, any(len(articles) > RAIL for articles in by_section.values())
