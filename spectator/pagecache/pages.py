"""A kept response, and which of its forms a browser has."""

from __future__ import annotations

from dataclasses import dataclass, field

OVERHEAD_BYTES = 3000  # of a page, beside its bodies
FOR_EVERYBODY = "public, max-age=60, s-maxage=1, stale-while-revalidate=9, stale-if-error=86400"
FOR_ONE = "private, max-age=60"  # an address with words that mean nothing: no shared cache may keep it

Headers = list[tuple[str, str]]
Key = tuple[str, str, str]  # scheme, path, query


@dataclass(slots=True)
class Page:
    """A kept response: its bytes and its headers by Content-Encoding ("" = as it is).

    `version` is what the database said before it was made, `confirmed_at` the monotonic second when it last said so.
    """

    key: Key
    version: object
    status: str
    headers: Headers
    digest: str
    bodies: dict[str, bytes]
    confirmed_at: float
    subject: int | None = None  # the one story that it shows
    sent: dict[str, Headers] = field(default_factory=dict)
    sent_privately: dict[str, Headers] = field(default_factory=dict)
    has_asked: bool = False

    def __post_init__(self) -> None:
        for encoding in tuple(self.bodies):
            self.add(encoding, self.bodies[encoding])

    def add(self, encoding: str, body: bytes) -> None:
        """Take in the body in an encoding."""
        more = [("Content-Length", str(len(body))), ("ETag", self.tag(encoding))]
        more += [("Content-Encoding", encoding)] if encoding else []
        private = [(name, FOR_ONE if name == "Cache-Control" else value) for name, value in self.headers]
        self.sent[encoding], self.sent_privately[encoding] = self.headers + more, private + more
        self.bodies[encoding] = body  # last: from here on it may be sent

    def tag(self, encoding: str) -> str:
        """Return the strong ETag of the body in an encoding."""
        return f'"{self.digest}-{encoding}"' if encoding else f'"{self.digest}"'

    @property
    def size(self) -> int:
        """Return about how many bytes of memory this takes."""
        return OVERHEAD_BYTES + sum(map(len, self.bodies.values()))


def is_held(tag: str, held: str) -> bool:
    """Say whether an If-None-Match names an ETag.

    That of another encoding does not count: a proxy that kept the gzip body would be told for ever that it is the best.
    """
    return held.strip() == "*" or tag in {each.strip().removeprefix("W/") for each in held.split(",")}
