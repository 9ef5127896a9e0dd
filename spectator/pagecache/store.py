"""A cached response, and the matching of its ETags."""

from __future__ import annotations

from dataclasses import dataclass, field

OVERHEAD_BYTES = 3000  # of a page, in addition to its bodies
PUBLIC_CACHE_CONTROL = (
    "public, max-age=60, s-maxage=1, stale-while-revalidate=9, stale-if-error=86400"
)
# For URLs with unknown query parameters, which must not fill shared caches.
PRIVATE_CACHE_CONTROL = "private, max-age=60"

Headers = list[tuple[str, str]]
CacheKey = tuple[str, str, str]  # scheme, path, query


@dataclass(slots=True)
class CachedPage:
    """A cached response: bodies and headers by Content-Encoding ("" = uncompressed).

    `version` is the database's version from before it was rendered. `confirmed_at` is the monotonic
    time, in seconds, at which the page was last known to be current.
    """

    key: CacheKey
    version: object
    status: str
    headers: Headers
    digest: str
    bodies: dict[str, bytes]
    confirmed_at: float
    article_id: int | None = None  # the only story on the page
    headers_by_encoding: dict[str, Headers] = field(default_factory=dict)
    private_headers_by_encoding: dict[str, Headers] = field(default_factory=dict)
    is_brotli_requested: bool = False

    def __post_init__(self) -> None:
        for encoding in tuple(self.bodies):
            self.add_encoding(encoding, self.bodies[encoding])

    def add_encoding(self, encoding: str, body: bytes) -> None:
        """Add the body in an encoding, with its headers."""
        more = [("Content-Length", str(len(body))), ("ETag", self.etag(encoding))]
        more += [("Content-Encoding", encoding)] if encoding else []
        private = [
            (name, PRIVATE_CACHE_CONTROL if name == "Cache-Control" else value)
            for name, value in self.headers
        ]
        self.headers_by_encoding[encoding] = self.headers + more
        self.private_headers_by_encoding[encoding] = private + more
        # Last, because other threads may send the body from now on.
        self.bodies[encoding] = body

    def etag(self, encoding: str) -> str:
        """Return the strong ETag of the body in an encoding."""
        return f'"{self.digest}-{encoding}"' if encoding else f'"{self.digest}"'

    @property
    def size(self) -> int:
        """The approximate memory use in bytes."""
        return OVERHEAD_BYTES + sum(map(len, self.bodies.values()))


def etag_matches(etag: str, if_none_match: str) -> bool:
    """Return whether an If-None-Match header has an ETag.

    Other encodings do not match: otherwise a proxy with the gzip body would never get the brotli
    one.
    """
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return if_none_match.strip() == "*" or etag in tags
