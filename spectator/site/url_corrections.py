"""Corrections of URLs that are nearly right: extra slashes, capitals, trailing punctuation.

Mail and chat programs include the full stop or quotation mark after a URL in the link. Such a URL
redirects to its page in one hop. If there is no such page, the response is 404, and no redirect
leaves this site.
"""

from __future__ import annotations

import re

from flask import abort, current_app, redirect, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.wrappers import Response

from spectator import pagecache, queries
from spectator.editions import follow_story
from spectator.old_addresses import normalize_path
from spectator.site import LIST_FEEDS, LISTS, old_addresses
from spectator.urls import permalink

MAX_PATH_LENGTH, MAX_QUERY_LENGTH = 300, 2000
FEED_NAMES = ("feed", "rss", "rss.xml", "atom.xml")
PERMANENT_ENDPOINTS = frozenset(
    {"site.front", "site.archive", "site.search", "site.feed", "site.search_feed"}
)
QUERY_ENDPOINTS = frozenset({"site.search", "site.search_feed"})
# Former values of the permalink setting: /<section>/<slug>, /<year>/<month>/<slug> and so on.
FORMER_PERMALINK = re.compile(
    r"(?:/[0-9]{1,4}){0,3}(?:/[a-z0-9-]+)?(?:/[0-9]{1,4}){0,3}/([a-z0-9-]+)"
)
PAGE_PATH = re.compile(r"(?:/[a-z0-9-]+){1,2}")


def corrected_response() -> Response | tuple[str, int] | None:
    """Return the redirect for a URL that is nearly right, None for any other."""
    if request.method not in {"GET", "HEAD"} or len(request.path) > MAX_PATH_LENGTH:
        return None
    path = normalize_path(request.path)
    for name in FEED_NAMES:
        if path.endswith(f"/{name}"):
            path = path.removesuffix(name) + "feed.xml"
    for candidate in (path, f"{path}/"):
        endpoint, _ = _match(candidate)
        if candidate != request.path and _exists(endpoint, candidate):
            return redirect(candidate + _allowed_query(endpoint), 301)
    return _page_redirect(path) or old_addresses.answer() or _article_response(path)


def replace_slash_redirect() -> Response | tuple[str, int] | None:
    """Answer instead of Flask's own slash redirects, which may lead to pages that do not exist."""
    if not isinstance(request.routing_exception, RequestRedirect):
        return None
    response = corrected_response()
    endpoint, _ = _match(f"{normalize_path(request.path)}/")
    if response is None and endpoint.startswith("site."):
        abort(404)
    return response


def _match(path: str) -> tuple[str, dict[str, str]]:
    """Return the endpoint and arguments of a path; the endpoint is "" without an exact match."""
    try:
        endpoint, arguments = current_app.url_map.bind("").match(path, method="GET")
    except HTTPException:
        return "", {}
    return endpoint, dict(arguments)


def _exists(endpoint: str, path: str) -> bool:
    """Return whether a path of an endpoint other than the article's has a page or feed."""
    if endpoint in PERMANENT_ENDPOINTS:
        return True
    if endpoint not in LISTS and endpoint not in LIST_FEEDS:
        return False
    listing = queries.listing_by_path(path.removesuffix("feed.xml"))
    return listing is not None and (
        listing.kind != "month" or bool(queries.stream(listing, limit=1).articles)
    )


def _allowed_query(endpoint: str) -> str:
    """Return the part of the query string that the page reads, with its question mark."""
    query = request.query_string.decode("utf-8", "replace")
    is_read = endpoint in QUERY_ENDPOINTS or (
        endpoint in LISTS and pagecache.is_cursor_query(query)
    )
    return f"?{query}" if query and is_read and len(query) <= MAX_QUERY_LENGTH else ""


def _page_redirect(path: str) -> Response | None:
    """Return the redirect to the standing page whose URL is nearly this one."""
    # The view of the page has already answered 404 for a path that needs no correction.
    if path == request.path or not PAGE_PATH.fullmatch(path):
        return None
    page = queries.page_by_path(path)
    return redirect(f"/{page.path}", 301) if page is not None else None


def _article_response(path: str) -> Response | tuple[str, int] | None:
    endpoint, arguments = _match(path)
    if endpoint not in {"", "site.article", "site.page"}:
        return None
    former = FORMER_PERMALINK.fullmatch(path)
    slug = arguments.get("slug") or (former[1] if former else "")
    # The view of the article has already answered 404 for a path that needs no correction.
    if not slug or (endpoint == "site.article" and path == request.path):
        return None
    story = queries.article_by_slug(slug)
    if story is None:
        return None
    if story.status == "withdrawn":
        follow_story(story.language)
        return render_template("errors/410.html", article=story), 410
    return redirect(permalink(story), 301)
