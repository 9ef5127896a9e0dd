"""The front page and the article page."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request
from werkzeug.wrappers import Response

from spectator import queries
from spectator.addresses import permalink
from spectator.pagecache import is_about
from spectator.presentation import navigation


def register(site: Blueprint) -> None:
    """Add the front page; the article's address is a setting, so the app adds that."""
    site.add_url_rule("/", "front", front)


def front() -> str:
    """Show the lead story, the newest after it and a rail for each section."""
    before = request.args.get("before")
    listing = queries.Listing("latest", "Latest", "/")
    if before is not None:
        stream = queries.stream(listing, before)
        return render_template(
            "site/listing.html", listing=listing, articles=stream.articles, cursor=stream.cursor, is_first_page=False
        )
    page = queries.front(navigation())
    return render_template(
        "site/front.html",
        listing=listing,
        lead=page.lead,
        latest=page.latest,
        rails=page.rails,
        cursor=page.cursor,
        is_first_page=True,
    )


def article(slug: str, **_parts: object) -> Response | str | tuple[str, int]:
    """Show a story; an address it had before leads to the one it has now."""
    story = queries.article_at(slug)
    if story is None:
        abort(404)
    if permalink(story) != request.path:
        return redirect(permalink(story), 301)
    is_about(request.environ, story.id)
    if story.status == "withdrawn":
        return render_template("errors/410.html", article=story), 410
    return render_template("site/article.html", article=story)
