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

from spectator.compression import Brotlis, accepted_encodings, gzipped
from spectator.outbox import Watch
from spectator.pagecache.pages import FOR_EVERYBODY, FOR_ONE, Key, Page, is_held
from spectator.pagecache.requests import (
    EDITION,
    MARK,
    READING,
    SUBJECT,
    Answer,
    answer_of,
    fit_to_keep,
    is_about,
    is_position,
    key_of,
    plain_environ,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["EDITION", "FOR_EVERYBODY", "FOR_ONE", "PageCache", "fit_to_keep", "is_about", "is_position", "key_of"]

LIMIT_BYTES = 32_000_000
LOOK_SECONDS = 0.005
STALE_SECONDS = 1.0  # a page may be shown so long after it was last known to be true, while it is made anew
PATIENCE_SECONDS = 10.0
MOST_HEADERS = 500  # values of Accept-Encoding remembered; browsers send a handful
DERIVED = "/fragments/related/"  # made from what followers of the outbox derive
_REPEATED = frozenset({"Cache-Control", "Vary"})  # a 304 carries these again

Seen = tuple[int, str]  # what the database says: the edition, and how far its followers are


class PageCache:
    """The WSGI application in front of the site's own; see the module."""

    def __init__(self, app: WSGIApplication, watch: Watch, limit_bytes: int = LIMIT_BYTES) -> None:
        self.app = app
        self.watch = watch
        self.look_seconds = LOOK_SECONDS
        self.looking = Lock()
        self.looked_at = float("-inf")
        self.seen: Seen | None = None
        self.limit_bytes = limit_bytes
        self.size = 0
        self.pages: OrderedDict[Key, Page] = OrderedDict()
        self.making: dict[Key, Event] = {}
        self.lock = Lock()
        self.brotlis = Brotlis()
        self.accepted: dict[str, tuple[str, ...]] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer from what is kept, or let the site answer."""
        page = self.at_hand(environ)
        if page is not None:
            return self.send(page, environ, start_response)
        key = key_of(environ)
        if key is None:
            body = self.app(environ, start_response)
            if environ["REQUEST_METHOD"] not in READING:
                with self.looking:
                    self.look()
            return body
        found = self.found(key, environ)
        if isinstance(found, Page):
            return self.send(found, environ, start_response)
        answer = found.compressed_for(environ.get("HTTP_ACCEPT_ENCODING", ""))
        start_response(answer.status, answer.headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]

    def at_hand(self, environ: WSGIEnvironment) -> Page | None:
        """Return the page that is kept of just this address, where it was a moment ago that the database was asked.

        The short way of a busy process: a few look-ups, no lock.
        """
        asked = environ["wsgi.url_scheme"], environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", "")
        page, now, seen = self.pages.get(asked), monotonic(), self.seen
        if page is None or seen is None or environ["REQUEST_METHOD"] not in READING:
            return None
        if now - self.looked_at >= self.look_seconds or page.version not in (seen[0], seen):
            return None
        page.confirmed_at = now
        return page

    def found(self, key: Key, environ: WSGIEnvironment) -> Page | Answer:
        """Return what an address answers: what is kept, or made now, by one thread at a time for each page."""
        now = monotonic()
        if now - self.looked_at >= self.look_seconds and self.looking.acquire(blocking=False):
            try:
                self.look()
            finally:
                self.looking.release()
        seen = self.seen
        version = version_of(key, seen)
        page = self.kept(key)
        if page is not None and version is None:  # the database does not answer: what was true last
            return page
        if page is not None and (page.version == version or self.is_untouched(page, seen)):
            page.version, page.confirmed_at = version, now
            return page
        with self.lock:
            other = self.making.get(key)
            if other is None:
                mine = self.making[key] = Event()
        if other is None:
            try:
                return self.made(key, seen, environ, page)
            finally:
                with self.lock:
                    del self.making[key]
                mine.set()
        if page is not None and now - page.confirmed_at <= STALE_SECONDS:
            return page
        other.wait(PATIENCE_SECONDS)
        page = self.kept(key)
        return page if page is not None and page.version == version else self.made(key, seen, environ, page)

    def is_untouched(self, page: Page, seen: Seen | None) -> bool:
        """Say whether a page shows one story, and nothing since has touched that story or everything."""
        if page.subject is None or seen is None or not isinstance(page.version, int):
            return False
        touched = self.watch.touched(page.version, seen[0])
        return touched is not None and not touched & {page.subject, None}

    def made(self, key: Key, seen: Seen | None, environ: WSGIEnvironment, old: Page | None) -> Page | Answer:
        """Let the site answer, and keep the answer where the site says so.

        What the site is asked holds the address and nothing of who asks: what is kept is for everybody.
        """
        asked = plain_environ(environ, key) | ({EDITION: seen[0]} if seen is not None else {})
        answer = answer_of(self.app, asked)
        version = version_of(key, seen)
        if version is None or MARK not in asked or answer.is_personal:
            return answer
        digest = blake2b(answer.body, digest_size=12).hexdigest()
        headers = [(name, value) for name, value in answer.headers if name != "Content-Length"]
        if old is not None and old.digest == digest:
            bodies = dict(old.bodies)
        else:
            bodies = {"": answer.body, "gzip": gzipped(answer.body)}
        page = Page(key, version, answer.status, headers, digest, bodies, monotonic(), asked.get(SUBJECT))
        self.keep(page)
        return page

    def look(self) -> None:
        """Ask the database how far it is; only with the lock for that."""
        started = monotonic()
        self.seen = self.watch.look()
        self.looked_at = started

    def kept(self, key: Key) -> Page | None:
        """Return what is kept of an address, and note that it was asked for."""
        with self.lock:
            page = self.pages.get(key)
            if page is not None:
                self.pages.move_to_end(key)
            return page

    def keep(self, page: Page) -> None:
        """Keep a page; those asked for longest ago make room."""
        with self.lock:
            old = self.pages.pop(page.key, None)
            self.size += page.size - (old.size if old is not None else 0)
            self.pages[page.key] = page
            self.make_room()

    def take_brotli(self, page: Page, body: bytes) -> None:
        """Take in the brotli body of a page."""
        with self.lock:
            if "br" in page.bodies:
                return
            page.add("br", body)
            if self.pages.get(page.key) is page:
                self.size += len(body)
                self.make_room()

    def make_room(self) -> None:
        """Forget pages until the limit holds; only with the lock."""
        while self.size > self.limit_bytes:
            self.size -= self.pages.popitem(last=False)[1].size

    def send(self, page: Page, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer with a page, or with 304 where the browser has it."""
        encoding = self.encoding(page, environ.get("HTTP_ACCEPT_ENCODING", ""))
        query = environ.get("QUERY_STRING", "")
        is_plain = not query or query == page.key[2]
        headers = (page.sent if is_plain else page.sent_privately)[encoding]
        held = environ.get("HTTP_IF_NONE_MATCH")
        if held is not None and is_held(page.tag(encoding), held):
            again = [each for each in headers if each[0] in _REPEATED]
            start_response("304 NOT MODIFIED", [*again, ("ETag", page.tag(encoding))])
            return []
        start_response(page.status, headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [page.bodies[encoding]]

    def encoding(self, page: Page, accepted: str) -> str:
        """Return the best encoding of a page that a browser takes; brotli is made when it is first wanted."""
        names = self.accepted.get(accepted)
        if names is None:
            if len(self.accepted) >= MOST_HEADERS:
                self.accepted.clear()
            names = self.accepted[accepted] = accepted_encodings(accepted)
        for name in names:
            if name in page.bodies:
                return name
            if not page.has_asked:
                page.has_asked = True
                self.brotlis.ask(page.bodies[""], partial(self.take_brotli, page))
        return ""


def version_of(key: Key, seen: Seen | None) -> object:
    """Return what has to be the same for a page to be still true; None where the database is silent."""
    return seen if seen is None or key[1].startswith(DERIVED) else seen[0]
