"""What a request asks for and nothing of who asks; what the site may say of its answer; the site's whole answer."""

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
# What is no page, or depends on more than path and cursors.
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
CLIENT_ENVIRON_PREFIXES = ("HTTP_", "CONTENT_", "REMOTE_")  # what of an environment tells who asks
_CURSOR = "-?[0-9]{1,18}-[0-9]{1,18}"
# The parts of lists that the site's own links ask for; `site.positions` says what each word means.
_LIST_PARAMS = f"(?:&rails={_CURSOR})?(?:&start={_CURSOR})?(?:&through={_CURSOR})?"
CURSOR_QUERY = re.compile(f"before={_CURSOR}{_LIST_PARAMS}|through={_CURSOR}")
CURSOR_PARAMS = frozenset({"before", "rails", "start", "through"})
EDITION_KEY = "spectator.edition"  # in the environment that the site gets: the outbox number its answer will count for
CACHEABLE_KEY, ARTICLE_KEY = "spectator.keep", "spectator.subject"
SAFE_METHODS = frozenset({"GET", "HEAD"})


def mark_cacheable(environ: WSGIEnvironment) -> None:
    """Say, while a request is answered, that its scheme, path and cursor name something real: keep the response."""
    environ[CACHEABLE_KEY] = True


def set_surrogate_key(environ: WSGIEnvironment, article_id: int) -> None:
    """Say, while a request is answered, that the response shows this one story: acts on others leave it as it is."""
    environ[ARTICLE_KEY] = article_id


def is_cursor_query(query: str) -> bool:
    """Return whether a query string names a part of a list, written as this site writes them."""
    return CURSOR_QUERY.fullmatch(query) is not None


@dataclass(slots=True)
class RenderedResponse:
    """A response of the site as it came."""

    status: str
    headers: Headers
    body: bytes

    @property
    def sets_cookie(self) -> bool:
        """Return whether it sets a cookie; such a thing is never kept, whatever a view says."""
        return any(name.lower() == "set-cookie" for name, _ in self.headers)

    def compress_for(self, accept_encoding: str) -> RenderedResponse:
        """Return the response in gzip where it is text and the browser takes that: an error page, mostly."""
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
    """Return what tells a page apart; None for what is never kept. Words that no page reads are left out."""
    path: str = environ.get("PATH_INFO", "")
    is_apart = path.lower().startswith(
        UNCACHED_PREFIXES
    )  # /Search?q= leads to /search?q=, with its words
    if environ["REQUEST_METHOD"] not in SAFE_METHODS or len(path) > MAX_PATH_LENGTH or is_apart:
        return None
    query: str = environ.get("QUERY_STRING", "")
    if query and not is_cursor_query(query):
        names = (
            {name for name, _ in parse_qsl(query, keep_blank_values=True)}
            if len(query) <= MAX_QUERY_LENGTH
            else None
        )
        if names is None or names & CURSOR_PARAMS:
            return None
        query = ""
    return environ["wsgi.url_scheme"], path, query


def anonymous_environ(environ: WSGIEnvironment, key: CacheKey) -> WSGIEnvironment:
    """Return the environment of a GET for an address that knows nothing else of the request than its host."""
    plain = {
        name: value
        for name, value in environ.items()
        if not name.startswith(CLIENT_ENVIRON_PREFIXES)
    }
    host = {"HTTP_HOST": environ["HTTP_HOST"]} if "HTTP_HOST" in environ else {}
    return plain | host | {"REQUEST_METHOD": "GET", "QUERY_STRING": key[2]}


def render_response(app: WSGIApplication, environ: WSGIEnvironment) -> RenderedResponse:
    """Return the whole response of an application."""
    answer = RenderedResponse("", [], b"")

    def start_response(status: str, headers: Headers, _failure: object = None) -> object:
        answer.status, answer.headers = status, headers
        return None

    chunks = app(environ, start_response)  # type: ignore[arg-type]
    try:
        answer.body = b"".join(chunks)
    finally:
        if hasattr(chunks, "close"):
            chunks.close()
    return answer
