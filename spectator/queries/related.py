"""Related stories: the data to compute them from, and the results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, func, select, union_all

from spectator.db import db
from spectator.editions import edition_of
from spectator.models import Article, Consumer, ListingRow, Related, RelatedOverride
from spectator.models.article import article_country, article_topic
from spectator.queries.bylines import load_bylines
from spectator.queries.cards import select_cards
from spectator.queries.listings import is_of_edition
from spectator.queries.translations import is_preferred_version
from spectator.text.words.language_tags import base_language

RELATED_LIMIT = 4


@dataclass(frozen=True, slots=True)
class ArticleFeatures:
    """The features of a published story, besides its words, that decide how related it is."""

    id: int
    language: str
    published_at: datetime
    group_id: int  # that of the original
    topics: set[int] = field(default_factory=set)
    countries: set[int] = field(default_factory=set)


def related_articles(article: Article, limit: int = RELATED_LIMIT) -> Sequence[Article]:
    """Return the stories related to a story as cards show them, in two queries.

    Computed ones come first. If there are too few, as just after publication, the newest stories of
    the section follow, in the edition of the story. Of a story in several languages one version is
    shown, and of the story itself none.
    """
    group_id = article.translation_of_id or article.id
    own = Related.article_id == article.id
    newest = (
        select(ListingRow.article_id)
        .where(ListingRow.kind == "section", ListingRow.key == article.section_id)
        .where(is_of_edition(ListingRow.language, edition_of(article.language)))
        .order_by(ListingRow.published_at.desc(), ListingRow.article_id.desc())
        .limit(limit + 1)
        .subquery()
    )
    candidates = union_all(select(Related.related_id).where(own), select(newest.c.article_id))

    def is_candidate(version: type[Article]) -> ColumnElement[bool]:
        is_allowed = version.id.not_in(_select_forbidden(article.id))
        return version.id.in_(candidates) & is_allowed

    position = (
        select(Related.position).where(own, Related.related_id == Article.id).scalar_subquery()
    )
    query = (
        select_cards()
        .where(Article.id.in_(candidates))
        # concat() keeps SQLite from scanning the index of all published stories
        .where(Article.status.concat("") == "published")
        .where(Article.id != group_id, func.coalesce(Article.translation_of_id, 0) != group_id)
        .where(Article.id.not_in(_select_forbidden(article.id)))
        .where(is_preferred_version(Article.id, is_candidate))
        # 1000 is after every computed position
        .order_by(func.coalesce(position, 1000), Article.published_at.desc(), Article.id.desc())
        .limit(limit)
    )
    values = {"list_language": base_language(article.language)}
    return load_bylines(db.session.scalars(query, values).all())


def article_features(ids: Iterable[int]) -> dict[int, ArticleFeatures]:
    """Return the features of the published stories among `ids`, by id."""
    wanted = list(ids)
    group_id = func.coalesce(Article.translation_of_id, Article.id)
    query = select(Article.id, Article.language, Article.published_at, group_id)
    rows: Any = db.session.execute(
        query.where(Article.id.in_(wanted), Article.status == "published")
    )
    features = {row[0]: ArticleFeatures(*row) for row in rows}
    for table, name in ((article_topic, "topics"), (article_country, "countries")):
        for article_id, value in db.session.execute(
            select(*table.c).where(table.c.article_id.in_(list(features)))
        ):
            getattr(features[article_id], name).add(value)
    return features


def body_starts(ids: Sequence[int], length: int) -> dict[int, str]:
    """Return the first `length` characters of the bodies of stories, by id."""
    start = func.substr(Article.body, 1, length)
    return dict(db.session.execute(select(Article.id, start).where(Article.id.in_(ids))).all())


def newest_in_section(section_id: int, limit: int) -> list[int]:
    """Return the ids of a section's newest stories."""
    query = select(Article.id).where(
        Article.section_id == section_id, Article.status == "published"
    )
    return list(
        db.session.scalars(
            query.order_by(Article.published_at.desc(), Article.id.desc()).limit(limit)
        )
    )


def related_overrides(article_id: int) -> tuple[list[int], set[int]]:
    """Return the ids pinned to a story, oldest pin first, and the ids blocked for it."""
    pins = select(RelatedOverride.related_id).where(
        RelatedOverride.article_id == article_id, RelatedOverride.kind == "pin"
    )
    ordered = pins.order_by(RelatedOverride.made_at, RelatedOverride.related_id)
    return list(db.session.scalars(ordered)), set(
        db.session.scalars(_select_forbidden(article_id))
    )


def _select_forbidden(article_id: int) -> CompoundSelect[int]:
    """Return the query of the ids blocked for a story, from either side of a pair."""
    is_forbidden = RelatedOverride.kind == "forbid"
    return union_all(
        select(RelatedOverride.related_id).where(
            RelatedOverride.article_id == article_id, is_forbidden
        ),
        select(RelatedOverride.article_id).where(
            RelatedOverride.related_id == article_id, is_forbidden
        ),
    )


def neighbours(article_id: int, limit: int) -> set[int]:
    """Return the ids of stories related to a story, and of those it is related to, `limit` each."""
    own = select(Related.related_id).where(Related.article_id == article_id).limit(limit)
    others = select(Related.article_id).where(Related.related_id == article_id).limit(limit)
    return {*db.session.scalars(own), *db.session.scalars(others)}


def consumer_offset(name: str) -> int | None:
    """Return the offset of a consumer, None if it must rebuild."""
    return db.session.scalar(select(Consumer.offset).where(Consumer.name == name))


def published_ids_after(after: int, limit: int) -> Sequence[int]:
    """Return the next `limit` ids of published stories above an id, in order."""
    query = select(Article.id).where(Article.status == "published", Article.id > after)
    return db.session.scalars(query.order_by(Article.id).limit(limit)).all()


def related_scores(article_id: int) -> list[tuple[int, float]]:
    """Return the computed related stories of a story as (id, score), in order."""
    query = select(Related.related_id, Related.score).where(Related.article_id == article_id)
    return [
        (row.related_id, row.score)
        for row in db.session.execute(query.order_by(Related.position))
    ]
