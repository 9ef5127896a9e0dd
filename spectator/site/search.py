"""Search over everything published: the page, and the part of it that is fetched anew while a reader types."""

from __future__ import annotations

from time import perf_counter

from flask import Blueprint, Response, current_app, make_response, render_template, request

from spectator import indexing, searchlog
from spectator.search import Found, IndexBusy, IndexUnavailable
from spectator.site.asked import Asked, BadFilter, asked_in
from spectator.site.results import PER_PAGE, shown


def register(site: Blueprint) -> None:
    """Add the search page."""
    site.add_url_rule("/search", "search", search)


def search() -> tuple[str, int]:
    """Show the stories that a reader's words and filters find, with the passage that matched."""
    asked, started = asked_in(request.args), perf_counter()
    page, status = answer(asked)
    found = page.get("found")
    if asked.text and isinstance(found, Found) and page["page"] == 1:
        searchlog.note(current_app.config["DATA_DIR"], asked.text, found.total, perf_counter() - started)
    return render_template("site/search.html", **page), status


def results() -> Response:
    """Show the results anew while a reader types, and name the address of the page that shows the same.

    What cannot be answered is said in words and with 200: htmx puts nothing else into the page.
    """
    asked = asked_in(request.args)
    page, status = answer(asked)
    response = make_response(render_template("site/_results.html", **page, is_fragment=True))
    response.headers["HX-Replace-Url"] = asked.address()
    if status != 200:
        response.headers["Cache-Control"] = "no-store"
    return response


def answer(asked: Asked) -> tuple[dict[str, object], int]:
    """Return what the templates show of a search, and the status of a page that shows it."""
    page: dict[str, object] = {"asked": asked}
    try:
        wanted = asked.request(PER_PAGE)
    except BadFilter as error:
        return page | {"error": str(error)}, 400
    if asked.is_blank:
        return page | {"is_blank": True}, 200
    try:
        found = indexing.index_in(current_app.config["DATA_DIR"]).find(wanted)
    except IndexBusy:
        return page | {"is_busy": True}, 503
    except IndexUnavailable:
        current_app.logger.warning("the search index is unavailable")
        return page | {"is_unavailable": True}, 503
    return page | shown(asked, found), 200
