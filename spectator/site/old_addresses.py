"""Answers at the addresses of an older site: a redirect in one hop, or 410."""

from __future__ import annotations

from flask import Flask, redirect, render_template, request
from werkzeug.wrappers import Response

from spectator.editions import follow_story
from spectator.i18n import lazy_gettext
from spectator.old_addresses import is_named_page, may_be_old
from spectator.pagecache import WHOLE_QUERY_ENVIRON_KEY
from spectator.queries.old_addresses import Destination, find_destination

Answer = Response | tuple[str, int]

FRONT = "site.front"
GONE_MESSAGE = (
    lazy_gettext("This page no longer exists"),
    lazy_gettext("It was removed from the site. Search all stories."),
)


def register(app: Flask) -> None:
    """Answer queries of the front page that name a page of an older site."""
    app.before_request(answer_query)


def answer_query() -> Answer | None:
    """Answer a query of the front page; without a page of that name, with 404."""
    query = whole_query()
    if request.endpoint != FRONT or not may_be_old(request.path, query):
        return None
    destination = find_destination(request.path, query)
    if destination is None and is_named_page(query):
        return not_found()
    return None if destination is None else answer_with(destination)


def answer() -> Answer | None:
    """Return the answer at the requested address, None if it is no old address."""
    destination = find_destination(request.path, whole_query())
    return None if destination is None else answer_with(destination)


def whole_query() -> str:
    """Return the query of the request, with the parameters that the page cache leaves out."""
    environ = request.environ
    key = WHOLE_QUERY_ENVIRON_KEY if WHOLE_QUERY_ENVIRON_KEY in environ else "QUERY_STRING"
    query: str = environ[key]
    return query.encode("latin-1").decode("utf-8", "replace")


def answer_with(destination: Destination) -> Answer:
    """Return the answer that sends a reader to a destination."""
    if destination.status == 301:
        return redirect(destination.path, 301)
    subject = destination.article or destination.page
    if subject is None:
        title, message = GONE_MESSAGE
        page = render_template("errors/error.html", code=410, title=title, message=message)
        return page, 410
    follow_story(subject.language)
    withdrawn = {"article": destination.article, "page": destination.page}
    return render_template("errors/410.html", **withdrawn), 410


def not_found() -> Answer:
    """Return the page of addresses that nobody knows."""
    return render_template("errors/404.html"), 404
