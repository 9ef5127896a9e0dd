"""Who may keep a reader's page, and for how long (RFC 9111, RFC 5861); see `pagecache` for what this process keeps.

Browsers ask again after a minute. Shared caches hold a page for a second and may show it for nine more while they ask
again, so that a correction is out everywhere in ten, and for a day while the site is down.
"""

from __future__ import annotations

from hashlib import blake2b

from flask import Flask, Response, request, url_for

from spectator import pagecache, queries
from spectator.compression import accepts_gzip, gzipped, is_worth_packing
from spectator.site import positions

LISTS = ("front", "section", "country", "topic", "author", "month", "archive")
FEEDS = ("feed", "section_feed", "country_feed", "topic_feed", "author_feed", "month_feed")
FRAGMENTS = ("stream", "related_stories")
KEPT = {f"site.{name}" for name in (*LISTS, *FEEDS, "article")} | {f"fragments.{name}" for name in FRAGMENTS}

# Which cursors each of them reads. With any other the same page would be kept under addresses without number.
CURSORS = {f"site.{name}": {"before", "through"} for name in ("section", "country", "topic", "author", "month")}
CURSORS |= {"site.front": {"before", "rails", "through"}, "fragments.stream": {"before", "start"}}


def register(app: Flask) -> None:
    """Give every response of the readers' side its Cache-Control."""

    @app.after_request
    def say_who_may_keep(response: Response) -> Response:
        if request.blueprint == "newsroom" or request.path.startswith("/newsroom"):
            return response
        status = response.status_code
        if request.endpoint in KEPT and status in {200, 410}:
            response.headers["Cache-Control"] = pagecache.FOR_EVERYBODY if is_known() else pagecache.FOR_ONE
            response.headers["Vary"] = "Accept-Encoding"
        elif 300 <= status < 400 and status != 304:
            response.headers.setdefault("Cache-Control", pagecache.FOR_ONE)
        elif status >= 400:
            response.headers.setdefault("Cache-Control", "no-cache")
        compress(response)
        if request.endpoint == "site.search_feed" and status == 200:
            tell_whether_changed(response)
        return response


def is_known() -> bool:
    """Say whether the address names a page of this site and no more; if so, this process may keep it too."""
    if url_for(request.endpoint or "", **(request.view_args or {})) != request.environ["PATH_INFO"]:
        return False  # one of many ways to write it: 007, //politics/ (Flask's request.path has a single slash there)
    cursors = {name: request.args[name] for name in positions.NAMES if name in request.args}
    if not cursors.keys() <= _cursors_read() or not all(map(queries.is_cursor, cursors.values())):
        return False
    pagecache.fit_to_keep(request.environ)
    return not request.args or pagecache.is_position(request.query_string.decode("ascii", "replace"))


def _cursors_read() -> set[str]:
    is_latest = request.endpoint == "fragments.stream" and not request.view_args
    return CURSORS.get(request.endpoint or "", set()) | ({"rails"} if is_latest else set())


def compress(response: Response) -> None:
    """Send text in gzip where the browser takes it and no page cache did.

    The page cache hides from the site which encodings a browser takes, and compresses what passes through it.
    """
    if response.is_streamed or response.direct_passthrough or 300 <= response.status_code < 400:
        return
    body = response.get_data()
    if "Content-Encoding" in response.headers or not is_worth_packing(response.mimetype or "", body):
        return
    response.headers["Vary"] = "Accept-Encoding"
    if accepts_gzip(request.headers.get("Accept-Encoding", "")):
        response.set_data(gzipped(body))
        response.headers["Content-Encoding"] = "gzip"


def tell_whether_changed(response: Response) -> None:
    """Give a response the ETag of its bytes, and answer 304 to a feed reader that has them."""
    response.headers["Vary"] = "Accept-Encoding"
    response.set_etag(blake2b(response.get_data(), digest_size=12).hexdigest())
    response.headers["Cache-Control"] = pagecache.FOR_ONE
    response.make_conditional(request)
