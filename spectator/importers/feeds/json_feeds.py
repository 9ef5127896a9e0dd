"""JSON Feed, versions 1 and 1.1."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from typing import Any

from spectator.i18n import gettext
from spectator.importers.feeds.elements import Feed, FeedEntry, FeedError
from spectator.importers.feeds.fields import is_picture_file


def read_json(content: bytes) -> Iterator[Feed | FeedEntry]:
    """Yield the feed, then its entries in their order; raises FeedError."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise FeedError(gettext("not JSON: %(error)s", error=error)) from error
    items = data.get("items") if isinstance(data, dict) else None
    if not isinstance(items, list):
        raise FeedError(gettext("it is not a feed (RSS, Atom or JSON Feed)"))
    url = _text(data, "home_page_url") or _text(data, "feed_url")
    yield Feed(
        title=_text(data, "title"),
        url=url,
        base=url,
        language=_text(data, "language"),
        authors=tuple(_authors(data)),
    )
    for item in items:
        yield _read_item(item if isinstance(item, dict) else {})


def _read_item(item: dict[str, Any]) -> FeedEntry:
    html, plain = _text(item, "content_html"), _text(item, "content_text")
    url = _text(item, "url") or _text(item, "external_url")
    files = [
        (_text(file, "url"), _text(file, "mime_type")) for file in _objects(item, "attachments")
    ]
    pictures = [_text(item, "image"), _text(item, "banner_image")]
    pictures += [file for file, kind in files if is_picture_file(file, kind)]
    tags = item.get("tags")
    return FeedEntry(
        title=_text(item, "title"),
        url=url,
        guid=_text(item, "id") or url,
        html=html or escape(plain, quote=False),
        summary=escape(_text(item, "summary"), quote=False),
        published=_text(item, "date_published"),
        updated=_text(item, "date_modified"),
        language=_text(item, "language"),
        authors=_authors(item),
        topics=[tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else [],
        pictures=list(dict.fromkeys(filter(None, pictures))),
        files=[file for file, kind in files if file and not is_picture_file(file, kind)],
    )


def _text(data: dict[str, Any], name: str) -> str:
    """Return a text, also of a number, as old feeds have in `id`; of anything else, ""."""
    value = data.get(name)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value.strip() if isinstance(value, str) else str(value) if is_number else ""


def _objects(data: dict[str, Any], name: str) -> list[dict[str, Any]]:
    values = data.get(name)
    values = values if isinstance(values, list) else [values]
    return [value for value in values if isinstance(value, dict)]


def _authors(data: dict[str, Any]) -> list[str]:
    people = _objects(data, "authors") or _objects(data, "author")
    return [name for person in people if (name := _text(person, "name"))]
