"""The stored pages of this process, limited in bytes: the least recently used are evicted."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock

from spectator.pagecache.keys import CacheKey

MAX_BYTES = 32_000_000
OVERHEAD_BYTES = 3000  # of a page, in addition to its bodies
PUBLIC_CACHE_CONTROL = (
    "public, max-age=40, s-maxage=1, stale-while-revalidate=9, stale-if-error=86400"
)
# For URLs with unknown query parameters, which must not fill shared caches.
PRIVATE_CACHE_CONTROL = "private, max-age=60"

HeaderList = list[tuple[str, str]]


@dataclass(slots=True)
class CachedPage:
    """A cached response: bodies and headers by Content-Encoding ("" = uncompressed).

    `version` is the part of the database's version that this page depends on, read before the page
    was rendered (`middleware.required_version`). `confirmed_at` is the monotonic time, in seconds,
    at which the page was last known to be current.
    """

    key: CacheKey
    surrogate_key: str
    version: object
    status: str
    headers: HeaderList
    digest: str
    bodies: dict[str, bytes]
    confirmed_at: float
    headers_by_encoding: dict[str, HeaderList] = field(default_factory=dict)
    private_headers_by_encoding: dict[str, HeaderList] = field(default_factory=dict)
    is_brotli_queued: bool = False

    def __post_init__(self) -> None:
        for encoding in tuple(self.bodies):
            self.add_encoding(encoding, self.bodies[encoding])

    def add_encoding(self, encoding: str, body: bytes) -> None:
        """Add the body in an encoding, with its headers."""
        body_headers = [("Content-Length", str(len(body))), ("ETag", f'"{self.etag(encoding)}"')]
        body_headers += [("Content-Encoding", encoding)] if encoding else []
        private_headers = [
            (name, PRIVATE_CACHE_CONTROL if name == "Cache-Control" else value)
            for name, value in self.headers
        ]
        self.headers_by_encoding[encoding] = self.headers + body_headers
        self.private_headers_by_encoding[encoding] = private_headers + body_headers
        # Last, because other threads may send the body from now on.
        self.bodies[encoding] = body

    def etag(self, encoding: str) -> str:
        """Return the strong ETag of the body in an encoding, without its quotation marks."""
        return f"{self.digest}-{encoding}" if encoding else self.digest

    @property
    def size(self) -> int:
        """The approximate memory use in bytes."""
        return OVERHEAD_BYTES + sum(map(len, self.bodies.values()))


class PageStore:
    """Pages by cache key, limited by their bytes. `pages` may be read without the lock."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self.max_bytes = max_bytes
        self.size = 0
        self.pages: OrderedDict[CacheKey, CachedPage] = OrderedDict()
        self.lock = Lock()

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
        """Evict the least recently used pages until the rest fits. The caller holds `lock`."""
        while self.size > self.max_bytes:
            self.size -= self.pages.popitem(last=False)[1].size
