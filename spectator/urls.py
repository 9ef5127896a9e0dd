"""URLs of the site: permalinks of stories, paths of listings, absolute URLs."""

from __future__ import annotations

import ipaddress
import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask import current_app

from spectator.editions import current_edition
from spectator.models import Article, Author, Country, Section, Topic
from spectator.setting_parsers import PERMALINK_PARTS


def permalink_rule(pattern: str) -> str:
    """Return the routing rule of a permalink: `/<year>/<slug>` becomes `/<int:year>/<slug>`."""
    return re.sub(r"<([a-z]+)>", lambda match: PERMALINK_PARTS[match[1]], pattern)


def permalink(article: Article, slug: str = "") -> str:
    """Return the path of a story, under `slug` instead of its own if given.

    Dates are in the newsroom's time zone. A story that was never published gets today's date.
    """
    return permalink_at(article.section.slug, slug or article.slug, article.published_at)


def permalink_at(section: str, slug: str, published_at: datetime | None) -> str:
    """Return the path of the story with this slug, section and publication time."""
    path: str = current_app.config["PERMALINK"]
    path = path.replace("<section>", section).replace("<slug>", slug)
    if "<" in path:  # the date too
        zone = ZoneInfo(current_app.config["TIMEZONE"])
        day = (published_at or datetime.now(UTC)).astimezone(zone)
        for name, value in (
            ("year", f"{day.year:04}"),
            ("month", f"{day:%m}"),
            ("day", f"{day:%d}"),
        ):
            path = path.replace(f"<{name}>", value)
    return path


def listing_path(entity: Section | Topic | Country | Author) -> str:
    """Return the path of the listing of a section's, topic's, country's or author's stories.

    It is that of the current edition.
    """
    kind = "" if isinstance(entity, Section) else f"/{type(entity).__name__.lower()}"
    return f"{current_edition().prefix}{kind}/{entity.slug}/"


def picture_url(name: str) -> str:
    """Return the path of a rendition, or its URL if another address serves the pictures."""
    return f"{current_app.config['MEDIA_URL'] or '/media'}/{name}"


def absolute_url(path: str) -> str:
    """Return the absolute public URL of a path; an absolute URL stays as it is."""
    site_url: str = current_app.config["SITE_URL"]
    return site_url + path if path.startswith("/") else path


def is_loopback(host: str) -> bool:
    """Return whether a Host header, with or without a port, is a loopback address."""
    name = re.sub(r":\d+$", "", host).strip("[]").lower()
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
