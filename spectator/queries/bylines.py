"""Bylines of the stories in lists and feeds."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, select
from sqlalchemy.orm.attributes import set_committed_value

from spectator.db import db
from spectator.models import Article, ArticleAuthor, Author

# Built once, because building a query takes as long as running it.
_BYLINES = (
    select(ArticleAuthor.article_id, Author.slug, Author.name)
    .join(Author, Author.id == ArticleAuthor.author_id)
    .where(ArticleAuthor.article_id.in_(bindparam("ids", expanding=True)))
    .order_by(ArticleAuthor.article_id, ArticleAuthor.position)
)


def load_bylines(articles: Sequence[Article]) -> Sequence[Article]:
    """Load the authors of stories in one query, with only slug and name; return the stories."""
    people: dict[str, Author] = {}
    authors: dict[int, list[Author]] = {article.id: [] for article in articles}
    for article_id, slug, name in db.session.execute(_BYLINES, {"ids": list(authors)}):
        if slug not in people:
            people[slug] = Author(slug=slug, name=name)
        authors[article_id].append(people[slug])
    for article in articles:
        set_committed_value(article, "authors", authors[article.id])
    return articles
