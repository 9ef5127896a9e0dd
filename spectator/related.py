"""Which stories go with this one."""

from __future__ import annotations

from sqlalchemy import func, literal, select, union_all

from spectator.db import db
from spectator.models import Article
from spectator.models.article import article_country, article_topic
from spectator.queries import articles_by_id

TOPIC_WEIGHT, COUNTRY_WEIGHT = 2, 1


def related_articles(this: Article, limit: int = 4) -> list[Article]:
    """Return up to `limit` published stories: most shared topics and countries first, then the newest of the section.

    Stories in the same language come before others of the same score.
    """
    shared = union_all(
        *(
            select(table.c.article_id, func.count().label("shared") * weight)
            .where(column.in_(select(column).where(table.c.article_id == this.id)))
            .group_by(table.c.article_id)
            for table, column, weight in (
                (article_topic, article_topic.c.topic_id, TOPIC_WEIGHT),
                (article_country, article_country.c.country_id, COUNTRY_WEIGHT),
            )
        ),
    ).subquery()
    newest = (
        select(Article.id, literal(0).label("points"))
        .where(Article.section_id == this.section_id, Article.status == "published", Article.id != this.id)
        .order_by(Article.published_at.desc())
        .limit(limit)
        .subquery()
    )
    candidates = union_all(select(*shared.c), select(*newest.c)).subquery()
    candidate_id, points = candidates.c
    score = func.sum(points)
    ids = db.session.scalars(
        select(Article.id)
        .join(candidates, candidate_id == Article.id)
        .where(Article.status == "published", Article.id != this.id)
        .group_by(Article.id)
        .order_by(score.desc(), (Article.language == this.language).desc(), Article.published_at.desc(), Article.id)
        .limit(limit)
    ).all()
    return articles_by_id(ids)
