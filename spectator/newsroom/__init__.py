"""The editors' pages. Every view needs a login unless it is marked `@security.public`."""

from __future__ import annotations

from flask import Blueprint, Flask

URL_PREFIX = "/newsroom"

bp = Blueprint("newsroom", __name__, url_prefix=URL_PREFIX)


def register(app: Flask) -> None:
    """Add the newsroom's pages to the app, with the checks before all of them."""
    from spectator.newsroom import (  # noqa: F401
        account,
        autosaves,
        errors,
        history,
        locked_stories,
        logged_out,
        login,
        media,
        menus,
        notes,
        notices,
        page_history,
        pages,
        preferences,
        previews,
        redirects,
        related,
        searches,
        security,
        status,
        storage_errors,
        stories,
        story_form,
        story_search,
        taxonomy,
        translations,
    )

    app.register_blueprint(bp)
