"""RSS 2.0, RSS 1.0 and Atom as a stream of entries, in little memory.

A file with declarations in its document type is refused: entities and default attributes could
grow without bounds or name other files. A document type without, as RSS 0.91 has, is ignored and
never loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from html.entities import html5
from typing import IO
from xml.parsers import expat

from spectator.importers.feeds.elements import Feed, FeedEntry
from spectator.importers.feeds.fields import Field, read_entry, read_feed
from spectator.importers.xml_text import RefusedXmlError, XmlText, build_values
from spectator.text.html.tokenizer import VOID

FIRST_TAGS = (b"<?xml", b"<rss", b"<feed", b"<rdf:RDF", b"<!DOCTYPE rss", b"<atom:feed")
MAX_DEPTH = 100
# Characters of a field and of all fields of an entry, with their names and attributes; longer ones
# are cut. A story may have 1 MB.
MAX_TEXT, MAX_ENTRY_TEXT = 4_000_000, 8_000_000
MAX_FIELDS = 2_000  # of an entry, and of the feed itself
MAX_NAME_LENGTH = 200  # of an element or attribute
MAX_PREFIXES = 1_000
_NAMESPACES = {
    "http://www.w3.org/2005/Atom": "atom",
    "http://purl.org/atom/ns#": "atom",
    "http://purl.org/rss/1.0/": "",
    "http://purl.org/rss/1.0/modules/content/": "content",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://search.yahoo.com/mrss/": "media",
    "http://search.yahoo.com/mrss": "media",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
    "http://www.w3.org/1999/xhtml": "xhtml",
}
ROOTS = frozenset({"rss", "rdf:RDF", "feed"})
_HEADS = frozenset({"channel", "feed"})
_ENTRIES = frozenset({"item", "entry"})
# Fields in which elements are markup, even those of feeds that should have escaped them.
_MARKUP = frozenset({"title", "content", "content:encoded", "description", "summary"})


class _OpenField:
    """A field that is being read; `has_markup` tells its elements from escaped HTML."""

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name, self.attributes = name, attributes
        self.pieces: list[tuple[bool, str]] = []  # whether a piece is a tag, and its text
        self.has_markup = attributes.get("type") == "xhtml"

    def text(self) -> str:
        """Return the text of the field, as HTML if it has markup."""
        if not self.has_markup:
            return "".join(text for _, text in self.pieces)
        return "".join(text if is_tag else escape(text) for is_tag, text in self.pieces)


class _Builder:
    """The handlers of the parser: collect the feed and its entries in `ready`."""

    def __init__(self, parser: expat.XMLParserType) -> None:
        self.parser = parser
        self.ready: list[Feed | FeedEntry] = []
        self.path: list[str] = []
        self.namespaces: dict[str, str] = {}  # canonical prefixes by those of the file
        self.head: list[Field] = []
        self.is_head_ready = self.is_finished = False
        self.entry: list[Field] | None = None
        self.open: list[_OpenField] = []
        self.field_depth = 0  # of the outermost open field
        self.text_length = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if max(map(len, (name, *attributes))) > MAX_NAME_LENGTH:
            raise RefusedXmlError("name too long")
        self._add_namespaces(attributes)
        name = self._canonical(name)
        self.path.append(name)
        if len(self.path) > MAX_DEPTH:
            raise RefusedXmlError("elements nested too deeply")
        if len(self.path) == 1 and name not in ROOTS:
            raise RefusedXmlError("not a feed")
        if self.open and self.open[0].name in _MARKUP:
            self._add_piece(True, _write_start(name, attributes))
            self.open[0].has_markup = True
        elif self.open:
            self._open_field(f"{self.open[-1].name}/{name}", attributes)
        elif name in _ENTRIES and self.entry is None:
            self._finish_head()
            self.entry, self.text_length = [Field("", attributes, "")], 0
            self._reserve(name, attributes)
        elif name in _HEADS:
            if self.entry is None and self._reserve(name, attributes):
                self._add_field(Field("", attributes, ""))
        elif len(self.path) > 1:
            self.field_depth = len(self.path)
            self._open_field(name, attributes)

    def data(self, text: str) -> None:
        if self.open:
            self._add_piece(False, text)

    def _open_field(self, name: str, attributes: dict[str, str]) -> None:
        """Open a field; without room it has no name and is dropped at its end."""
        has_room = self._reserve(name, attributes)
        self.open.append(_OpenField(name, attributes) if has_room else _OpenField("", {}))

    def _reserve(self, name: str, attributes: dict[str, str]) -> bool:
        """Count an element of the entry; return False if there is no room for it."""
        if self.text_length > MAX_ENTRY_TEXT:
            return False
        texts = (name, *attributes, *attributes.values())
        self.text_length += sum(map(len, texts)) + 50 * len(texts)
        return True

    def _add_field(self, field: Field) -> None:
        """Add a field to the open entry, or to the feed before its first entry."""
        fields = self.head if self.entry is None else self.entry
        is_late = self.entry is None and self.is_head_ready
        if len(fields) < MAX_FIELDS and not is_late:
            fields.append(field)

    def _add_piece(self, is_tag: bool, text: str) -> None:
        if self.text_length <= MAX_ENTRY_TEXT:
            field = self.open[0] if is_tag else self.open[-1]
            field.pieces.append((is_tag, text))
            self.text_length += len(text) + 50  # a piece takes memory, however short it is

    def skipped_entity(self, name: str, is_parameter: bool) -> None:
        """Add an entity of HTML, such as `&nbsp;`, which XML does not know."""
        self.data(html5.get(f"{name};", f"&{name};"))

    def end(self, _name: str) -> None:
        name = self.path.pop()
        is_inside = self.open and len(self.path) >= self.field_depth
        if is_inside and self.open[0].name in _MARKUP:
            self._add_piece(True, _write_end(name))
        elif self.open:
            field = self.open.pop()
            if field.name:
                text = field.text()[:MAX_TEXT].strip()
                self._add_field(Field(field.name, field.attributes, text, field.has_markup))
        elif name in _ENTRIES and self.entry is not None:
            self.ready.append(read_entry(self.entry))
            self.entry = None
        if not self.path:
            self._finish_head()
            self.is_finished = True

    def _finish_head(self) -> None:
        """Add the feed before its first entry; its title precedes them in practice."""
        if not self.is_head_ready:
            self.is_head_ready = True
            self.ready.append(read_feed(self.head))

    def _add_namespaces(self, attributes: dict[str, str]) -> None:
        for name, uri in attributes.items():
            is_default, is_prefix = name == "xmlns", name.startswith("xmlns:")
            if (is_default or is_prefix) and len(self.namespaces) < MAX_PREFIXES:
                prefix = name.removeprefix("xmlns").removeprefix(":")
                # The format of a file has no prefix here, whether the file gives it one or not.
                self.namespaces[prefix] = _NAMESPACES.get(uri, prefix) if is_prefix else ""

    def _canonical(self, name: str) -> str:
        prefix, colon, local = name.partition(":")
        prefix = self.namespaces.get(prefix, prefix) if colon else ""
        is_atom_feed = prefix == "atom" and (not self.path or self.path[0] == "feed")
        return f"{prefix}:{local}" if prefix and not is_atom_feed else local if colon else name

    def start_doctype(
        self, _name: str, _system_id: str | None, _public_id: str | None, has_subset: bool
    ) -> None:
        if has_subset:
            raise RefusedXmlError("declarations in the document type are not allowed")


def _write_start(name: str, attributes: dict[str, str]) -> str:
    pairs = "".join(
        f' {key}="{escape(value)}"' for key, value in attributes.items() if key[:5] != "xmlns"
    )
    return f"<{name.rpartition(':')[2]}{pairs}>"


def _write_end(name: str) -> str:
    local = name.rpartition(":")[2]
    return "" if local in VOID else f"</{local}>"


def read_xml(file: IO[bytes]) -> Iterator[Feed | FeedEntry]:
    """Yield the feed, then its entries in their order.

    Raises XmlError, with the position in bytes if the file is damaged there.
    """
    yield from build_values(XmlText(file, first_tags=FIRST_TAGS), _Builder)
