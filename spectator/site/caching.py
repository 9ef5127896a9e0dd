"""Cache headers of readers' pages (RFC 9111, RFC 5861); `pagecache` is the cache of this process.

Browsers revalidate after 40 seconds. Shared caches hold a page for a second and may serve it stale
for nine more while they revalidate, so that a correction is out everywhere within ten seconds, and
for a day while the site is down. So no reader sees “Today” a minute after midnight.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from hashlib import blake2b
from typing import TypeVar, cast

from flask import Flask, Response, after_this_request, request, url_for

from spectator import pagecache, queries
from spectator.pagecache.compression import accepts_gzip, gzip_bytes, is_compressible

View = TypeVar("View", bound=Callable[..., object])


def with_response_processor(process: Callable[[Response], Response], view: View) -> View:
    """Return the view with a function that processes its responses, error pages included."""

    @wraps(view)
    def processed_view(*args: object, **kwargs: object) -> object:
        after_this_request(process)
        return view(*args, **kwargs)

    return cast(View, processed_view)


def cacheable(*cursors: str, surrogate_key: str = pagecache.OUTBOX) -> Callable[[View], View]:
    """Return the decorator of a view whose pages caches may store, one for each value of `cursors`.

    A view that shows a single story sets a Surrogate-Key of its own.
    """
    return partial(with_response_processor, partial(set_cache_headers, cursors, surrogate_key))


def set_cache_headers(
    cursors: tuple[str, ...], surrogate_key: str, response: Response
) -> Response:
    """Let caches store the page if this is its canonical URL; browsers may store it at any URL."""
    if response.status_code in {200, 410}:
        is_canonical = is_canonical_url(cursors)
        response.headers["Cache-Control"] = (
            pagecache.PUBLIC_CACHE_CONTROL if is_canonical else pagecache.PRIVATE_CACHE_CONTROL
        )
        response.headers["Vary"] = "Accept-Encoding"
        if is_canonical:
            response.headers.setdefault(pagecache.SURROGATE_KEY, surrogate_key)
        else:
            response.headers.pop(pagecache.SURROGATE_KEY, None)
    return response


def is_canonical_url(cursors: tuple[str, ...]) -> bool:
    """Return whether the URL is the canonical one of a page that reads these cursors.

    With cursors that it does not read, one page would be cached under countless URLs.
    """
    # Flask's request.path has one slash where PATH_INFO may have two.
    if (
        url_for(request.endpoint or "", **(request.view_args or {}))
        != request.environ["PATH_INFO"]
    ):
        return False  # another spelling: 007, //politics/
    values = {
        name: request.args[name] for name in pagecache.CURSOR_PARAMS if name in request.args
    }
    if not values.keys() <= set(cursors):
        return False
    if not all(map(queries.is_valid_cursor, values.values())):
        return False
    query = request.query_string.decode("ascii", "replace")
    return not request.args or pagecache.is_cursor_query(query)


def conditional(view: View) -> View:
    """Decorate a view that only browsers cache: it answers 304 if the client has the same body."""
    return with_response_processor(make_conditional, view)


def make_conditional(response: Response) -> Response:
    """Set an ETag of the compressed body, and answer 304 if the client has the same body."""
    if response.status_code == 200:
        gzip_response(response)
        response.headers["Vary"] = "Accept-Encoding"
        response.set_etag(blake2b(response.get_data(), digest_size=12).hexdigest())
        response.headers["Cache-Control"] = pagecache.PRIVATE_CACHE_CONTROL
        response.make_conditional(request)
    return response


def register(app: Flask) -> None:
    """Compress every response to readers, and set Cache-Control where its view has not."""

    @app.after_request
    def finish_response(response: Response) -> Response:
        if request.blueprint == "newsroom" or request.path.startswith("/newsroom"):
            return response
        status = response.status_code
        if 300 <= status < 400 and status != 304:
            response.headers.setdefault("Cache-Control", pagecache.PRIVATE_CACHE_CONTROL)
        elif status >= 400:
            response.headers.setdefault("Cache-Control", "no-cache")
        gzip_response(response)
        return response


def gzip_response(response: Response) -> None:
    """Compress text with gzip if the browser accepts it and the page cache has not done so.

    The page cache hides Accept-Encoding from the site and compresses what passes through it.
    """
    if response.is_streamed or response.direct_passthrough or 300 <= response.status_code < 400:
        return
    body = response.get_data()
    if "Content-Encoding" in response.headers or not is_compressible(
        response.mimetype or "", body
    ):
        return
    response.headers["Vary"] = "Accept-Encoding"
    if accepts_gzip(request.headers.get("Accept-Encoding", "")):
        response.set_data(gzip_bytes(body))
        response.headers["Content-Encoding"] = "gzip"
