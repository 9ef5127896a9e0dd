"""WSGI middleware that answers from the stored pages, or else calls the application."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from hashlib import blake2b
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from werkzeug.http import parse_etags

from spectator.outbox import OutboxReader
from spectator.pagecache.compression import BrotliWorker, accepted_encodings, gzip_bytes
from spectator.pagecache.keys import (
    RELATED,
    SAFE_METHODS,
    CacheKey,
    anonymous_environ,
    article_id_in,
    cache_key,
)
from spectator.pagecache.responses import RenderedResponse, render_response, strip_surrogate_key
from spectator.pagecache.single_flight import SingleFlight
from spectator.pagecache.store import CachedPage, PageStore

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# How long a process may trust what it has read from the database: a query to a server takes a
# hundred times as long as looking at SQLite's file.
POLL_SECONDS, POSTGRESQL_POLL_SECONDS = 0.005, 0.05
# A page may be sent for this long after it was last confirmed, while a thread renders it again.
MAX_STALE_SECONDS = 1.0
RENDER_TIMEOUT_SECONDS = 10.0
# Key of the application's environment: the outbox number that the response is cached for.
OUTBOX_NUMBER_ENVIRON_KEY = "spectator.outbox_number"
# Key of the server's environment: "hit" if a stored page was sent, "miss" if it was rendered.
RESULT_ENVIRON_KEY = "spectator.page_cache"
MAX_HITS = 50_000  # hits to remember until somebody counts them
_REVALIDATION_HEADERS = frozenset({"Cache-Control", "Vary"})  # repeated in a 304

Hit = tuple[str, str]  # path and status
# The newest outbox number, the day, and the offsets of the consumers.
DbVersion = tuple[int, int, str]


class PageCache:
    """WSGI middleware that answers from the cache, or else calls the application."""

    def __init__(
        self,
        app: WSGIApplication,
        outbox_reader: OutboxReader,
        store: PageStore | None = None,
        zone: ZoneInfo | None = None,
    ) -> None:
        self.app = app
        self.zone = zone or ZoneInfo("UTC")
        self.outbox_reader = outbox_reader
        self.store = store or PageStore()
        self.single_flight = SingleFlight()
        self.brotli_worker = BrotliWorker()
        is_remote = outbox_reader.is_postgresql
        self.poll_seconds = POSTGRESQL_POLL_SECONDS if is_remote else POLL_SECONDS
        self.poll_lock = Lock()
        self.polled_at = float("-inf")
        self.db_version: DbVersion | None = None
        self.hits: deque[Hit] = deque(maxlen=MAX_HITS)
        # What needs more than the fast path; other middleware may be put in front of it.
        self.slow_path: WSGIApplication = self.answer

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answer from the cache, or else from the application."""
        page = self.fast_lookup(environ)
        if page is not None:
            return self.send(page, environ, start_response)
        return self.slow_path(environ, start_response)

    def answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request that the fast path could not answer."""
        key = cache_key(environ)
        if key is None:
            body = self.app(environ, strip_surrogate_key(start_response))
            if environ["REQUEST_METHOD"] not in SAFE_METHODS:
                with self.poll_lock:
                    self.poll()
            return body
        response = self.lookup(key, environ)
        if isinstance(response, CachedPage):
            is_hit = environ.setdefault(RESULT_ENVIRON_KEY, "hit") == "hit"
            return self.send(response, environ, start_response, is_hit)
        response.compress_for(environ.get("HTTP_ACCEPT_ENCODING", ""))
        start_response(response.status, response.headers.to_wsgi_list())
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
        page, now, db_version = self.store.pages.get(key), monotonic(), self.db_version
        if page is None or db_version is None or environ["REQUEST_METHOD"] not in SAFE_METHODS:
            return None
        if now - self.polled_at >= self.poll_seconds:
            return None
        if page.version not in (db_version[:2], db_version[0], db_version):
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
        db_version, page = self.db_version, self.store.get(key)
        if page is not None and db_version is None:  # the database does not answer
            return page
        if page is not None and db_version is not None and self.is_current(page, db_version):
            page.version = required_version(page.surrogate_key, db_version)
            page.confirmed_at = now
            return page
        with self.single_flight.claim(key) as rendered_elsewhere:
            if rendered_elsewhere is None:
                return self.render(key, db_version, environ, page)
        if page is not None and now - page.confirmed_at <= MAX_STALE_SECONDS:
            return page
        rendered_elsewhere.wait(RENDER_TIMEOUT_SECONDS)
        page = self.store.get(key)
        if page is not None and db_version is not None and self.is_current(page, db_version):
            return page
        return self.render(key, db_version, environ, page)

    def is_current(self, page: CachedPage, db_version: DbVersion) -> bool:
        """Return whether nothing that a page shows has changed since it was rendered."""
        if page.version == required_version(page.surrogate_key, db_version):
            return True
        article_id = article_id_in(page.surrogate_key)
        if article_id is None or not isinstance(page.version, int):
            return False
        changed = self.outbox_reader.changed_between(page.version, db_version[0])
        # None stands for changes that affect every page.
        return changed is not None and not changed & {article_id, None}

    def render(
        self,
        key: CacheKey,
        db_version: DbVersion | None,
        environ: WSGIEnvironment,
        old_page: CachedPage | None,
    ) -> CachedPage | RenderedResponse:
        """Call the application, and cache its response if it has a surrogate key.

        The application's environment has the URL but nothing about the client, because the page is
        for everybody.
        """
        environ[RESULT_ENVIRON_KEY] = "miss"
        page_environ = anonymous_environ(environ, key)
        if db_version is not None:
            page_environ[OUTBOX_NUMBER_ENVIRON_KEY] = db_version[0]
        response = render_response(self.app, page_environ)
        if db_version is None or not response.is_cacheable:
            return response
        page = cached_page(key, response, db_version, old_page)
        self.store.put(page)
        return page

    def poll(self) -> None:
        """Read the version of the database. The caller holds `poll_lock`."""
        started = monotonic()
        version = self.outbox_reader.poll()
        day = datetime.now(self.zone).toordinal()
        self.db_version = None if version is None else (version[0], day, version[1])
        self.polled_at = started

    def send(
        self,
        page: CachedPage,
        environ: WSGIEnvironment,
        start_response: StartResponse,
        is_hit: bool = True,
    ) -> Iterable[bytes]:
        """Answer with a page, or with 304 if the client has it in this encoding.

        Other encodings do not match: otherwise a proxy with the gzip body would never get the
        brotli one.
        """
        encoding = self.choose_encoding(page, environ.get("HTTP_ACCEPT_ENCODING", ""))
        query = environ.get("QUERY_STRING", "")
        is_shareable = query in ("", page.key[2])  # no unknown parameters
        all_headers = (
            page.headers_by_encoding if is_shareable else page.private_headers_by_encoding
        )
        headers = all_headers[encoding]
        if_none_match = environ.get("HTTP_IF_NONE_MATCH")
        etag = page.etag(encoding)
        if if_none_match is not None and parse_etags(if_none_match).contains_weak(etag):
            repeated = [(name, text) for name, text in headers if name in _REVALIDATION_HEADERS]
            start_response("304 NOT MODIFIED", [*repeated, ("ETag", f'"{etag}"')])
            if is_hit:
                self.hits.append((page.key[1], "304"))
            return []
        if is_hit:
            self.hits.append((page.key[1], page.status))
        start_response(page.status, headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [page.bodies[encoding]]

    def choose_encoding(self, page: CachedPage, accept_encoding: str) -> str:
        """Return the best available encoding that the client accepts.

        Brotli is compressed in the background after the first request for it.
        """
        for name in accepted_encodings(accept_encoding):
            if name in page.bodies:
                return name
            if not page.is_brotli_queued:
                page.is_brotli_queued = True
                self.brotli_worker.submit(page.bodies[""], partial(self.store.add_brotli, page))
        return ""


def required_version(
    surrogate_key: str, db_version: DbVersion
) -> int | tuple[int, int] | DbVersion:
    """Return the version that a page with this surrogate key must have to be current.

    Cards call stories of the day “Today”, so all pages with cards end with the day.
    """
    if surrogate_key == RELATED:
        return db_version
    return db_version[0] if article_id_in(surrogate_key) is not None else db_version[:2]


def cached_page(
    key: CacheKey, response: RenderedResponse, db_version: DbVersion, old_page: CachedPage | None
) -> CachedPage:
    """Return the page to store for a response; the bodies of an equal old page are reused."""
    surrogate_key = response.surrogate_key or ""
    digest = blake2b(response.body, digest_size=12).hexdigest()
    if old_page is not None and old_page.digest == digest:
        bodies = dict(old_page.bodies)
    else:
        bodies = {"": response.body, "gzip": gzip_bytes(response.body)}
    response.headers.remove("Content-Length")
    return CachedPage(
        key,
        surrogate_key,
        required_version(surrogate_key, db_version),
        response.status,
        response.headers.to_wsgi_list(),
        digest,
        bodies,
        monotonic(),
    )
