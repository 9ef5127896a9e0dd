"""What an export of the readers' pages begins with: every public path of the default edition."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import func, select

from spectator.db import db
from spectator.models import Article, Author, Country, Outbox, PublicListing, Section, Topic
from spectator.queries.listings import sections
from spectator.queries.pages import public_pages
from spectator.urls import permalink_at

_MODELS: dict[str, type[Country] | type[Topic] | type[Author]]
_MODELS = {"country": Country, "topic": Topic, "author": Author}


def paths_to_export() -> Iterator[str]:
    """Yield the paths of all standing pages and lists, without further pages of lists."""
    yield from ("/", "/archive/")
    for page in public_pages():
        yield f"/{page.path}"
    for section in sections():
        yield f"/{section.slug}/"
    for kind, model in _MODELS.items():
        keys = select(PublicListing.key).where(PublicListing.kind == kind)
        for slug in db.session.scalars(select(model.slug).where(model.id.in_(keys))).all():
            yield f"/{kind}/{slug}/"
    months = select(PublicListing.key).where(PublicListing.kind == "month")
    for month in db.session.scalars(months.order_by(PublicListing.key.desc())).all():
        yield f"/archive/{month // 100:04}/{month % 100:02}/"


def published_story_paths() -> dict[int, str]:
    """Return the paths of all published stories by id, newest story first."""
    query = (
        select(Article.id, Article.slug, Section.slug.label("section"), Article.published_at)
        .join(Section, Section.id == Article.section_id)
        .where(Article.status == "published")
        .order_by(Article.published_at.desc(), Article.id.desc())
    )
    return {
        row.id: permalink_at(row.section, row.slug, row.published_at)
        for row in db.session.execute(query)
    }


def last_public_change() -> datetime | None:
    """Return when the site last changed for readers, None if nothing was ever published."""
    return db.session.scalar(select(func.max(Outbox.at)))
