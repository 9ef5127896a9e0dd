"""Every path that is or was public for a story: its own, and those of its listings."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import Row, or_, select
from sqlalchemy.orm import selectinload

from spectator.db import db
from spectator.models import (
    Article,
    Author,
    Country,
    FormerName,
    PublicListing,
    Redirect,
    Revision,
    Topic,
)
from spectator.queries.listings import select_cards
from spectator.text.places.gazetteer import find_country
from spectator.text.words.slugs import slugify
from spectator.times import month_key
from spectator.urls import permalink_at

_NAME_MODELS: dict[str, type[Author] | type[Topic]] = {"author": Author, "topic": Topic}
_REVISION_KEYS = ("section", "authors", "topics", "countries", "path", "month")


def story_paths(article_ids: Collection[int]) -> list[str]:
    """Return every path under which readers may have seen these stories."""
    paths: dict[str, None] = {}
    redirects = db.session.execute(
        select(Redirect.article_id, Redirect.slug)
        .where(Redirect.article_id.in_(article_ids))
        .order_by(Redirect.slug)
    ).all()
    revisions = _revisions(article_ids)
    for article in db.session.scalars(
        select_cards().where(Article.id.in_(article_ids)).order_by(Article.id)
    ):
        own_revisions = [row for row in revisions if row.article_id == article.id]
        sections = dict.fromkeys((article.section.slug, *(row.section for row in own_revisions)))
        slugs = (article.slug, *(row.slug for row in redirects if row.article_id == article.id))
        # Old revisions hold no path: combine their sections and the slugs with the current date.
        paths |= {
            permalink_at(section, slug, article.published_at): None
            for slug in slugs
            for section in sections
        }
        paths |= {row.path: None for row in own_revisions if row.path}
    return list(paths)


def listing_paths(article_ids: Collection[int]) -> list[str]:
    """Return the paths of all listings in which readers may have seen these stories.

    These are sections, countries, authors, topics and months.
    """
    options = (
        selectinload(Article.authors),
        selectinload(Article.topics),
        selectinload(Article.countries),
    )
    articles = db.session.scalars(
        select_cards().options(*options).where(Article.id.in_(article_ids))
    ).all()
    revisions, zone = _revisions(article_ids), ZoneInfo(current_app.config["TIMEZONE"])
    sections = {article.section.slug for article in articles} | {row.section for row in revisions}
    months = {month_key(article.published_at, zone) for article in articles if article.published_at}
    months |= {row.month for row in revisions if row.month}
    codes = {country.code for article in articles for country in article.countries}
    revised = (find_country(name) for row in revisions for name in row.countries or ())
    codes |= {country.code for country in revised if country is not None}
    countries = db.session.scalars(
        select(Country.slug).where(Country.code.in_(codes)).order_by(Country.slug)
    )
    paths = [f"/{slug}/" for slug in sorted(sections)] + [f"/country/{slug}/" for slug in countries]
    for kind in _NAME_MODELS:
        ids = {row.id for article in articles for row in getattr(article, f"{kind}s")}
        names = {name for row in revisions for name in getattr(row, f"{kind}s") or ()}
        paths += [f"/{kind}/{slug}/" for slug in _slugs(kind, ids, names)]
    return paths + [f"/archive/{month // 100:04}/{month % 100:02}/" for month in sorted(months)]


def _revisions(article_ids: Collection[int]) -> Sequence[Row[Any]]:
    """Return the distinct taxonomies, paths and months in the revisions of stories."""
    columns = [Revision.content[name].label(name) for name in _REVISION_KEYS]
    query = (
        select(Revision.article_id, *columns).where(Revision.article_id.in_(article_ids)).distinct()
    )
    return db.session.execute(query).all()


def _slugs(kind: str, ids: Collection[int], names: Collection[str]) -> list[str]:
    """Return the public slugs, current and former, of authors or topics with these ids or names."""
    model = _NAME_MODELS[kind]
    former = select(FormerName.owner_id).where(FormerName.kind == kind, FormerName.part == "name")
    is_match = or_(
        model.id.in_(ids),
        model.name.in_(names),
        model.slug.in_({slugify(name) for name in names}),  # another spelling of the name
        model.id.in_(former.where(FormerName.value.in_(names))),
    )
    public_ids = select(PublicListing.key).where(PublicListing.kind == kind)
    rows = db.session.execute(
        select(model.id, model.slug).where(is_match, model.id.in_(public_ids))
    ).all()
    owner_ids = [row.id for row in rows]
    former_slugs = select(FormerName.value).where(
        FormerName.kind == kind, FormerName.part == "slug", FormerName.owner_id.in_(owner_ids)
    )
    slugs = [row.slug for row in rows]
    return sorted({*slugs, *db.session.scalars(former_slugs)})
