"""Whole responses kept in this process: served before Flask is entered, and never older than the edition.

A process asks the database for its newest outbox number before it answers, at most every 5 ms; a page made
before that number is made anew. So every process shows a publication at once, whoever made it, and nobody has to be
told. After a POST it asks anyway: who has just acted sees what became of it.
Pages are told apart by scheme, path and cursors, and kept only where a view says that these name something real
(`fit_to_keep`), so that strangers cannot fill the memory. ETags, 304 and Vary: RFC 9110, sections 8.8, 13 and 12.5.5.
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
MAX_STALE_SECONDS = (
    1.0  # a page may be shown so long after it was last known to be true, while it is made anew
)
RENDER_TIMEOUT_SECONDS = 10.0
MAX_CACHED_HEADERS = 500  # values of Accept-Encoding remembered; browsers send a handful
DERIVED_PREFIX = "/fragments/related/"  # made from what followers of the outbox derive
_REVALIDATION_HEADERS = frozenset({"Cache-Control", "Vary"})  # a 304 carries these again

DbVersion = tuple[int, str]  # what the database says: the edition, and how far its followers are


class PageCache:
    """The WSGI application in front of the site's own; see the module."""

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
        """Answer from what is kept, or let the site answer."""
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
        found = self.lookup(key, environ)
        if isinstance(found, CachedPage):
            return self.send(found, environ, start_response)
        answer = found.compress_for(environ.get("HTTP_ACCEPT_ENCODING", ""))
        start_response(answer.status, answer.headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]

    def fast_lookup(self, environ: WSGIEnvironment) -> CachedPage | None:
        """Return the page that is kept of just this address, where it was a moment ago that the database was asked.

        The short way of a busy process: a few look-ups, no lock.
        """
        asked = (
            environ["wsgi.url_scheme"],
            environ.get("PATH_INFO", ""),
            environ.get("QUERY_STRING", ""),
        )
        page, now, seen = self.pages.get(asked), monotonic(), self.db_version
        if page is None or seen is None or environ["REQUEST_METHOD"] not in SAFE_METHODS:
            return None
        if now - self.polled_at >= self.poll_seconds or page.version not in (seen[0], seen):
            return None
        page.confirmed_at = now
        return page

    def lookup(self, key: CacheKey, environ: WSGIEnvironment) -> CachedPage | RenderedResponse:
        """Return what an address answers: what is kept, or made now, by one thread at a time for each page."""
        now = monotonic()
        if now - self.polled_at >= self.poll_seconds and self.poll_lock.acquire(blocking=False):
            try:
                self.poll()
            finally:
                self.poll_lock.release()
        seen = self.db_version
        version = required_version(key, seen)
        page = self.get(key)
        if page is not None and version is None:  # the database does not answer: what was true last
            return page
        if page is not None and (page.version == version or self.is_unchanged(page, seen)):
            page.version, page.confirmed_at = version, now
            return page
        with self.lock:
            other = self.in_flight.get(key)
            if other is None:
                mine = self.in_flight[key] = Event()
        if other is None:
            try:
                return self.render(key, seen, environ, page)
            finally:
                with self.lock:
                    del self.in_flight[key]
                mine.set()
        if page is not None and now - page.confirmed_at <= MAX_STALE_SECONDS:
            return page
        other.wait(RENDER_TIMEOUT_SECONDS)
        page = self.get(key)
        return (
            page
            if page is not None and page.version == version
            else self.render(key, seen, environ, page)
        )

    def is_unchanged(self, page: CachedPage, db_version: DbVersion | None) -> bool:
        """Say whether a page shows one story, and nothing since has touched that story or everything."""
        if page.article_id is None or db_version is None or not isinstance(page.version, int):
            return False
        touched = self.outbox_reader.changed_between(page.version, db_version[0])
        return touched is not None and not touched & {page.article_id, None}

    def render(
        self,
        key: CacheKey,
        db_version: DbVersion | None,
        environ: WSGIEnvironment,
        old: CachedPage | None,
    ) -> CachedPage | RenderedResponse:
        """Let the site answer, and keep the answer where the site says so.

        What the site is asked holds the address and nothing of who asks: what is kept is for everybody.
        """
        asked = anonymous_environ(environ, key) | (
            {EDITION_KEY: db_version[0]} if db_version is not None else {}
        )
        answer = render_response(self.app, asked)
        version = required_version(key, db_version)
        if version is None or CACHEABLE_KEY not in asked or answer.sets_cookie:
            return answer
        digest = blake2b(answer.body, digest_size=12).hexdigest()
        headers = [(name, value) for name, value in answer.headers if name != "Content-Length"]
        if old is not None and old.digest == digest:
            bodies = dict(old.bodies)
        else:
            bodies = {"": answer.body, "gzip": gzip_bytes(answer.body)}
        page = CachedPage(
            key,
            version,
            answer.status,
            headers,
            digest,
            bodies,
            monotonic(),
            asked.get(ARTICLE_KEY),
        )
        self.put(page)
        return page

    def poll(self) -> None:
        """Ask the database how far it is; only with the lock for that."""
        started = monotonic()
        self.db_version = self.outbox_reader.poll()
        self.polled_at = started

    def get(self, key: CacheKey) -> CachedPage | None:
        """Return what is kept of an address, and note that it was asked for."""
        with self.lock:
            page = self.pages.get(key)
            if page is not None:
                self.pages.move_to_end(key)
            return page

    def put(self, page: CachedPage) -> None:
        """Keep a page; those asked for longest ago make room."""
        with self.lock:
            old = self.pages.pop(page.key, None)
            self.size += page.size - (old.size if old is not None else 0)
            self.pages[page.key] = page
            self.evict()

    def add_brotli(self, page: CachedPage, body: bytes) -> None:
        """Take in the brotli body of a page."""
        with self.lock:
            if "br" in page.bodies:
                return
            page.add_encoding("br", body)
            if self.pages.get(page.key) is page:
                self.size += len(body)
                self.evict()

    def evict(self) -> None:
        """Forget pages until the limit holds; only with the lock."""
        while self.size > self.max_bytes:
            self.size -= self.pages.popitem(last=False)[1].size

    def send(
        self, page: CachedPage, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answer with a page, or with 304 where the browser has it."""
        encoding = self.choose_encoding(page, environ.get("HTTP_ACCEPT_ENCODING", ""))
        query = environ.get("QUERY_STRING", "")
        is_plain = not query or query == page.key[2]
        headers = (page.headers_by_encoding if is_plain else page.private_headers_by_encoding)[
            encoding
        ]
        held = environ.get("HTTP_IF_NONE_MATCH")
        if held is not None and etag_matches(page.etag(encoding), held):
            again = [each for each in headers if each[0] in _REVALIDATION_HEADERS]
            start_response("304 NOT MODIFIED", [*again, ("ETag", page.etag(encoding))])
            return []
        start_response(page.status, headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [page.bodies[encoding]]

    def choose_encoding(self, page: CachedPage, accept_encoding: str) -> str:
        """Return the best encoding of a page that a browser takes; brotli is made when it is first wanted."""
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
    """Return what has to be the same for a page to be still true; None where the database is silent."""
    return db_version if db_version is None or key[1].startswith(DERIVED_PREFIX) else db_version[0]
