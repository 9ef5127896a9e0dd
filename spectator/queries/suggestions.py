"""Suggestions for the story form: names and sources of existing stories.

`author_id` is the id of an author, from whom colleagues' unpublished stories are hidden; None is
for editors, who see every story.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from sqlalchemy import (
    Column,
    ColumnElement,
    CompoundSelect,
    Integer,
    Select,
    Table,
    func,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from spectator.db import db
from spectator.models import Article, ArticleAuthor, Author, ListingCount, Topic
from spectator.models.article import article_topic

# Numbers of last saved stories to search for sources and for originals of translations.
RECENT_SOURCES, RECENT_STORIES = 500, 5000

NameCounts = Sequence[tuple[str, int]]


def is_visible_to(author_id: int, article: type[Article] = Article) -> ColumnElement[bool]:
    """Return the condition that an author may see a story: it is published or their own."""
    return (article.status == "published") | (article.created_by_id == author_id)


def authors_like(ascii_part: str, author_id: int | None = None, limit: int = 8) -> NameCounts:
    """Return (name, number of stories) of authors whose ASCII form contains a text.

    Those with most stories come first.
    """
    return _names_like(
        Author, cast(Table, ArticleAuthor.__table__).c.author_id, ascii_part, author_id, limit
    )


def topics_like(ascii_part: str, author_id: int | None = None, limit: int = 8) -> NameCounts:
    """Return (name, number of stories) of topics whose ASCII form contains a text.

    Those with most stories come first.
    """
    return _names_like(Topic, article_topic.c.topic_id, ascii_part, author_id, limit)


def _names_like(
    model: type[Author] | type[Topic],
    name_id: Column[int],
    ascii_part: str,
    author_id: int | None,
    limit: int,
) -> NameCounts:
    if author_id is None:
        count: ColumnElement[int] = func.count(name_id)
        query = select(model.name, count).outerjoin(name_id.table, name_id == model.id)
    else:
        stories = select_visible_counts(model, author_id).subquery()
        count = func.sum(stories.c.number).cast(Integer)
        query = select(model.name, count).join(stories, stories.c.name_id == model.id)
    query = query.where(model.ascii_form.contains(ascii_part, autoescape=True)).group_by(model.id)
    rows = db.session.execute(query.order_by(count.desc(), model.name).limit(limit))
    return [(row[0], row[1]) for row in rows]


def select_visible_counts(
    model: type[Author] | type[Topic], author_id: int
) -> CompoundSelect[int, int]:
    """Return the query of (`name_id`, `number`): the number of stories visible to an author.

    A name may have two rows: one for published stories, one for the author's unpublished stories.
    """
    table = cast(Table, ArticleAuthor.__table__) if model is Author else article_topic
    kind, name_id = (
        ("author", table.c.author_id) if model is Author else ("topic", table.c.topic_id)
    )
    is_own = (Article.created_by_id == author_id) & (Article.status != "published")
    own = select(name_id.label("name_id"), func.count(Article.id.distinct()).label("number"))
    own = own.join(Article, Article.id == table.c.article_id).where(is_own).group_by(name_id)
    public = select(ListingCount.key.label("name_id"), ListingCount.number.label("number"))
    return union_all(public.where(ListingCount.kind == kind), own)


def find_author(text: str, author_id: int | None = None) -> Author | None:
    """Return the author with this name, or the first one whose name contains it."""
    query = select(Author).where(Author.name.icontains(text, autoescape=True))
    if author_id is not None:
        query = query.where(Author.id.in_(_select_visible_ids(author_id)))
    return db.session.scalar(query.order_by((Author.name == text).desc(), Author.name).limit(1))


def author_names(author_id: int | None = None, limit: int = 500) -> Sequence[str]:
    """Return the names of authors in alphabetical order."""
    query = select(Author.name).order_by(Author.name).limit(limit)
    if author_id is not None:
        query = query.where(Author.id.in_(_select_visible_ids(author_id)))
    return db.session.scalars(query).all()


def _select_visible_ids(author_id: int) -> Select[int]:
    return select(select_visible_counts(Author, author_id).subquery().c.name_id)


def sources_like(
    text: str, author_id: int | None = None, limit: int = 8
) -> Sequence[tuple[str, str]]:
    """Return (name, link) of recent sources whose name contains a text, latest first."""
    latest = select(Article.id).order_by(Article.saved_at.desc()).limit(RECENT_SOURCES)
    if author_id is not None:
        latest = latest.where(is_visible_to(author_id))
    newest_first = Article.saved_at.desc()
    age = func.row_number().over(partition_by=Article.source_name, order_by=newest_first)
    sources = (
        select(Article.source_name, Article.source_url, Article.saved_at, age.label("age"))
        .where(Article.id.in_(latest), Article.source_name != "")
        .where(Article.source_name.icontains(text, autoescape=True))
        .subquery()
    )
    query = select(sources.c.source_name, sources.c.source_url).where(sources.c.age == 1)
    rows = db.session.execute(query.order_by(sources.c.saved_at.desc()).limit(limit))
    return [(name, url) for name, url in rows]


def originals_like(text: str, author_id: int | None = None, limit: int = 8) -> Sequence[Article]:
    """Return recent stories whose headline contains a text; leave out translations.

    Authors get translations of originals that they may not see, and so learn of none.
    """
    latest = select(Article.id).order_by(Article.saved_at.desc()).limit(RECENT_STORIES)
    original = aliased(Article)
    is_translation = select(original.id).where(original.id == Article.translation_of_id)
    if author_id is not None:
        latest = latest.where(is_visible_to(author_id))
        is_translation = is_translation.where(is_visible_to(author_id, original))
    query = select(Article).where(Article.id.in_(latest), ~is_translation.exists())
    query = query.where(Article.headline.icontains(text, autoescape=True))
    return db.session.scalars(query.order_by(Article.saved_at.desc()).limit(limit)).all()
