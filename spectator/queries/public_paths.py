"""Every path that is or was public for a story: its own, and those of its listings."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import ColumnElement, Result, or_, select
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
from spectator.queries.cards import select_cards
from spectator.text.places.gazetteer import find_country
from spectator.text.words.slugs import slugify
from spectator.times import month_key
from spectator.urls import permalink_at

_NAME_MODELS: dict[str, type[Author] | type[Topic]] = {"author": Author, "topic": Topic}
_LISTING_KEYS = ("section", "authors", "topics", "countries", "month")
# Actions after which no reader finds the story. Their revisions are not read: an author may have
# saved thousands.
_PRIVATE_ACTIONS = ("create", "save", "submit", "send_back", "schedule", "unschedule")
# Actions on public and on other stories. Only revisions of public stories hold a path.
_COMMON_ACTIONS = ("restore", "import", "rename")
NAME_BATCH = 500  # names in a statement, which may have a limited number of variables


def story_paths(article_ids: Collection[int]) -> list[str]:
    """Return every path under which readers may have seen these stories."""
    paths: dict[str, None] = {}
    sections: dict[int, dict[str, None]] = {}
    redirects = db.session.execute(
        select(Redirect.article_id, Redirect.slug)
        .where(Redirect.article_id.in_(article_ids))
        .order_by(Redirect.slug)
    ).all()
    for row in _public_revisions(article_ids, ("section", "path")):
        sections.setdefault(row.article_id, {})[row.section] = None
        paths |= {row.path: None} if row.path else {}
    for article in db.session.scalars(
        select_cards().where(Article.id.in_(article_ids)).order_by(Article.id)
    ):
        slugs = (article.slug, *(row.slug for row in redirects if row.article_id == article.id))
        # Old revisions hold no path: combine their sections and the slugs with the current date.
        paths |= {
            permalink_at(section, slug, article.published_at): None
            for slug in slugs
            for section in {article.section.slug: None} | sections.get(article.id, {})
        }
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
    zone = ZoneInfo(current_app.config["TIMEZONE"])
    sections = {article.section.slug for article in articles}
    months = {
        month_key(article.published_at, zone) for article in articles if article.published_at
    }
    codes = {country.code for article in articles for country in article.countries}
    names: dict[str, set[str]] = {key: set() for key in ("authors", "topics", "countries")}
    for row in _public_revisions(article_ids, _LISTING_KEYS):
        sections.add(row.section)
        months |= {row.month} if row.month else set()
        for key in names:
            names[key].update(getattr(row, key) or ())
    codes |= {country.code for name in names["countries"] if (country := find_country(name))}
    countries = db.session.scalars(
        select(Country.slug).where(Country.code.in_(codes)).order_by(Country.slug)
    )
    paths = [f"/{slug}/" for slug in sorted(sections)] + [
        f"/country/{slug}/" for slug in countries
    ]
    for kind in _NAME_MODELS:
        ids = {row.id for article in articles for row in getattr(article, f"{kind}s")}
        paths += [f"/{kind}/{slug}/" for slug in _slugs(kind, ids, names[f"{kind}s"])]
    return paths + [f"/archive/{month // 100:04}/{month % 100:02}/" for month in sorted(months)]


def _public_revisions(article_ids: Collection[int], keys: Sequence[str]) -> Result[Any]:
    """Return the rows (article_id, *keys) of the revisions that readers may have seen."""
    path = Revision.content["path"].as_string()
    columns = [Revision.content[key].label(key) for key in keys]
    return db.session.execute(
        select(Revision.article_id, *columns).where(
            Revision.article_id.in_(article_ids),
            Revision.action.not_in(_PRIVATE_ACTIONS),
            Revision.action.not_in(_COMMON_ACTIONS) | path.is_not(None),
        )
    )


def _slugs(kind: str, ids: Collection[int], names: Collection[str]) -> list[str]:
    """Return the public slugs, current and former, of authors or topics with these ids or names."""
    model, remaining = _NAME_MODELS[kind], sorted(names)
    slugs = _slugs_where(kind, model.id.in_(ids))
    while remaining:
        batch, remaining = remaining[:NAME_BATCH], remaining[NAME_BATCH:]
        former = select(FormerName.owner_id).where(
            FormerName.kind == kind, FormerName.part == "name", FormerName.value.in_(batch)
        )
        slugs |= _slugs_where(
            kind,
            or_(
                model.name.in_(batch),
                model.slug.in_({slugify(name) for name in batch}),  # another spelling of the name
                model.id.in_(former),
            ),
        )
    return sorted(slugs)


def _slugs_where(kind: str, condition: ColumnElement[bool]) -> set[str]:
    """Return the public slugs, current and former, of authors or topics."""
    model = _NAME_MODELS[kind]
    public_ids = select(PublicListing.key).where(PublicListing.kind == kind)
    rows = db.session.execute(
        select(model.id, model.slug).where(condition, model.id.in_(public_ids))
    ).all()
    former_slugs = select(FormerName.value).where(
        FormerName.kind == kind,
        FormerName.part == "slug",
        FormerName.owner_id.in_([row.id for row in rows]),
    )
    return {*(row.slug for row in rows), *db.session.scalars(former_slugs)}
