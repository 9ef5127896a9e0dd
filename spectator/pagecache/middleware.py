"""Cache keys, anonymous environments, the marks that views set, and whole responses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from spectator.pagecache.compression import accepts_gzip, gzip_bytes, is_compressible
from spectator.pagecache.store import CacheKey, Headers

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

MAX_PATH_LENGTH, MAX_QUERY_LENGTH = 300, 2000
# URLs that are not pages, or depend on more than path and cursors.
UNCACHED_PREFIXES = (
    "/newsroom",
    "/search",
    "/fragments/search",
    "/fragments/suggest",
    "/static/",
    "/media/",
    "/healthz",
    "/readyz",
)
CLIENT_ENVIRON_PREFIXES = ("HTTP_", "CONTENT_", "REMOTE_")  # environment variables about the client
_CURSOR = "-?[0-9]{1,18}-[0-9]{1,18}"
# Query parameters of the site's own list links; `site.positions` describes them.
_LIST_PARAMS = f"(?:&rails={_CURSOR})?(?:&start={_CURSOR})?(?:&through={_CURSOR})?"
CURSOR_QUERY = re.compile(f"before={_CURSOR}{_LIST_PARAMS}|through={_CURSOR}")
CURSOR_PARAMS = frozenset({"before", "rails", "start", "through"})
# Keys of the application's environment. The edition is the outbox number that the response is
# cached for.
EDITION_KEY = "spectator.edition"
CACHEABLE_KEY, ARTICLE_KEY = "spectator.keep", "spectator.subject"
SAFE_METHODS = frozenset({"GET", "HEAD"})


def mark_cacheable(environ: WSGIEnvironment) -> None:
    """Mark the response as cacheable, because its path and cursor refer to an existing page."""
    environ[CACHEABLE_KEY] = True


def set_surrogate_key(environ: WSGIEnvironment, article_id: int) -> None:
    """Declare that the response shows only this story: changes to others do not expire it."""
    environ[ARTICLE_KEY] = article_id


def is_cursor_query(query: str) -> bool:
    """Return whether a query string has exactly the form of the site's own list links."""
    return CURSOR_QUERY.fullmatch(query) is not None


@dataclass(slots=True)
class RenderedResponse:
    """A complete response of the application."""

    status: str
    headers: Headers
    body: bytes

    @property
    def sets_cookie(self) -> bool:
        """Whether the response sets a cookie. Such responses are never cached."""
        return any(name.lower() == "set-cookie" for name, _ in self.headers)

    def compress_for(self, accept_encoding: str) -> RenderedResponse:
        """Return the response in gzip if it is text and the client accepts gzip."""
        names = {name.lower(): value for name, value in self.headers}
        mimetype = names.get("content-type", "").partition(";")[0]
        is_plain = "content-encoding" not in names and is_compressible(mimetype, self.body)
        if not is_plain or not accepts_gzip(accept_encoding):
            return self
        body = gzip_bytes(self.body)
        headers = [
            (name, value) for name, value in self.headers if name.lower() != "content-length"
        ]
        return RenderedResponse(
            self.status,
            [*headers, ("Content-Length", str(len(body))), ("Content-Encoding", "gzip")],
            body,
        )


def cache_key(environ: WSGIEnvironment) -> CacheKey | None:
    """Return the cache key of a request, without unknown parameters; None if uncacheable."""
    path: str = environ.get("PATH_INFO", "")
    # In lower case, because /Search?q= redirects to /search?q= with its parameters.
    is_uncached = path.lower().startswith(UNCACHED_PREFIXES)
    if environ["REQUEST_METHOD"] not in SAFE_METHODS or len(path) > MAX_PATH_LENGTH or is_uncached:
        return None
    query: str = environ.get("QUERY_STRING", "")
    if query and not is_cursor_query(query):
        if len(query) > MAX_QUERY_LENGTH:
            return None
        names = {name for name, _ in parse_qsl(query, keep_blank_values=True)}
        if names & CURSOR_PARAMS:
            return None
        query = ""
    return environ["wsgi.url_scheme"], path, query


def anonymous_environ(environ: WSGIEnvironment, key: CacheKey) -> WSGIEnvironment:
    """Return the environment of a GET of the same page, without anything about the client."""
    server_environ = {
        name: value
        for name, value in environ.items()
        if not name.startswith(CLIENT_ENVIRON_PREFIXES)
    }
    host = {"HTTP_HOST": environ["HTTP_HOST"]} if "HTTP_HOST" in environ else {}
    return server_environ | host | {"REQUEST_METHOD": "GET", "QUERY_STRING": key[2]}


def render_response(app: WSGIApplication, environ: WSGIEnvironment) -> RenderedResponse:
    """Call the application and return its whole response."""
    response = RenderedResponse("", [], b"")

    def start_response(status: str, headers: Headers, _failure: object = None) -> object:
        response.status, response.headers = status, headers
        return None

    chunks = app(environ, start_response)  # type: ignore[arg-type]
    try:
        response.body = b"".join(chunks)
    finally:
        if hasattr(chunks, "close"):
            chunks.close()
    return response
