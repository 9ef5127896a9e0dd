"""The lists that readers see: their addresses, their pages, the front page, the archive."""

from __future__ import annotations

import re
from calendar import month_name
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import cast

from sqlalchemy import BindParameter, Integer, Select, bindparam, select, tuple_, union_all
from sqlalchemy.orm import joinedload

from spectator.addresses import list_path
from spectator.db import UTCDateTime, db
from spectator.models import (
    Article,
    Author,
    Country,
    Listed,
    Section,
    StoryCount,
    Topic,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PAGE_SIZE = 20


class BadCursor(ValueError):
    """A `before` that no page of this site has handed out."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of stories that has an address: `kind` is latest, section, country, topic, author or month.

    `key` is that of the list in `models.Listed`; the latest need none.
    """

    kind: str
    title: str
    path: str
    key: int = 0
    thing: Section | Country | Topic | Author | None = None

    @property
    def feed_path(self) -> str:
        """Return the path of the list's RSS feed."""
        return f"{self.path}feed.xml"


@dataclass(frozen=True, slots=True)
class Stream:
    """One page of a list, newest first, and the cursor of the next one (None at the end)."""

    articles: list[Article]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Front:
    """The front page: the lead story, the newest after it, and a rail of (section, stories) for each section."""

    lead: Article | None
    latest: list[Article]
    rails: list[tuple[Section, list[Article]]]
    cursor: str | None


def sections() -> Sequence[Section]:
    """Return the sections in the order of the navigation."""
    return db.session.scalars(select(Section).order_by(Section.position, Section.id)).all()


def published_articles() -> Select[Article]:
    """Return what is public, newest first, with all that a card shows."""
    newest_first = (Article.published_at.desc(), Article.id.desc())
    return cards().where(Article.status == "published").order_by(*newest_first)


def published_article(article_id: int) -> Article | None:
    """Return a published story as a card shows it; ids beyond SQLite's integers are nobody's."""
    if article_id >= 2**63:
        return None
    return db.session.scalar(published_articles().where(Article.id == article_id))


def cards() -> Select[Article]:
    """Return the select of stories as cards show them, whatever their state."""
    return select(Article).options(joinedload(Article.section, innerjoin=True), joinedload(Article.picture))


def listing(path: str) -> Listing | None:
    """Return the list that lives at a path such as `/`, `/politics/` or `/archive/2024/05/`, None where none does."""
    if path == "/":
        return Listing("latest", "Latest", "/")
    month = re.fullmatch(r"/archive/([0-9]{4})/([0-9]{2})/", path)
    if month:
        return month_listing(int(month[1]), int(month[2]))
    parts = path.strip("/").split("/")
    if len(parts) == 1:
        return _listing_of("section", Section, parts[0])
    models: dict[str, type[Country] | type[Topic] | type[Author]]
    models = {"country": Country, "topic": Topic, "author": Author}
    if len(parts) == 2 and parts[0] in models:
        return _listing_of(parts[0], models[parts[0]], parts[1])
    return None


def _listing_of(
    kind: str, model: type[Section] | type[Country] | type[Topic] | type[Author], slug: str
) -> Listing | None:
    thing = cast(
        "Section | Country | Topic | Author | None", db.session.scalar(select(model).where(model.slug == slug))
    )
    if thing is None:
        return None
    return Listing(kind, thing.name, list_path(thing), thing.id, thing)


def month_listing(year: int, month: int) -> Listing | None:
    """Return the list of one month in UTC, None where the calendar has no such month."""
    if not (1 <= year <= 9998 and 1 <= month <= 12):
        return None
    return Listing("month", f"{month_name[month]} {year}", f"/archive/{year:04}/{month:02}/", year * 100 + month)


def cursor_after(article: Article) -> str:
    """Return the cursor that continues a list behind a story: microseconds since 1970, then the id."""
    assert article.published_at is not None
    return f"{(article.published_at - EPOCH) // timedelta(microseconds=1)}-{article.id}"


def _position(cursor: str) -> tuple[datetime, int]:
    match = re.fullmatch(r"(-?[0-9]{1,18})-([0-9]{1,18})", cursor, re.ASCII)
    if not match:
        raise BadCursor(cursor[:40])
    try:
        return EPOCH + timedelta(microseconds=int(match[1])), int(match[2])
    except OverflowError as error:
        raise BadCursor(cursor[:40]) from error


def is_cursor(text: str) -> bool:
    """Say whether a cursor stands behind a published story, written as `cursor_after` writes it."""
    try:
        _, article_id = _position(text)
    except BadCursor:
        return False
    article = published_article(article_id)
    return article is not None and cursor_after(article) == text


@cache
def _stream(is_latest: bool, has_cursor: bool) -> Select[Article]:
    """Return the select of a page: first the ids, a stretch of one index, then what a card shows of each."""
    of, name = (Article, Article.id) if is_latest else (Listed, Listed.article_id)
    ids = select(name.label("id"), of.published_at.label("at")).limit(bindparam("number", type_=Integer))
    if is_latest:
        ids = ids.where(Article.status == "published")
    else:
        ids = ids.where(Listed.kind == bindparam("kind"), Listed.key == bindparam("key"))
    if has_cursor:
        cursor = tuple_(bindparam("at", type_=UTCDateTime), bindparam("id", type_=Integer))
        ids = ids.where(tuple_(of.published_at, name) < cursor)
    page = ids.order_by(of.published_at.desc(), name.desc()).subquery()
    return cards().join(page, page.c.id == Article.id).order_by(page.c.at.desc(), page.c.id.desc())


def stream(where: Listing, before: str | None = None, limit: int = PAGE_SIZE) -> Stream:
    """Return the page of a list behind the cursor `before`; raises BadCursor.

    Keyset on (published_at, id): nothing repeats and nothing is skipped while new stories arrive.
    """
    values: dict[str, object] = {"kind": where.kind, "key": where.key, "number": limit + 1}
    if before is not None:
        values["at"], values["id"] = _position(before)
    found = db.session.scalars(_stream(where.kind == "latest", before is not None), values).all()
    articles = list(found[:limit])
    return Stream(articles, cursor_after(articles[-1]) if len(found) > limit else None)


@lru_cache(maxsize=8)
def _rails(sections: tuple[int, ...], rail: int) -> Select[Article]:
    """Return the select of the newest stories of each section but those in `shown`."""
    shown: BindParameter[list[int]] = bindparam("shown", expanding=True)
    rails = [
        select(Listed.article_id, Listed.published_at)
        .where(Listed.kind == "section", Listed.key == section, Listed.article_id.not_in(shown))
        .order_by(Listed.published_at.desc(), Listed.article_id.desc())
        .limit(rail)
        .subquery()
        for section in sections
    ]
    chosen = union_all(*(select(each.c.article_id, each.c.published_at) for each in rails)).subquery()
    newest_first = (chosen.c.published_at.desc(), chosen.c.article_id.desc())
    return cards().join(chosen, chosen.c.article_id == Article.id).order_by(*newest_first)


def front(navigation: Sequence[Section], latest: int = 8, rail: int = 4) -> Front:
    """Return the front page: a lead, the `latest` newest, and the `rail` newest others of each section."""
    page = stream(Listing("latest", "Latest", "/"), limit=latest + 1)
    found: Iterable[Article] = ()
    if page.cursor and navigation:
        shown = [article.id for article in page.articles]
        found = db.session.scalars(_rails(tuple(each.id for each in navigation), rail), {"shown": shown}).all()
    by_section: dict[int, list[Article]] = {}
    for article in found:
        by_section.setdefault(article.section_id, []).append(article)
    filled = [(section, by_section[section.id]) for section in navigation if section.id in by_section]
    first, rest = (page.articles[0], page.articles[1:]) if page.articles else (None, [])
    return Front(first, rest, filled, page.cursor)


def months() -> list[tuple[int, int, int]]:
    """Return (year, month, number of published stories), newest first."""
    query = select(StoryCount.key, StoryCount.number).where(StoryCount.kind == "month")
    rows = db.session.execute(query.order_by(StoryCount.key.desc())).all()
    return [(key // 100, key % 100, number) for key, number in rows]
