"""Cache headers of readers' pages (RFC 9111, RFC 5861); `pagecache` is the cache of this process.

Browsers revalidate after a minute. Shared caches hold a page for one second and may serve it stale
for nine more while they revalidate, so that a correction is out everywhere within ten seconds, and
for a day while the site is down.
"""

from __future__ import annotations

from hashlib import blake2b

from flask import Flask, Response, request, url_for

from spectator import pagecache, queries
from spectator.pagecache.compression import accepts_gzip, gzip_bytes, is_compressible
from spectator.site import pagination

LIST_VIEWS = ("front", "section", "country", "topic", "author", "month", "archive")
FEED_VIEWS = ("feed", "section_feed", "country_feed", "topic_feed", "author_feed", "month_feed")
FRAGMENT_VIEWS = ("stream", "related_stories")
CACHEABLE_ENDPOINTS = {f"site.{name}" for name in (*LIST_VIEWS, *FEED_VIEWS, "article")} | {
    f"fragments.{name}" for name in FRAGMENT_VIEWS
}

# The cursors that each view reads. With others, one page would be cached under countless URLs.
CURSORS = {
    f"site.{name}": {"before", "through"}
    for name in ("section", "country", "topic", "author", "month")
}
CURSORS |= {"site.front": {"before", "rails", "through"}, "fragments.stream": {"before", "start"}}


def register(app: Flask) -> None:
    """Set Cache-Control on every response to readers."""

    @app.after_request
    def set_cache_headers(response: Response) -> Response:
        if request.blueprint == "newsroom" or request.path.startswith("/newsroom"):
            return response
        status = response.status_code
        if request.endpoint in CACHEABLE_ENDPOINTS and status in {200, 410}:
            response.headers["Cache-Control"] = (
                pagecache.PUBLIC_CACHE_CONTROL
                if is_canonical_url()
                else pagecache.PRIVATE_CACHE_CONTROL
            )
            response.headers["Vary"] = "Accept-Encoding"
        elif 300 <= status < 400 and status != 304:
            response.headers.setdefault("Cache-Control", pagecache.PRIVATE_CACHE_CONTROL)
        elif status >= 400:
            response.headers.setdefault("Cache-Control", "no-cache")
        gzip_response(response)
        if request.endpoint == "site.search_feed" and status == 200:
            make_conditional(response)
        return response


def is_canonical_url() -> bool:
    """Return whether the URL is the canonical one of its page; mark such a page as cacheable."""
    if url_for(request.endpoint or "", **(request.view_args or {})) != request.environ["PATH_INFO"]:
        return (
            False  # another spelling: 007, //politics/ (Flask's request.path has one slash there)
        )
    cursors = {
        name: request.args[name] for name in pagination.CURSOR_PARAMS if name in request.args
    }
    if not cursors.keys() <= _cursors_read() or not all(
        map(queries.is_valid_cursor, cursors.values())
    ):
        return False
    pagecache.mark_cacheable(request.environ)
    return not request.args or pagecache.is_cursor_query(
        request.query_string.decode("ascii", "replace")
    )


def _cursors_read() -> set[str]:
    is_latest = request.endpoint == "fragments.stream" and not request.view_args
    return CURSORS.get(request.endpoint or "", set()) | ({"rails"} if is_latest else set())


def gzip_response(response: Response) -> None:
    """Compress text with gzip if the browser accepts it and the page cache has not done so.

    The page cache hides Accept-Encoding from the site and compresses what passes through it.
    """
    if response.is_streamed or response.direct_passthrough or 300 <= response.status_code < 400:
        return
    body = response.get_data()
    if "Content-Encoding" in response.headers or not is_compressible(response.mimetype or "", body):
        return
    response.headers["Vary"] = "Accept-Encoding"
    if accepts_gzip(request.headers.get("Accept-Encoding", "")):
        response.set_data(gzip_bytes(body))
        response.headers["Content-Encoding"] = "gzip"


def make_conditional(response: Response) -> None:
    """Set an ETag of the body, and answer 304 to a feed reader that has it."""
    response.headers["Vary"] = "Accept-Encoding"
    response.set_etag(blake2b(response.get_data(), digest_size=12).hexdigest())
    response.headers["Cache-Control"] = pagecache.PRIVATE_CACHE_CONTROL
    response.make_conditional(request)
