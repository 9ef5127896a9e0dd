"""What a feed of any format holds: the feed itself and its entries."""

from __future__ import annotations

from dataclasses import dataclass, field, fields


class FeedError(Exception):
    """A feed that cannot be read; the message says why."""


@dataclass(slots=True)
class Feed:
    """The feed: its name, the absolute URL of its site, and its language.

    Relative URLs of its entries are relative to `base`.
    """

    title: str = ""
    url: str = ""
    base: str = ""
    language: str = ""
    authors: tuple[str, ...] = ()


@dataclass(slots=True)
class FeedEntry:
    """An entry as its feed has it.

    `title` and names are lines that may hold markup and character references, `html` and `summary`
    are HTML, dates are in the format of the feed, `pictures` and `files` are URLs. `source` is the
    name of the feed that the entry was copied from.
    """

    title: str = ""
    url: str = ""
    guid: str = ""
    html: str = ""
    summary: str = ""
    published: str = ""
    updated: str = ""
    language: str = ""
    source: str = ""
    base: str = ""
    authors: list[str] = field(default_factory=list)
    topics: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Return the approximate size of the entry in bytes."""
        values = (getattr(self, value.name) for value in fields(self))
        texts = [
            text for value in values for text in ([value] if isinstance(value, str) else value)
        ]
        return 2 * sum(map(len, texts)) + 50 * len(texts) + 2_000
