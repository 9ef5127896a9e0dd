"""The readers' pages: GET only. Nothing here imports publishing, reads a cookie or writes."""

from __future__ import annotations

from flask import Blueprint, Flask
from werkzeug.routing import BaseConverter

bp = Blueprint("site", __name__)


class SlugConverter(BaseConverter):
    """A path segment that can be a slug; anything else never reaches a view."""

    regex = "[a-z0-9]+(?:-[a-z0-9]+)*"


def register(app: Flask) -> None:
    """Add the readers' pages, fragments, feeds and error pages to the app."""
    from spectator.site import (  # noqa: F401
        caching,
        errors,
        feeds,
        fragments,
        health,
        listings,
        metrics,
        pages,
        pictures,
        search,
        structured_data,
        suggestions,
    )

    app.url_map.converters["slug"] = SlugConverter
    app.jinja_env.globals.update(
        news_article_json=structured_data.news_article_json,
        breadcrumb_json=structured_data.breadcrumb_json,
    )
    app.register_blueprint(bp)
    app.register_blueprint(fragments.bp)
    errors.register(app)
    caching.register(app)
