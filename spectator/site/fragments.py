"""What htmx fetches: the very partials that pages include, at addresses of their own."""

from __future__ import annotations

from flask import Blueprint, Response, abort, make_response, render_template

from spectator import queries
from spectator.site import search, suggestions
from spectator.site.pagination import (
    PageCursors,
    load_more_context,
    loaded_url,
    read_stream,
    requested_cursors,
)

bp = Blueprint("fragments", __name__, url_prefix="/fragments")
bp.add_url_rule("/search", "search", search.results_fragment)
bp.add_url_rule("/suggest", "suggest", suggestions.suggest)


@bp.after_request
def add_noindex_header(response: Response) -> Response:
    """Tell robots that a fragment is not a page."""
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@bp.get("/stream/")
@bp.get("/stream/<path:list_path>/")
def stream(list_path: str = "") -> Response:
    """Show the next stories of the list that lives at a path, and name the page that shows all up to them."""
    where = queries.listing_by_path(f"/{list_path}/" if list_path else "/")
    if where is None:
        abort(404)
    position = requested_cursors()
    page = read_stream(where, PageCursors(position.before, position.rails))
    more = load_more_context(where, page.cursor, position.rails, position.start)
    response = make_response(
        render_template("site/_stream.html", **more, articles=page.articles, is_fragment=True)
    )
    if page.articles:
        response.headers["HX-Replace-Url"] = loaded_url(where, position, page.articles[-1])
    return response


@bp.get("/related/<int:article_id>")
def related_stories(article_id: int) -> str:
    """Show the stories that go with one."""
    story = queries.published_article(article_id)
    if story is None:
        abort(404)
    return render_template(
        "site/_related.html", article=story, articles=queries.related_articles(story)
    )
