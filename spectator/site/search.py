"""Search over everything published: the page, and the part of it that is fetched anew while a reader types."""

from __future__ import annotations

from time import perf_counter

from flask import Blueprint, Response, current_app, make_response, render_template, request

from spectator import indexing, search_log
from spectator.search import IndexBusyError, IndexUnavailableError, SearchResults
from spectator.site.results import PER_PAGE, search_context
from spectator.site.search_params import InvalidFilter, SearchParams, parse_search_params


def register(site: Blueprint) -> None:
    """Add the search page."""
    site.add_url_rule("/search", "search", search)


def search() -> tuple[str, int]:
    """Show the stories that a reader's words and filters find, with the passage that matched."""
    asked, started = parse_search_params(request.args), perf_counter()
    page, status = run_search(asked)
    found = page.get("found")
    if asked.text and isinstance(found, SearchResults) and page["page"] == 1:
        search_log.log_search(
            current_app.config["DATA_DIR"], asked.text, found.total, perf_counter() - started
        )
    return render_template("site/search.html", **page), status


def results_fragment() -> Response:
    """Show the results anew while a reader types, and name the address of the page that shows the same.

    What cannot be answered is said in words and with 200: htmx puts nothing else into the page.
    """
    asked = parse_search_params(request.args)
    page, status = run_search(asked)
    response = make_response(render_template("site/_results.html", **page, is_fragment=True))
    response.headers["HX-Replace-Url"] = asked.url()
    if status != 200:
        response.headers["Cache-Control"] = "no-store"
    return response


def run_search(params: SearchParams) -> tuple[dict[str, object], int]:
    """Return what the templates show of a search, and the status of a page that shows it."""
    page: dict[str, object] = {"asked": params}
    try:
        wanted = params.to_search_request(PER_PAGE)
    except InvalidFilter as error:
        return page | {"error": str(error)}, 400
    if params.is_blank:
        return page | {"is_blank": True}, 200
    try:
        found = indexing.open_public_index(current_app.config["DATA_DIR"]).find(wanted)
    except IndexBusyError:
        return page | {"is_busy": True}, 503
    except IndexUnavailableError:
        current_app.logger.warning("the search index is unavailable")
        return page | {"is_unavailable": True}, 503
    return page | search_context(params, found), 200
