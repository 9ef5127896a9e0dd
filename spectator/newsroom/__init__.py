"""The editors' pages. Every view needs a login unless `security.PUBLIC_ENDPOINTS` names it."""

from __future__ import annotations

from flask import Blueprint, Flask


def register(app: Flask) -> None:
    """Add the newsroom's pages to the app, with the security checks before all of them."""
    from spectator.newsroom import (
        autosaves,
        errors,
        fragments,
        history,
        locked_stories,
        logged_out,
        login,
        notes,
        previews,
        related,
        searches,
        security,
        stories,
        story_search,
    )

    newsroom = Blueprint("newsroom", __name__, url_prefix=security.URL_PREFIX)
    security.register(app, newsroom)
    logged_out.register(newsroom)
    newsroom.before_request(security.check_form_body)  # only now may a body be read
    errors.register(newsroom)
    login.register(newsroom)
    stories.register(newsroom)
    notes.register(newsroom)
    autosaves.register(newsroom)
    locked_stories.register(newsroom)
    previews.register(newsroom)
    history.register(newsroom)
    related.register(newsroom)
    story_search.register(newsroom)
    searches.register(newsroom)
    fragments.register(newsroom)
    app.register_blueprint(newsroom)
