"""The files that an export names, in a temporary database: there may be hundreds of thousands."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from spectator.importers.wordpress.elements import Item
from spectator.importers.wordpress.php_values import PhpValueError, parse_php_value

# What WordPress appends to the name of a smaller copy, and to that of a reduced original.
_SIZE = re.compile(r"-[0-9]{1,5}x[0-9]{1,5}(?=\.[A-Za-z0-9]{2,5}$)")
_EXTENSION = re.compile(r"(?=\.[A-Za-z0-9]{2,5}$)")
_UPLOADS = re.compile(r".*?/(?:wp-content/uploads|files)/(?:sites/[0-9]{1,9}/)?")
_SCHEMA = """
CREATE TABLE file (
    id INTEGER PRIMARY KEY, parent INTEGER, position INTEGER, path TEXT, url TEXT, alt TEXT,
    caption TEXT, credit TEXT, title TEXT, width INTEGER, height INTEGER, mime_type TEXT, link TEXT
);
CREATE INDEX file_parent ON file (parent, position);
CREATE INDEX file_path ON file (path)
"""
_REPLACE = "REPLACE INTO file VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_COLUMNS = "id, url, alt, caption, credit, title, width, height, mime_type"


class AttachedFile(NamedTuple):
    """A file of the old site. `caption` may hold HTML; sizes are in pixels, 0 if unknown."""

    id: int
    url: str
    alt: str
    caption: str
    credit: str
    title: str
    width: int
    height: int
    mime_type: str


class AttachmentIndex:
    """The attachments of all files of an import, by number, post and path."""

    def __init__(self) -> None:
        self.database = sqlite3.connect("")  # a file that disappears with the connection
        self.database.executescript(_SCHEMA)

    def add(self, item: Item) -> None:
        """Add an attachment; a later one with the same number replaces it."""
        details = _details(item)
        image = details.get("image_meta")
        image = image if isinstance(image, dict) else {}
        credit = item.meta_value("_media_credit") or str(image.get("credit") or "")
        url = item.get("attachment_url") or item.get("guid")
        parent, position = item.get("post_parent"), item.get("menu_order")
        row = (
            item.post_id,
            int(parent) if parent.isdigit() and len(parent) < 19 else 0,
            int(position) if position.isdigit() and len(position) < 10 else 0,
            upload_path(url).lower(),
            url,
            item.meta_value("_wp_attachment_image_alt"),
            item.get("excerpt"),
            credit,
            item.get("title"),
            _pixels(details.get("width")),
            _pixels(details.get("height")),
            item.get("post_mime_type"),
            item.get("link"),
        )
        self.database.execute(_REPLACE, row)

    def get(self, file_id: int) -> AttachedFile | None:
        """Return the file with this number."""
        return next(iter(self._select("id = ?", file_id)), None)

    def of_post(self, post_id: int) -> list[AttachedFile]:
        """Return the files that were uploaded to a post, in their order."""
        return self._select("parent = ? ORDER BY position, id", post_id)

    def original(self, url: str) -> AttachedFile | None:
        """Return the file of which a URL names the original or a smaller copy."""
        for path in original_paths(upload_path(url).lower()):
            if files := self._select("path = ?", path):
                return files[0]
        return None

    def has_url(self, url: str) -> bool:
        """Return whether a file has just this URL, not that of a smaller copy."""
        return bool(self._select("path = ?", upload_path(url).lower()))

    def files(self) -> Iterator[tuple[str, str, str]]:
        """Yield number, URL and page of each file, in the order of their numbers."""
        rows = self.database.execute("SELECT id, url, link FROM file ORDER BY id")
        for number, url, link in rows:
            yield str(number), url, link

    def _select(self, condition: str, *values: Any) -> list[AttachedFile]:
        query = f"SELECT {_COLUMNS} FROM file WHERE {condition}"  # noqa: S608 - constants
        return [AttachedFile(*row) for row in self.database.execute(query, values)]

    def __len__(self) -> int:
        return int(self.database.execute("SELECT count(*) FROM file").fetchone()[0])


def upload_path(url: str) -> str:
    """Return the path of a file below the directory of uploads, decoded; "" if it has none."""
    try:
        path = unquote(urlsplit(url).path)
    except ValueError:
        return ""
    return _UPLOADS.sub("", path, count=1).lstrip("/")


def original_paths(path: str) -> list[str]:
    """Return the paths at which the original of a picture may be, the likeliest first."""
    base = _SIZE.sub("", path)
    scaled = _EXTENSION.sub("-scaled", base, count=1)
    plain = base.replace("-scaled.", ".")
    return list(dict.fromkeys((base, scaled, plain, path)))


def _details(item: Item) -> dict[Any, Any]:
    """Return what WordPress knows of a picture: width, height, image_meta."""
    try:
        details = parse_php_value(item.meta_value("_wp_attachment_metadata").strip())
    except PhpValueError:
        return {}
    return details if isinstance(details, dict) else {}


def _pixels(value: object) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
