"""Search over all published stories: the page, and its results fragment for htmx."""

from __future__ import annotations

from time import perf_counter

from flask import Response, current_app, make_response, render_template, request

from spectator import indexing, search_log
from spectator.search import IndexBusyError, IndexUnavailableError, SearchResults
from spectator.site import bp, fragments
from spectator.site.other_editions import other_editions
from spectator.site.results import PER_PAGE, search_context
from spectator.site.search_params import (
    InvalidFilter,
    SearchParams,
    parse_search_params,
    with_synonyms,
)


@bp.get("/search")
def search() -> tuple[str, int]:
    """Show the stories that match the words and filters, with their best passages."""
    params, started = parse_search_params(request.args), perf_counter()
    page, status = run_search(params)
    results = page.get("results")
    if params.text and isinstance(results, SearchResults) and page["page"] == 1:
        search_log.log_search(
            current_app.config["DATA_DIR"], params.text, results.total, perf_counter() - started
        )
    return render_template("site/search.html", **page), status


@fragments.bp.get("/search", endpoint="search")
def results_fragment() -> Response:
    """Show the results while a reader types; HX-Replace-Url is the page that shows the same.

    Errors have the status 200 too, since htmx swaps nothing else into the page.
    """
    params = parse_search_params(request.args)
    page, status = run_search(params)
    response = make_response(render_template("site/_results.html", **page, is_fragment=True))
    response.headers["HX-Replace-Url"] = params.url()
    if status != 200:
        response.headers["Cache-Control"] = "no-store"
    return response


def run_search(params: SearchParams) -> tuple[dict[str, object], int]:
    """Return the template context of a search and the HTTP status of its page."""
    page: dict[str, object] = {"params": params}
    try:
        search_request = with_synonyms(params.to_search_request(PER_PAGE))
    except InvalidFilter as error:
        return page | {"error": str(error)}, 400
    if params.is_blank:
        return page | {"is_blank": True}, 200
    try:
        index = indexing.open_public_index(current_app.config["DATA_DIR"])
        results = index.find(search_request)
        page |= {"other_editions": other_editions(index, search_request, params)}
    except IndexBusyError:
        return page | {"is_busy": True}, 503
    except IndexUnavailableError:
        current_app.logger.warning("the search index is unavailable")
        return page | {"is_unavailable": True}, 503
    return page | search_context(params, results), 200
