"""Cache of whole responses, in front of Flask, that never serves a page older than the edition.

Before it answers, a process polls the database for the newest outbox number, at most every 5 ms.
Pages from before that number are rendered again, so that every process shows a publication at once,
without notifications. A POST always polls, so that its author sees the result.

The cache key is scheme, path and cursors. Only responses that a view passes to `mark_cacheable` are
stored, so that invented URLs cannot fill the memory. ETag, 304 and Vary: RFC 9110, sections 8.8, 13
and 12.5.5.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from functools import partial
from hashlib import blake2b
from threading import Event, Lock
from time import monotonic
from typing import TYPE_CHECKING

from spectator.outbox import OutboxReader
from spectator.pagecache.compression import BrotliWorker, accepted_encodings, gzip_bytes
from spectator.pagecache.middleware import (
    ARTICLE_KEY,
    CACHEABLE_KEY,
    EDITION_KEY,
    SAFE_METHODS,
    RenderedResponse,
    anonymous_environ,
    cache_key,
    is_cursor_query,
    mark_cacheable,
    render_response,
    set_surrogate_key,
)
from spectator.pagecache.store import (
    PRIVATE_CACHE_CONTROL,
    PUBLIC_CACHE_CONTROL,
    CachedPage,
    CacheKey,
    etag_matches,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = [
    "EDITION_KEY",
    "PRIVATE_CACHE_CONTROL",
    "PUBLIC_CACHE_CONTROL",
    "PageCache",
    "cache_key",
    "is_cursor_query",
    "mark_cacheable",
    "set_surrogate_key",
]

MAX_BYTES = 32_000_000
POLL_SECONDS = 0.005
# While a page is rendered again, others get the old one for this long after it was last confirmed.
MAX_STALE_SECONDS = 1.0
RENDER_TIMEOUT_SECONDS = 10.0
MAX_CACHED_HEADERS = 500  # values of Accept-Encoding remembered; browsers send a handful
DERIVED_PREFIX = "/fragments/related/"  # rendered from what consumers of the outbox derive
_REVALIDATION_HEADERS = frozenset({"Cache-Control", "Vary"})  # repeated in a 304

DbVersion = tuple[int, str]  # the edition, and the offsets of the consumers


class PageCache:
    """WSGI middleware that answers from the cache, or else calls the application."""

    def __init__(
        self, app: WSGIApplication, outbox_reader: OutboxReader, max_bytes: int = MAX_BYTES
    ) -> None:
        self.app = app
        self.outbox_reader = outbox_reader
        self.poll_seconds = POLL_SECONDS
        self.poll_lock = Lock()
        self.polled_at = float("-inf")
        self.db_version: DbVersion | None = None
        self.max_bytes = max_bytes
        self.size = 0
        self.pages: OrderedDict[CacheKey, CachedPage] = OrderedDict()
        self.in_flight: dict[CacheKey, Event] = {}
        self.lock = Lock()
        self.brotli_worker = BrotliWorker()
        self.encodings_by_header: dict[str, tuple[str, ...]] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer from the cache, or else from the application."""
        page = self.fast_lookup(environ)
        if page is not None:
            return self.send(page, environ, start_response)
        key = cache_key(environ)
        if key is None:
            body = self.app(environ, start_response)
            if environ["REQUEST_METHOD"] not in SAFE_METHODS:
                with self.poll_lock:
                    self.poll()
            return body
        response = self.lookup(key, environ)
        if isinstance(response, CachedPage):
            return self.send(response, environ, start_response)
        response = response.compress_for(environ.get("HTTP_ACCEPT_ENCODING", ""))
        start_response(response.status, response.headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [response.body]

    def fast_lookup(self, environ: WSGIEnvironment) -> CachedPage | None:
        """Return the cached page for this exact URL if the last poll is recent enough.

        This is the fast path of a busy process: it takes no lock.
        """
        key = (
            environ["wsgi.url_scheme"],
            environ.get("PATH_INFO", ""),
            environ.get("QUERY_STRING", ""),
        )
        page, now, db_version = self.pages.get(key), monotonic(), self.db_version
        if page is None or db_version is None or environ["REQUEST_METHOD"] not in SAFE_METHODS:
            return None
        if now - self.polled_at >= self.poll_seconds:
            return None
        if page.version not in (db_version[0], db_version):
            return None
        page.confirmed_at = now
        return page

    def lookup(self, key: CacheKey, environ: WSGIEnvironment) -> CachedPage | RenderedResponse:
        """Return the page from the cache, or render it; one thread renders a page at a time."""
        now = monotonic()
        if now - self.polled_at >= self.poll_seconds and self.poll_lock.acquire(blocking=False):
            try:
                self.poll()
            finally:
                self.poll_lock.release()
        db_version = self.db_version
        version = required_version(key, db_version)
        page = self.get(key)
        if page is not None and version is None:  # the database does not answer
            return page
        if page is not None and (page.version == version or self.is_unchanged(page, db_version)):
            page.version, page.confirmed_at = version, now
            return page
        with self.lock:
            rendered_elsewhere = self.in_flight.get(key)
            if rendered_elsewhere is None:
                rendered = self.in_flight[key] = Event()
        if rendered_elsewhere is None:
            try:
                return self.render(key, db_version, environ, page)
            finally:
                with self.lock:
                    del self.in_flight[key]
                rendered.set()
        if page is not None and now - page.confirmed_at <= MAX_STALE_SECONDS:
            return page
        rendered_elsewhere.wait(RENDER_TIMEOUT_SECONDS)
        page = self.get(key)
        if page is not None and page.version == version:
            return page
        return self.render(key, db_version, environ, page)

    def is_unchanged(self, page: CachedPage, db_version: DbVersion | None) -> bool:
        """Return whether a page shows a single story that has not changed since it was rendered."""
        if page.article_id is None or db_version is None or not isinstance(page.version, int):
            return False
        changed = self.outbox_reader.changed_between(page.version, db_version[0])
        # None stands for changes that affect every page.
        return changed is not None and not changed & {page.article_id, None}

    def render(
        self,
        key: CacheKey,
        db_version: DbVersion | None,
        environ: WSGIEnvironment,
        old: CachedPage | None,
    ) -> CachedPage | RenderedResponse:
        """Call the application, and cache its response if a view has marked it as cacheable.

        The application's environment has the URL but nothing about the client, because the page is
        for everybody.
        """
        page_environ = anonymous_environ(environ, key)
        if db_version is not None:
            page_environ[EDITION_KEY] = db_version[0]
        response = render_response(self.app, page_environ)
        version = required_version(key, db_version)
        if version is None or CACHEABLE_KEY not in page_environ or response.sets_cookie:
            return response
        digest = blake2b(response.body, digest_size=12).hexdigest()
        headers = [(name, value) for name, value in response.headers if name != "Content-Length"]
        if old is not None and old.digest == digest:
            bodies = dict(old.bodies)
        else:
            bodies = {"": response.body, "gzip": gzip_bytes(response.body)}
        page = CachedPage(
            key,
            version,
            response.status,
            headers,
            digest,
            bodies,
            monotonic(),
            page_environ.get(ARTICLE_KEY),
        )
        self.put(page)
        return page

    def poll(self) -> None:
        """Read the version of the database. The caller holds `poll_lock`."""
        started = monotonic()
        self.db_version = self.outbox_reader.poll()
        self.polled_at = started

    def get(self, key: CacheKey) -> CachedPage | None:
        """Return the cached page, if any, and mark it as recently used."""
        with self.lock:
            page = self.pages.get(key)
            if page is not None:
                self.pages.move_to_end(key)
            return page

    def put(self, page: CachedPage) -> None:
        """Store a page, and evict the least recently used ones."""
        with self.lock:
            old = self.pages.pop(page.key, None)
            self.size += page.size - (old.size if old is not None else 0)
            self.pages[page.key] = page
            self.evict()

    def add_brotli(self, page: CachedPage, body: bytes) -> None:
        """Add the brotli body of a page."""
        with self.lock:
            if "br" in page.bodies:
                return
            page.add_encoding("br", body)
            if self.pages.get(page.key) is page:
                self.size += len(body)
                self.evict()

    def evict(self) -> None:
        """Evict the least recently used pages until the cache fits. The caller holds `lock`."""
        while self.size > self.max_bytes:
            self.size -= self.pages.popitem(last=False)[1].size

    def send(
        self, page: CachedPage, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answer with a page, or with 304 if the client has it."""
        encoding = self.choose_encoding(page, environ.get("HTTP_ACCEPT_ENCODING", ""))
        query = environ.get("QUERY_STRING", "")
        is_plain = not query or query == page.key[2]
        all_headers = page.headers_by_encoding if is_plain else page.private_headers_by_encoding
        headers = all_headers[encoding]
        if_none_match = environ.get("HTTP_IF_NONE_MATCH")
        if if_none_match is not None and etag_matches(page.etag(encoding), if_none_match):
            repeated = [header for header in headers if header[0] in _REVALIDATION_HEADERS]
            start_response("304 NOT MODIFIED", [*repeated, ("ETag", page.etag(encoding))])
            return []
        start_response(page.status, headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [page.bodies[encoding]]

    def choose_encoding(self, page: CachedPage, accept_encoding: str) -> str:
        """Return the best available encoding that the client accepts.

        Brotli is compressed in the background after the first request for it.
        """
        names = self.encodings_by_header.get(accept_encoding)
        if names is None:
            if len(self.encodings_by_header) >= MAX_CACHED_HEADERS:
                self.encodings_by_header.clear()
            names = self.encodings_by_header[accept_encoding] = accepted_encodings(accept_encoding)
        for name in names:
            if name in page.bodies:
                return name
            if not page.is_brotli_requested:
                page.is_brotli_requested = True
                self.brotli_worker.submit(page.bodies[""], partial(self.add_brotli, page))
        return ""


def required_version(key: CacheKey, db_version: DbVersion | None) -> object:
    """Return the version that a valid page must have, or None if the database does not answer."""
    return db_version if db_version is None or key[1].startswith(DERIVED_PREFIX) else db_version[0]
