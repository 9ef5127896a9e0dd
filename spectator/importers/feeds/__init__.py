"""Feeds: RSS 2.0, RSS 1.0, Atom and JSON Feed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from spectator.i18n import gettext
from spectator.importers.feeds.elements import Feed, FeedEntry, FeedError
from spectator.importers.feeds.json_feeds import read_json
from spectator.importers.feeds.records import FeedOptions, build_record
from spectator.importers.feeds.xml_feeds import FIRST_TAGS, read_xml
from spectator.importers.records import Record, RecordError, describe_unexpected_error
from spectator.importers.story_values import host_of
from spectator.importers.xml_text import XmlError

__all__ = ["MAX_JSON_BYTES", "FeedError", "FeedOptions", "read"]
HEAD_BYTES = 4_096
MAX_JSON_BYTES = 50_000_000  # an XML feed may have any length: only one entry of it is in memory


class _RejoinedFile:
    """A file whose beginning was read already."""

    def __init__(self, head: bytes, file: IO[bytes]) -> None:
        self.head, self.file = head, file

    def read(self, size: int) -> bytes:
        """Return the next bytes, at most `size` of them."""
        data, self.head = self.head[:size], self.head[size:]
        return data or self.file.read(size)


def read(file: IO[bytes], options: FeedOptions) -> Iterator[Record | tuple[str, RecordError]]:
    """Yield a Record for every entry, and (location, error) where the feed is damaged.

    The file is read once and in order, so it may be a pipe. Raises FeedError if it is no feed or of
    an unknown site, and OSError if it cannot be read.
    """
    feed, number = Feed(), 0
    try:
        for element in _read_elements(file):
            if isinstance(element, Feed):
                feed = element
                if not options.site and not host_of(feed.url):
                    raise FeedError(
                        gettext("it does not name its site: give the address with --url")
                    )
                continue
            number += 1
            location = gettext("entry %(number)s", number=number)
            try:
                yield build_record(element, feed, location, options)
            except Exception as error:
                yield location, RecordError(describe_unexpected_error(error))
    except XmlError as error:
        if not number:
            raise FeedError(str(error)) from error
        yield gettext("entry %(number)s", number=number + 1), RecordError(str(error))


def _read_elements(file: IO[bytes]) -> Iterator[Feed | FeedEntry]:
    head = file.read(HEAD_BYTES)
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{":
        content = head + file.read(MAX_JSON_BYTES)
        if len(content) > MAX_JSON_BYTES:
            limit = MAX_JSON_BYTES // 1_000_000
            raise FeedError(gettext("longer than %(limit)s MB", limit=limit))
        return read_json(content)
    if not any(tag in head for tag in FIRST_TAGS):
        raise FeedError(gettext("it is not a feed (RSS, Atom or JSON Feed)"))
    return read_xml(_RejoinedFile(head, file))  # type: ignore[arg-type]
