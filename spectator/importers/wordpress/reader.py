"""The streaming reader of export files: elements one by one, in little memory.

Elements are known by the namespace of their names or, as old and merged files declare none, by
their prefixes. A file with a document type is refused, because entities of its own could grow
without bounds; so is one that nests or grows tokens without bounds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.entities import html5
from typing import IO
from xml.parsers import expat

from spectator.importers.wordpress.elements import (
    META_KEYS,
    Author,
    Channel,
    Comment,
    Element,
    Item,
    Term,
    post_number,
)
from spectator.importers.xml_text import (
    RefusedXmlError,
    XmlText,
    build_values,
)

MAX_DEPTH = 100
# Characters of a body, of a meta value, of all values of an item, and of any other text; longer
# ones are cut. A story may have 1 MB.
MAX_CONTENT, MAX_META_VALUE, MAX_META, MAX_TEXT = 4_000_000, 1_000_000, 8_000_000, 100_000
MAX_CHILDREN = 20_000  # terms or meta values of one item
MAX_FIELDS = 60
MAX_PREFIXES = 1_000
_NAMESPACE = re.compile(r"https?://(?:www\.)?wordpress\.org/export/[0-9.]+/(?P<excerpt>excerpt)?")
_OTHER_NAMESPACES = {
    "http://purl.org/rss/1.0/modules/content/": "content",
    "http://purl.org/dc/elements/1.1/": "dc",
}
# Elements that are read, by their names and those of their parents.
CONTAINERS = {
    "item": "channel",
    "wp:author": "channel",
    "wp:wp_author": "channel",
    "wp:category": "channel",
    "wp:tag": "channel",
    "wp:term": "channel",
    "wp:postmeta": "item",
    "wp:comment": "item",
}
TERM_FIELDS = {
    "wp:category": ("category", "category_nicename", "cat_name", "category_parent"),
    "wp:tag": ("post_tag", "tag_slug", "tag_name", ""),
    "wp:term": ("", "term_slug", "term_name", "term_parent"),
}
# The names of fields whose local names other elements have too.
FIELD_NAMES = {
    "content:encoded": "content",
    "excerpt:encoded": "excerpt",
    "dc:creator": "creator",
}
TEXT_LIMITS = {"content:encoded": MAX_CONTENT, "wp:meta_value": MAX_META_VALUE}
PREFIX = "wp:"


class _Builder:
    """The handlers of the parser: collect elements in `ready`."""

    def __init__(self, parser: expat.XMLParserType) -> None:
        self.parser = parser
        self.ready: list[Element] = []
        self.path: list[str] = []
        self.namespaces: dict[str, str] = {}  # canonical prefixes by those of the file
        self.channel: dict[str, str] = {}
        self.is_channel_ready = self.is_finished = False
        # Of the container that is open, and of the item around it.
        self.fields: dict[str, str] = {}
        self.item_fields: dict[str, str] | None = None
        self.terms: list[Term] = []
        self.meta: list[tuple[str, str]] = []
        self.item_offset = 0
        self.category: dict[str, str] = {}
        self.text: list[str] = []
        self.text_length = self.text_limit = self.meta_length = 0
        self.is_reading = False
        self.depth_of_field = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._add_namespaces(attributes)
        name = self._canonical(name)
        parent = self.path[-1] if self.path else ""
        self.path.append(name)
        if len(self.path) > MAX_DEPTH:
            raise RefusedXmlError("elements nested too deeply")
        if CONTAINERS.get(name) == parent and parent:
            self._open_container(name)
        elif not self.is_reading and (parent in CONTAINERS or parent == "channel"):
            self.is_reading, self.depth_of_field = True, len(self.path)
            self.text, self.text_length = [], 0
            self.text_limit = TEXT_LIMITS.get(name, MAX_TEXT)
            self.category = attributes if name == "category" else {}

    def _open_container(self, name: str) -> None:
        if self.path[-2] == "channel":
            self._add_channel()
            self.fields, self.terms, self.meta = {}, [], []
            self.meta_length = 0
            self.item_offset = self.parser.CurrentByteIndex
        else:
            self.item_fields, self.fields = self.fields, {}

    def _add_channel(self) -> None:
        """Add the channel before the first other element; its texts precede them in all files."""
        if not self.is_channel_ready:
            self.is_channel_ready = True
            self.ready.append(Channel(self.channel))

    def data(self, text: str) -> None:
        if not self.is_reading:
            return
        if self.text_length < self.text_limit:
            self.text.append(text[: self.text_limit - self.text_length])
        self.text_length += len(text)

    def skipped_entity(self, name: str, is_parameter: bool) -> None:
        """Add an entity of HTML, such as `&nbsp;`, which XML does not know."""
        self.data(html5.get(f"{name};", f"&{name};"))

    def end(self, _name: str) -> None:
        name, depth = self.path.pop(), len(self.path) + 1
        parent = self.path[-1] if self.path else ""
        if self.is_reading:
            if depth == self.depth_of_field:
                self.is_reading = False
                self._add_field(name, parent, "".join(self.text))
        elif CONTAINERS.get(name) == parent and parent:
            self._close_container(name)
        elif name == "channel":
            self._add_channel()
        if not self.path:
            self.is_finished = True

    def _add_field(self, name: str, parent: str, text: str) -> None:
        if parent == "item" and name == "category":
            if len(self.terms) < MAX_CHILDREN:
                term = Term(
                    self.category.get("domain") or "category",
                    self.category.get("nicename", ""),
                    text.strip(),
                )
                self.terms.append(term)
            return
        fields = self.channel if parent == "channel" else self.fields
        key = FIELD_NAMES.get(name) or name.removeprefix(PREFIX).removeprefix("wp_")
        if text and not fields.get(key) and len(fields) < MAX_FIELDS:
            fields[key] = text

    def _close_container(self, name: str) -> None:
        fields = self.fields
        if name in {"wp:postmeta", "wp:comment"}:
            assert self.item_fields is not None
            self.fields, self.item_fields = self.item_fields, None
            if name == "wp:comment":
                self.ready.append(Comment(post_number(self.fields), fields))
            else:
                self._add_meta(fields.get("meta_key", ""), fields.get("meta_value", ""))
        elif name == "item":
            size = self.parser.CurrentByteIndex - self.item_offset
            terms, meta = tuple(self.terms), tuple(self.meta)
            self.ready.append(Item(fields, terms, meta, self.item_offset, size))
        elif name in TERM_FIELDS:
            taxonomy, slug, label, parent = TERM_FIELDS[name]
            taxonomy = taxonomy or fields.get("term_taxonomy", "")
            keys = (slug, label, parent, "term_id")
            texts = (fields.get(key, "").strip() for key in keys)
            self.ready.append(Term(taxonomy, *texts))
        else:
            self.ready.append(Author(fields))

    def _add_meta(self, key: str, value: str) -> None:
        """Add a meta value, without its text if nothing reads it."""
        if len(self.meta) < MAX_CHILDREN:
            text = value if key in META_KEYS and self.meta_length < MAX_META else ""
            self.meta_length += len(text)
            self.meta.append((key, text))

    def _add_namespaces(self, attributes: dict[str, str]) -> None:
        for name, uri in attributes.items():
            if name.startswith("xmlns:") and len(self.namespaces) < MAX_PREFIXES:
                match = _NAMESPACE.match(uri)
                prefix = name[6:]
                own = ("excerpt" if match["excerpt"] else "wp") if match else None
                self.namespaces[prefix] = own or _OTHER_NAMESPACES.get(uri, prefix)

    def _canonical(self, name: str) -> str:
        prefix, colon, local = name.partition(":")
        return f"{self.namespaces.get(prefix, prefix)}:{local}" if colon else name

    def start_doctype(self, *_: object) -> None:
        raise RefusedXmlError("document type not allowed")


def read_elements(file: IO[bytes], mends_markup: bool = False) -> Iterator[Element]:
    """Yield the elements of an export file in its order, comments before their item.

    Raises XmlError, with the position in bytes if the file is damaged there. What follows the last
    tag is ignored: plugins print messages there.
    """
    yield from build_values(XmlText(file, mends_markup), _Builder)
