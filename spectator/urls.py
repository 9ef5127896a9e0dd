"""Where things live on the site: the permalink of a story, the path of a list, absolute addresses."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask import current_app

from spectator.config import PERMALINK_PARTS
from spectator.models import Article, Author, Country, Section, Topic


def permalink_rule(pattern: str) -> str:
    """Return the routing rule of a permalink pattern: `/<year>/<slug>` becomes `/<int:year>/<slug>`."""
    return re.sub(r"<([a-z]+)>", lambda match: PERMALINK_PARTS[match[1]], pattern)


def permalink(article: Article, slug: str = "") -> str:
    """Return the path of a story, by the newsroom's day; one never published is shown where it would stand today.

    With `slug` the path that it has, or had, under that slug.
    """
    return permalink_at(article.section.slug, slug or article.slug, article.published_at)


def permalink_at(section: str, slug: str, published_at: datetime | None) -> str:
    """Return the path of the story with this slug in a section, published at a moment."""
    at = (published_at or datetime.now(UTC)).astimezone(ZoneInfo(current_app.config["TIMEZONE"]))
    path: str = current_app.config["PERMALINK"]
    values = {"section": section, "slug": slug, "year": f"{at.year:04}"}
    values |= {"month": f"{at.month:02}", "day": f"{at.day:02}"}
    for name, value in values.items():
        path = path.replace(f"<{name}>", value)
    return path


def listing_path(entity: Section | Topic | Country | Author) -> str:
    """Return the path of the list of stories that carry a section, topic, country or author."""
    prefix = "" if isinstance(entity, Section) else f"/{type(entity).__name__.lower()}"
    return f"{prefix}/{entity.slug}/"


def absolute_url(path: str) -> str:
    """Return the full address of a path, on the public address of the site."""
    site_url: str = current_app.config["SITE_URL"]
    return site_url + path
