"""Keeps in which lists published stories stand, and how many in each. Only for publishing, inside its transactions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import (
    CompoundSelect,
    Integer,
    Select,
    SQLColumnExpression,
    cast,
    delete,
    except_,
    func,
    insert,
    literal,
    select,
    union_all,
)
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.orm import Session

from spectator.models import Article, ArticleAuthor, Listed, StoryCount
from spectator.models.article import article_country, article_topic

AT_ONCE = 500


class Place(NamedTuple):
    """A row of `listed`; published stories have a moment."""

    kind: str
    key: int
    published_at: datetime | None
    article_id: int


_COLUMNS = (Listed.kind, Listed.key, Listed.published_at, Listed.article_id)


def places(ids: Iterable[int] | None = None) -> CompoundSelect[str, int, datetime | None, int]:
    """Return the select of the rows that `listed` has to hold, of some stories or of all."""
    month = cast(func.strftime("%Y%m", Article.published_at), Integer)
    by_topic = article_topic.c.article_id == Article.id
    by_country = article_country.c.article_id == Article.id
    parts = (
        _part("section", Article.section_id),
        _part("month", month),
        _part("topic", article_topic.c.topic_id).join(article_topic, by_topic),
        _part("country", article_country.c.country_id).join(article_country, by_country),
        _part("author", ArticleAuthor.author_id).join(ArticleAuthor, ArticleAuthor.article_id == Article.id).distinct(),
    )
    return union_all(*(part if ids is None else part.where(Article.id.in_(ids)) for part in parts))


def _part(kind: str, key: SQLColumnExpression[int]) -> Select[str, int, datetime | None, int]:
    return (
        select(literal(kind), key, Article.published_at, Article.id)
        .select_from(Article)
        .where(Article.status == "published")
    )


def refresh(session: Session, ids: Iterable[int]) -> None:
    """Put stories into the lists where they stand now and out of the others, and move the counts with them."""
    session.flush()
    every = list(ids)
    for start in range(0, len(every), AT_ONCE):
        some = every[start : start + AT_ONCE]
        held = {Place(*row) for row in session.execute(select(*_COLUMNS).where(Listed.article_id.in_(some)))}
        wanted = {Place(*row) for row in session.execute(places(some))}
        _change(session, held - wanted, wanted - held)


def _change(session: Session, gone: set[Place], new: set[Place]) -> None:
    for place in gone:
        of_list = (Listed.kind == place.kind) & (Listed.key == place.key)
        own = (Listed.published_at == place.published_at) & (Listed.article_id == place.article_id)
        session.execute(delete(Listed).where(of_list, own))
    if new:
        session.execute(insert(Listed), [place._asdict() for place in new])
    moved = Counter((place.kind, place.key) for place in new)
    moved.subtract((place.kind, place.key) for place in gone)
    counts = [{"kind": kind, "key": key, "number": by} for (kind, key), by in sorted(moved.items()) if by]
    if counts:
        added = upsert(StoryCount)
        more = {"number": StoryCount.number + added.excluded.number}
        session.execute(added.on_conflict_do_update(index_elements=["kind", "key"], set_=more), counts)
        session.execute(delete(StoryCount).where(StoryCount.number <= 0))


def are_lists_true(session: Session) -> bool:
    """Say whether lists and counts are what the stories say; reads all of them."""
    held, wanted = select(*_COLUMNS), places()
    counted = select(Listed.kind, Listed.key, func.count()).group_by(Listed.kind, Listed.key)
    counts = select(StoryCount.kind, StoryCount.key, StoryCount.number)
    pairs = ((held, select(wanted.subquery())), (counts, counted))
    differences = (except_(*each) for one, other in pairs for each in ((one, other), (other, one)))
    return all(session.execute(each.limit(1)).first() is None for each in differences)


def rebuild(session: Session) -> None:
    """Make lists and counts anew from the stories."""
    session.execute(delete(Listed))
    session.execute(delete(StoryCount))
    session.execute(insert(Listed).from_select([column.key for column in _COLUMNS], places()))
    counted = select(Listed.kind, Listed.key, func.count()).group_by(Listed.kind, Listed.key)
    session.execute(insert(StoryCount).from_select(["kind", "key", "number"], counted))
