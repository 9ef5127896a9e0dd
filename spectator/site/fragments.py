"""htmx targets: the same partials that pages include, at URLs of their own."""

from __future__ import annotations

from flask import Blueprint, Response, abort, make_response, render_template

from spectator import pagecache, queries
from spectator.editions import follow_story, in_edition
from spectator.site.caching import cacheable
from spectator.site.pagination import (
    PageCursors,
    load_more_context,
    loaded_url,
    read_stream,
    requested_cursors,
)

bp = Blueprint("fragments", __name__, url_prefix="/fragments")


@bp.after_request
def add_noindex_header(response: Response) -> Response:
    """Tell robots that a fragment is not a page."""
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@bp.get("/stream/")
@cacheable("before", "rails", "start")
def latest_stream() -> Response:
    """Show the next of the latest stories."""
    return render_stream(in_edition("/"))


@bp.get("/stream/<path:list_path>/")
@cacheable("before", "start")
def stream(list_path: str) -> Response:
    """Show the next stories of a list."""
    return render_stream(in_edition(f"/{list_path}/"))


def render_stream(path: str) -> Response:
    """Return the next stories of a list; HX-Replace-Url has the URL that also shows these."""
    listing = queries.listing_by_path(path)
    if listing is None:
        abort(404)
    cursors = requested_cursors()
    page = read_stream(listing, PageCursors(cursors.before, cursors.rails))
    context = load_more_context(listing, page.cursor, cursors.rails, cursors.start)
    response = make_response(
        render_template("site/_stream.html", **context, articles=page.articles, is_fragment=True)
    )
    if page.articles:
        response.headers["HX-Replace-Url"] = loaded_url(listing, cursors, page.articles[-1])
    return response


@bp.get("/related/<int(max=2147483647):article_id>")
@cacheable(surrogate_key=pagecache.RELATED)
def related_stories(article_id: int) -> str:
    """Show the related stories of a story."""
    story = queries.published_article(article_id)
    if story is None:
        abort(404)
    follow_story(story.language)
    return render_template(
        "site/_related.html", article=story, articles=queries.related_articles(story)
    )
