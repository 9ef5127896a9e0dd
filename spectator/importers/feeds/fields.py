"""The fields of RSS and Atom: which element of a feed or an entry means what."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import NamedTuple
from urllib.parse import urlsplit

from spectator.importers.feeds.elements import Feed, FeedEntry

_BODIES = ("content:encoded", "content", "description", "summary")
_PUBLISHED = ("pubDate", "published", "issued", "dc:date", "dcterms:created", "created")
_UPDATED = ("updated", "modified", "dcterms:modified")
_AUTHORS = ("dc:creator", "author/name", "author", "itunes:author")
_PICTURE_NAMES = frozenset({"media:content", "media:thumbnail", "enclosure", "itunes:image"})
_PICTURE_FILE = re.compile(r"\.(?:jpe?g|png|gif|webp|avif)\Z", re.IGNORECASE)
# RSS 2.0 writes an author as "name@example.org (Name)".
_MAIL_AND_NAME = re.compile(r"\s*[^\s()]+@[^\s()]+\s*\(([^()]+)\)\s*")


class Field(NamedTuple):
    """A child element; `name` has those of the elements around it ("author/name").

    `has_markup`: its text is HTML because the element has children.
    """

    name: str
    attributes: dict[str, str]
    text: str
    has_markup: bool = False


def read_feed(fields: list[Field]) -> Feed:
    """Return what the fields before the first entry say about the feed."""
    language = _first(fields, "language", "dc:language") or _attribute(fields, "xml:lang")
    url, base = _link(fields), _attribute(fields, "xml:base")
    return Feed(
        title=_first(fields, "title"),
        url=url or base,
        base=base or url,
        language=language,
        authors=tuple(_texts(fields, "author/name")),
    )


def read_entry(fields: list[Field]) -> FeedEntry:
    """Return the entry with these fields; the first field has the attributes of the element."""
    guid = next((field for field in fields if field.name in {"guid", "id"}), None)
    bodies = {field.name: _html(field) for field in reversed(fields) if field.name in _BODIES}
    html, *others = [*filter(None, map(bodies.get, _BODIES)), ""]
    url = _link(fields)
    if not url and guid and guid.attributes.get("isPermaLink", "true") == "true":
        url = guid.text if guid.text.startswith(("https://", "http://")) else ""
    about = _attribute(fields, "rdf:about")
    return FeedEntry(
        title=_first(fields, "title"),
        url=url or about,
        guid=(guid.text if guid else "") or about or url,
        html=html,
        summary=others[0] if others else "",
        published=_first(fields, *_PUBLISHED),
        updated=_first(fields, *_UPDATED),
        language=_attribute(fields, "xml:lang") or _first(fields, "dc:language"),
        source=_first(fields, "source/title", "source"),
        base=_base(fields),
        authors=_authors(fields),
        topics=_topics(fields),
        **_files(fields),
    )


def _first(fields: Iterable[Field], *names: str) -> str:
    """Return the first text of the first of these names that has one."""
    texts = {field.name: field.text for field in reversed(list(fields)) if field.text}
    return next((texts[name] for name in names if name in texts), "")


def _texts(fields: Iterable[Field], name: str) -> list[str]:
    return [field.text for field in fields if field.name == name and field.text]


def _attribute(fields: list[Field], key: str) -> str:
    """Return an attribute of the element that has the fields: they begin with one without name."""
    values = (field.attributes.get(key, "") for field in fields if not field.name)
    return next(filter(None, values), "")


def _html(field: Field) -> str:
    """Return the text of a field as HTML: only Atom has plain texts."""
    kind = field.attributes.get("type", "")
    is_plain = field.name in {"content", "summary"} and kind in {"text", "text/plain"}
    return f"<p>{escape(field.text)}</p>" if is_plain and not field.has_markup else field.text


def _base(fields: list[Field]) -> str:
    values = (field.attributes.get("xml:base", "") for field in fields if field.name in _BODIES)
    return next(filter(None, values), "") or _attribute(fields, "xml:base")


def _link(fields: list[Field]) -> str:
    """Return the address of the page: of Atom the link without a relation or `alternate`."""
    for field in fields:
        if field.name == "feedburner:origLink" and field.text:
            return field.text
    for field in fields:
        if field.name == "link" and field.text:
            return field.text
        is_atom = field.name in {"link", "atom:link"} and "href" in field.attributes
        if is_atom and field.attributes.get("rel", "alternate") == "alternate":
            return field.attributes["href"].strip()
    return ""


def _authors(fields: list[Field]) -> list[str]:
    for name in _AUTHORS:
        if texts := _texts(fields, name):
            matches = ((text, _MAIL_AND_NAME.fullmatch(text)) for text in texts)
            names = [match[1] if match else text for text, match in matches]
            return [text for text in names if "@" not in text]
    return []


def _topics(fields: list[Field]) -> list[str]:
    return [
        label
        for field in fields
        if field.name in {"category", "dc:subject"}
        and (label := field.attributes.get("label") or field.text or field.attributes.get("term"))
    ]


def _files(fields: list[Field]) -> dict[str, list[str]]:
    """Return the URLs of pictures and of other files, each once."""
    pictures: list[str] = []
    files: list[str] = []
    for field in fields:
        attributes = field.attributes
        name = field.name.rpartition("/")[2] if "media:" in field.name else field.name
        is_file_link = name in {"link", "atom:link"} and attributes.get("rel") == "enclosure"
        if name in _PICTURE_NAMES or is_file_link:
            url = (attributes.get("url") or attributes.get("href") or "").strip()
            is_picture = is_picture_file(
                url, attributes.get("type") or attributes.get("medium", "")
            )
            always = name in {"media:thumbnail", "itunes:image"}
            (pictures if is_picture or always else files).append(url)
    return {
        "pictures": list(dict.fromkeys(filter(None, pictures))),
        "files": list(dict.fromkeys(filter(None, files))),
    }


def is_picture_file(url: str, kind: str) -> bool:
    """Return whether a file is a picture, by its media type or else by its name."""
    if kind:
        return kind.startswith("image")
    try:
        return _PICTURE_FILE.search(urlsplit(url).path) is not None
    except ValueError:
        return False
