"""What htmx fetches: the very partials that pages include, at addresses of their own."""

from __future__ import annotations

from flask import Blueprint, Response, abort, render_template, request

from spectator import queries
from spectator.site import search, suggesting

bp = Blueprint("fragments", __name__, url_prefix="/fragments")
bp.add_url_rule("/search", "search", search.results)
bp.add_url_rule("/suggest", "suggest", suggesting.suggest)


@bp.after_request
def keep_out_of_indexes(response: Response) -> Response:
    """Tell robots that a fragment is not a page."""
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@bp.get("/stream/")
@bp.get("/stream/<path:list_path>/")
def stream(list_path: str = "") -> str:
    """Show the next stories of the list that lives at a path."""
    where = queries.listing(f"/{list_path}/" if list_path else "/")
    if where is None:
        abort(404)
    page = queries.stream(where, request.args.get("before"))
    return render_template(
        "site/_stream.html", listing=where, articles=page.articles, cursor=page.cursor, is_fragment=True
    )


@bp.get("/related/<int:article_id>")
def related_stories(article_id: int) -> str:
    """Show the stories that go with one."""
    story = queries.published_article(article_id)
    if story is None:
        abort(404)
    return render_template("site/_related.html", article=story, articles=queries.related_articles(story))
