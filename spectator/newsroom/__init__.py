"""Editors: the pages behind the login. Every view needs one unless `guard.PUBLIC_ENDPOINTS` names it."""

from __future__ import annotations

from flask import Blueprint, Flask


def register(app: Flask) -> None:
    """Add the newsroom's pages to the app, and the guard before all of them."""
    from spectator.newsroom import (
        errors,
        finding,
        fragments,
        guard,
        history,
        logged_out,
        login,
        moved_stories,
        notes,
        previews,
        searches,
        stories,
        story_search,
        unsaved,
    )

    newsroom = Blueprint("newsroom", __name__, url_prefix=guard.ROOT)
    guard.register(app, newsroom)
    logged_out.register(newsroom)
    newsroom.before_request(guard.check_form)  # only now may a body be read
    errors.register(newsroom)
    login.register(newsroom)
    stories.register(newsroom)
    notes.register(newsroom)
    unsaved.register(newsroom)
    moved_stories.register(newsroom)
    previews.register(newsroom)
    history.register(newsroom)
    finding.register(newsroom)
    story_search.register(newsroom)
    searches.register(newsroom)
    fragments.register(newsroom)
    app.register_blueprint(newsroom)
