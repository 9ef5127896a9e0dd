"""Whole stories for readers' pages, feeds and the search index."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    bindparam,
    literal,
    select,
    union_all,
)
from sqlalchemy.orm import aliased, joinedload, selectinload, undefer, with_expression
from sqlalchemy.orm.attributes import set_committed_value

from spectator import outbox
from spectator.db import db
from spectator.db.functions import byte_length
from spectator.i18n import story_page_language
from spectator.models import Article, ArticleAuthor, Author, Country, Redirect, Topic
from spectator.models.article import EVER_PUBLIC, article_country, article_topic
from spectator.queries.listings import select_published
from spectator.queries.translated_names import NAME_LANGUAGE, translated_name


def select_full_articles() -> Select[Article]:
    """Return the query of stories with everything that their pages show."""
    return _select_with_body().options(
        selectinload(Article.authors),
        selectinload(Article.topics),
        selectinload(Article.countries),
    )


def _select_with_body() -> Select[Article]:
    translation = aliased(Article)
    is_translation = translation.translation_of_id == Article.id
    return select(Article).options(
        undefer(Article.body),
        with_expression(
            Article.has_translations, select(literal(1)).where(is_translation).exists()
        ),
        joinedload(Article.section, innerjoin=True),
        joinedload(Article.picture),
        joinedload(Article.notes),
    )


# Built once, because building these queries takes as long as running them.
_SLUG: BindParameter[str] = bindparam("slug")
_ID: BindParameter[int] = bindparam("id")
_BY_SLUG = _select_with_body().where(Article.slug == _SLUG, EVER_PUBLIC)
_BY_FORMER_SLUG = _select_with_body().where(
    Article.id == select(Redirect.article_id).where(Redirect.slug == _SLUG).scalar_subquery(),
    EVER_PUBLIC,
)
_TAXONOMY = union_all(
    select(literal("authors"), Author.slug, Author.name, ArticleAuthor.position.label("position"))
    .join(ArticleAuthor, ArticleAuthor.author_id == Author.id)
    .where(ArticleAuthor.article_id == _ID),
    select(literal("topics"), Topic.slug, translated_name(Topic, NAME_LANGUAGE), literal(0))
    .join(article_topic, article_topic.c.topic_id == Topic.id)
    .where(article_topic.c.article_id == _ID),
    select(literal("countries"), Country.slug, Country.name, literal(0))
    .join(article_country, article_country.c.country_id == Country.id)
    .where(article_country.c.article_id == _ID),
).order_by("position", "name")
_TAXONOMY_MODELS: dict[str, type[Author] | type[Topic] | type[Country]] = {
    "authors": Author,
    "topics": Topic,
    "countries": Country,
}


def article_by_slug(slug: str) -> Article | None:
    """Return the published or withdrawn story with this current or former slug, for its page.

    One query loads its authors, topics and countries, which have only their slug and name set;
    topics have their name in the language of the page.
    """
    for statement in (_BY_SLUG, _BY_FORMER_SLUG):
        article = db.session.scalars(statement, {"slug": slug}).unique().one_or_none()
        if article is not None:
            taxonomy: dict[str, list[object]] = {name: [] for name in _TAXONOMY_MODELS}
            values = {"id": article.id, NAME_LANGUAGE.key: story_page_language(article.language)}
            for kind, term_slug, name, _ in db.session.execute(_TAXONOMY, values):
                taxonomy[kind].append(_TAXONOMY_MODELS[kind](slug=term_slug, name=name))
            for kind, terms in taxonomy.items():
                set_committed_value(article, kind, terms)
            return article
    return None


def articles_by_id(ids: Sequence[int], with_bodies: bool = False) -> list[Article]:
    """Return the published stories among `ids`, in the order of `ids`.

    Bodies and authors are loaded only with `with_bodies`.
    """
    query = select_published().where(Article.id.in_(ids)).order_by(None)
    if with_bodies:
        query = query.options(undefer(Article.body), selectinload(Article.authors))
    articles = {article.id: article for article in db.session.scalars(query)}
    return [articles[article_id] for article_id in ids if article_id in articles]


def article_ids_by_external_id(external_ids: Collection[str]) -> dict[str, int]:
    """Return the ids of imported stories by their ids in the source."""
    query = select(Article.external_id, Article.id).where(Article.external_id.in_(external_ids))
    return {str(row.external_id): row.id for row in db.session.execute(query)}


def feed_ids(ids: Sequence[int]) -> dict[int, str]:
    """Return the feed ids of stories by id; if a story has none, it is derived from the id."""
    rows = db.session.execute(select(Article.id, Article.feed_id).where(Article.id.in_(ids)))
    return {row.id: row.feed_id or f"urn:spectator:article:{row.id}" for row in rows}


def articles_to_index(ids: Iterable[int] | None = None, after: int = 0) -> Sequence[Article]:
    """Return published stories with everything that the search index needs.

    These are the stories in `ids` or, without `ids`, the next batch with an id above `after`.
    """
    return load_articles_to_index(Article.status == "published", ids, after)


_TEXT_SIZES = select(Article.id, Article.id, byte_length(Article.body)).order_by(Article.id)
_MAX_BATCH = 200


def load_articles_to_index(
    condition: ColumnElement[bool], ids: Iterable[int] | None, after: int
) -> Sequence[Article]:
    """Return the stories in `ids` that meet a condition, or the next batch with ids above `after`.

    A batch has at most 200 stories and `outbox.BATCH_BYTES` of text.
    """
    if ids is None:
        sizes = _TEXT_SIZES.where(condition, Article.id > after).limit(_MAX_BATCH)
        ids, _ = outbox.read_batch(sizes, after)
    query = select_full_articles().where(condition, Article.id.in_(ids)).order_by(Article.id)
    return db.session.scalars(query).unique().all()


def split_into_batches(ids: Collection[int]) -> Iterator[set[int]]:
    """Yield ids in batches of at most 200 articles and `outbox.BATCH_BYTES` of text."""
    remaining = sorted(ids)
    while remaining:
        chunk = remaining[:_MAX_BATCH]
        _, last = outbox.read_batch(_TEXT_SIZES.where(Article.id.in_(chunk)), chunk[-1])
        end = bisect_right(remaining, last)
        yield set(remaining[:end])
        remaining = remaining[end:]


def published_versions() -> dict[int, int]:
    """Return the version of every published story by id, to compare with the search index."""
    query = select(Article.id, Article.version).where(Article.status == "published")
    return {row.id: row.version for row in db.session.execute(query)}
