"""A kept response, and which of its forms a browser has."""

from __future__ import annotations

from dataclasses import dataclass, field

OVERHEAD_BYTES = 3000  # of a page, beside its bodies
PUBLIC_CACHE_CONTROL = (
    "public, max-age=60, s-maxage=1, stale-while-revalidate=9, stale-if-error=86400"
)
PRIVATE_CACHE_CONTROL = (
    "private, max-age=60"  # an address with words that mean nothing: no shared cache may keep it
)

Headers = list[tuple[str, str]]
CacheKey = tuple[str, str, str]  # scheme, path, query


@dataclass(slots=True)
class CachedPage:
    """A kept response: its bytes and its headers by Content-Encoding ("" = as it is).

    `version` is what the database said before it was made, `confirmed_at` the monotonic second when it last said so.
    """

    key: CacheKey
    version: object
    status: str
    headers: Headers
    digest: str
    bodies: dict[str, bytes]
    confirmed_at: float
    article_id: int | None = None  # the one story that it shows
    headers_by_encoding: dict[str, Headers] = field(default_factory=dict)
    private_headers_by_encoding: dict[str, Headers] = field(default_factory=dict)
    is_brotli_requested: bool = False

    def __post_init__(self) -> None:
        for encoding in tuple(self.bodies):
            self.add_encoding(encoding, self.bodies[encoding])

    def add_encoding(self, encoding: str, body: bytes) -> None:
        """Take in the body in an encoding."""
        more = [("Content-Length", str(len(body))), ("ETag", self.etag(encoding))]
        more += [("Content-Encoding", encoding)] if encoding else []
        private = [
            (name, PRIVATE_CACHE_CONTROL if name == "Cache-Control" else value)
            for name, value in self.headers
        ]
        self.headers_by_encoding[encoding], self.private_headers_by_encoding[encoding] = (
            self.headers + more,
            private + more,
        )
        self.bodies[encoding] = body  # last: from here on it may be sent

    def etag(self, encoding: str) -> str:
        """Return the strong ETag of the body in an encoding."""
        return f'"{self.digest}-{encoding}"' if encoding else f'"{self.digest}"'

    @property
    def size(self) -> int:
        """Return about how many bytes of memory this takes."""
        return OVERHEAD_BYTES + sum(map(len, self.bodies.values()))


def etag_matches(etag: str, if_none_match: str) -> bool:
    """Say whether an If-None-Match names an ETag.

    That of another encoding does not count: a proxy that kept the gzip body would be told for ever that it is the best.
    """
    return if_none_match.strip() == "*" or etag in {
        each.strip().removeprefix("W/") for each in if_none_match.split(",")
    }
