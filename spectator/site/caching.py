"""Who may keep a reader's page, and for how long (RFC 9111, RFC 5861); see `pagecache` for what this process keeps.

Browsers ask again after a minute. Shared caches hold a page for a second and may show it for nine more while they ask
again, so that a correction is out everywhere in ten, and for a day while the site is down.
"""

from __future__ import annotations

from hashlib import blake2b

from flask import Flask, Response, request, url_for

from spectator import pagecache, queries
from spectator.compression import accepted_encodings, gzipped
from spectator.presentation import static_version
from spectator.site import positions

LISTS = ("front", "section", "country", "topic", "author", "month", "archive")
FEEDS = ("feed", "section_feed", "country_feed", "topic_feed", "author_feed", "month_feed")
FRAGMENTS = ("stream", "related_stories")
KEPT = {f"site.{name}" for name in (*LISTS, *FEEDS, "article")} | {f"fragments.{name}" for name in FRAGMENTS}
# Depend on more than a bounded number of addresses: not kept by anybody, packed each time.
ASKED = frozenset({"site.search", "site.search_feed", "fragments.search", "fragments.suggest"})
YEAR = "public, max-age=31536000, immutable"
WORTH_PACKING_BYTES = 500


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
        if request.endpoint in ASKED:
            pack(response)
        elif request.endpoint == "static" and status == 200 and is_newest():
            response.headers["Cache-Control"] = YEAR
        return response


def is_known() -> bool:
    """Say whether the address names a page of this site and no more; if so, this process may keep it too."""
    if url_for(request.endpoint or "", **(request.view_args or {})) != request.path:
        return False  # one of many ways to write it: 007
    cursors = [request.args[name] for name in positions.NAMES if name in request.args]
    if not all(queries.is_cursor(cursor) for cursor in cursors):
        return False
    pagecache.fit_to_keep(request.environ)
    return not request.args or pagecache.is_position(request.query_string.decode("ascii", "replace"))


def is_newest() -> bool:
    """Say whether the address of a static file names the very file that it has now."""
    name = (request.view_args or {}).get("filename", "")
    return request.args.get("v") == static_version(name)


def pack(response: Response) -> None:
    """Send a response in gzip where the browser takes it; feed readers are told whether it has changed."""
    response.headers["Vary"] = "Accept-Encoding"
    body = response.get_data()
    if "gzip" in accepted_encodings(request.headers.get("Accept-Encoding", "")) and len(body) > WORTH_PACKING_BYTES:
        response.set_data(gzipped(body))
        response.headers["Content-Encoding"] = "gzip"
    if request.endpoint == "site.search_feed" and response.status_code == 200:
        digest = blake2b(body, digest_size=12).hexdigest()
        response.set_etag(f"{digest}-gzip" if "Content-Encoding" in response.headers else digest)
        response.headers["Cache-Control"] = pagecache.FOR_ONE
        response.make_conditional(request)
