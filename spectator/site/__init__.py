"""The readers' pages: GET only. Nothing here imports publishing, reads a cookie or writes."""

from __future__ import annotations

from flask import Blueprint, Flask
from werkzeug.routing import BaseConverter

from spectator import editions

bp = Blueprint("site", __name__)
LISTS = tuple(f"site.{kind}" for kind in ("section", "country", "topic", "author", "month"))
LIST_FEEDS = tuple(f"{endpoint}_feed" for endpoint in LISTS)
# Each edition has these; stories and pictures have one URL for all of them.
EDITION_ENDPOINTS = (
    *("site.front", "site.feed", "site.archive", "site.search", "site.search_feed"),
    *LISTS,
    *LIST_FEEDS,
    *("fragments.latest_stream", "fragments.stream", "fragments.search", "fragments.suggest"),
)


class SlugConverter(BaseConverter):
    """A path segment that can be a slug; anything else never reaches a view."""

    regex = "[a-z0-9]+(?:-[a-z0-9]+)*"


def register(app: Flask) -> None:
    """Add the readers' pages, fragments, feeds and error pages to the app."""
    from spectator.site import (  # noqa: F401
        caching,
        edition_links,
        errors,
        feeds,
        fragments,
        health,
        listings,
        metrics,
        old_addresses,
        pages,
        pictures,
        search,
        standing_pages,
        structured_data,
        suggestions,
    )

    app.url_map.converters["slug"] = SlugConverter
    app.jinja_env.globals.update(
        news_article_json=structured_data.news_article_json,
        breadcrumb_json=structured_data.breadcrumb_json,
        edition_links=edition_links.edition_links,
    )
    app.register_blueprint(bp)
    app.register_blueprint(fragments.bp)
    editions.add_rules(app, EDITION_ENDPOINTS)
    errors.register(app)
    old_addresses.register(app)
    caching.register(app)
