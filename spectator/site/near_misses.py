"""Addresses that nearly name a page: a slash too many, capitals, punctuation that stood behind a link.

Mail and chat programs take the full stop or the quotation mark behind an address along. Such an address
leads to the page in one hop; one that names nothing stays 404, and nothing leads off this site.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from flask import abort, current_app, redirect, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.wrappers import Response

from spectator import pagecache, queries
from spectator.addresses import permalink

LONGEST_PATH, LONGEST_QUERY = 300, 2000
# U+FFFD stands for a byte that is not UTF-8, such as a quotation mark in a Windows encoding.
JUNK = " \t\n\r\u00a0\u200b\u200e\u200f\ufeff\ufffd/\\.,;:!?()[]{}<>|*_~-\"'`´“”„‘’‚«»‹›…–—،؛؟"
FEED_NAMES = ("feed", "rss", "rss.xml", "atom.xml")
ALWAYS_THERE = frozenset({"site.front", "site.archive", "site.search", "site.feed", "site.search_feed"})
WITH_ANY_QUERY = frozenset({"site.search", "site.search_feed"})
LISTS = tuple(f"site.{kind}" for kind in ("section", "country", "topic", "author", "month"))
FEEDS = tuple(f"{name}_feed" for name in LISTS)
# What the permalink setting may have been before: /<section>/<slug>, /<year>/<month>/<slug> and so on.
FORMER_PERMALINK = re.compile(r"(?:/[0-9]{1,4}){0,3}(?:/[a-z0-9-]+)?(?:/[0-9]{1,4}){0,3}/([a-z0-9-]+)")


def answer() -> Response | tuple[str, int] | None:
    """Return the answer for the requested address if it nearly names a page, None if it does not."""
    if request.method not in {"GET", "HEAD"} or len(request.path) > LONGEST_PATH:
        return None
    path = tidy(request.path)
    for name in FEED_NAMES:
        if path.endswith(f"/{name}"):
            path = path.removesuffix(name) + "feed.xml"
    for candidate in (path, f"{path}/"):
        match = _match(candidate)
        if match and match[0] != "site.article" and candidate != request.path and _exists(match[0], candidate):
            return redirect(candidate + _query(match[0]), 301)
    return _story_answer(path)


def replace_slash_redirect() -> Response | tuple[str, int] | None:
    """Answer where Flask would add a slash or merge slashes, without looking whether anything is there."""
    if not isinstance(request.routing_exception, RequestRedirect):
        return None
    found = answer()
    match = _match(f"{tidy(request.path)}/")
    if found is None and match and match[0].startswith("site."):
        abort(404)
    return found


def tidy(path: str) -> str:
    """Return a path in small letters, without doubled slashes and without what may stand behind a link."""
    if "%" in path:
        path = unquote(path)  # encoded twice
    return re.sub(r"/{2,}", "/", path.lower()).rstrip(JUNK)


def _match(path: str) -> tuple[str, dict[str, str]] | None:
    """Return the endpoint and arguments of a path, None if there are none or the path is not exact."""
    try:
        endpoint, arguments = current_app.url_map.bind("").match(path, method="GET")
    except HTTPException:
        return None
    return endpoint, dict(arguments)


def _exists(endpoint: str, path: str) -> bool:
    if endpoint in ALWAYS_THERE:
        return True
    if endpoint not in LISTS and endpoint not in FEEDS:
        return False
    listing = queries.listing(path.removesuffix("feed.xml"))
    return listing is not None and (listing.kind != "month" or bool(queries.stream(listing, limit=1).articles))


def _query(endpoint: str) -> str:
    """Return the part of the query string that the page reads, with its question mark."""
    query = request.query_string.decode("utf-8", "replace")
    is_read = endpoint in WITH_ANY_QUERY or (endpoint in LISTS and pagecache.is_position(query))
    return f"?{query}" if query and is_read and len(query) <= LONGEST_QUERY else ""


def _story_answer(path: str) -> Response | tuple[str, int] | None:
    match = _match(path)
    if match and match[0] != "site.article":
        return None
    former = FORMER_PERMALINK.fullmatch(path)
    slug = match[1]["slug"] if match else former[1] if former else ""
    if not slug or (match and path == request.path):  # the view of stories has just looked
        return None
    story = queries.article_at(slug)
    if story is None:
        return None
    if story.status == "withdrawn":
        return render_template("errors/410.html", article=story), 410
    return redirect(permalink(story), 301)
