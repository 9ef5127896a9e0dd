"""The front page and the article page."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request
from werkzeug.wrappers import Response

from spectator import queries
from spectator.pagecache import set_surrogate_key
from spectator.site import listings
from spectator.site.pagination import load_more_context, requested_cursors
from spectator.templating import navigation
from spectator.urls import permalink


def register(site: Blueprint) -> None:
    """Add the front page; the app adds the article page, whose URL is a setting."""
    site.add_url_rule("/", "front", front)


def front() -> str:
    """Show the lead story, the newest after it and a rail for each section."""
    cursors, latest = requested_cursors(), queries.Listing("latest", "Latest", "/")
    if cursors.before is not None:
        return listings.render(latest, cursors)
    page = queries.load_front_page(navigation(), cursors.through)
    more = load_more_context(latest, page.cursor, page.rails_cursor)
    if page.is_truncated:
        return render_template(
            "site/listing.html", **more, articles=page.latest, is_first_page=False
        )
    return render_template(
        "site/front.html",
        **more,
        lead=page.lead,
        latest=page.latest,
        rails=page.rails,
        is_loaded=cursors.through is not None,
    )


def article(slug: str, **_parts: object) -> Response | str | tuple[str, int]:
    """Show a story; redirect from its former URLs."""
    story = queries.article_by_slug(slug)
    if story is None:
        abort(404)
    if permalink(story) != request.path:
        return redirect(permalink(story), 301)
    set_surrogate_key(request.environ, story.id)
    if story.status == "withdrawn":
        return render_template("errors/410.html", article=story), 410
    return render_template("site/article.html", article=story)
