"""A repair that makes any HTML well-formed before a parser reads it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from spectator.text.html.tokenizer import ATTRIBUTES, BLOCKS, BREAKS, VOID, tokens

MAX_DEPTH = 64
MAX_ATTRIBUTES = 32

_CELLS = frozenset({"td", "th"})
# Elements that may contain a paragraph; elsewhere a break becomes <br>.
_FLOW = frozenset("blockquote li dd td th div figure figcaption details".split())
_ROWS = frozenset("table thead tbody tfoot tr colgroup".split())
_HEADING_NAMES = {"h1": "h2", "h5": "h4", "h6": "h4"}
_SECTIONS = frozenset("thead tbody tfoot caption colgroup".split())
_TABLE_PARTS = _SECTIONS | {"tr", "td", "th", "col"}
# Elements that only these may contain.
_MEDIA = frozenset({"video", "audio"})
_REQUIRED_ANCESTORS = dict.fromkeys(_TABLE_PARTS, frozenset({"table"})) | {
    "source": _MEDIA,
    "track": _MEDIA,
}
# A start tag closes what is open inside its parent or, without a parent, its open sibling.
_PARENTS = {
    "li": ({"ul", "ol"}, {"li"}),
    "dt": ({"dl"}, {"dt", "dd"}),
    "dd": ({"dl"}, {"dt", "dd"}),
    "rt": ({"ruby"}, {"rt", "rp"}),
    "rp": ({"ruby"}, {"rt", "rp"}),
    "tr": ({"thead", "tbody", "tfoot", "table"}, set[str]()),
    "td": ({"tr", "table"}, set[str]()),
    "th": ({"tr", "table"}, set[str]()),
    "col": ({"colgroup", "table"}, set[str]()),
} | dict.fromkeys(_SECTIONS, ({"table"}, set[str]()))
_SCOPE_BOUNDARIES = frozenset({"table", "caption", "td", "th"})
_HEADINGS = frozenset({"h2", "h3", "h4"})


def make_well_formed(
    html: str, allowed: frozenset[str], encode_text: Callable[[str], str]
) -> str:
    """Return HTML with allowed tags only, all closed in order and at most `MAX_DEPTH` deep.

    h1 becomes h2; h5 and h6 become h4. Any other block that is not allowed, or cannot stay where it
    is, leaves a break, so that words are not joined: a new paragraph if possible, otherwise `<br>`.

    HTML parsers repair misnesting by copying elements, in quadratic time on hostile input. After
    this function there is nothing to repair. Attributes are not checked: the result still has to be
    sanitized. `encode_text` maps a piece of text to its HTML.
    """
    writer = _Writer()
    for token in tokens(html):
        if isinstance(token, str):
            writer.text(encode_text(token))
            continue
        name = _HEADING_NAMES.get(token.name, token.name)
        if name not in allowed:
            if name in BREAKS:
                writer.mark_break(name)
        elif name == "br":
            writer.start("br", "" if token.is_end else _limit_attributes(token.attributes))
        elif token.is_end:
            writer.end(name)
        else:
            attributes = _limit_attributes(token.attributes)
            writer.start(name, _name_to_id(attributes) if name == "a" else attributes)
    writer.close_to_depth(0)
    return "".join(writer.out)


def _limit_attributes(attributes: str) -> str:
    """Return the source of at most 32 attributes, because parsers compare each with all others."""
    if len(attributes) <= 4 * MAX_ATTRIBUTES:
        return attributes
    matches = islice(ATTRIBUTES.finditer(attributes), MAX_ATTRIBUTES)
    return "".join(f" {match[0]}" for match in matches)


def _name_to_id(attributes: str) -> str:
    """Return a link's attributes with `name` as `id`: Word and old HTML name footnotes."""
    if "name" not in attributes.lower():
        return attributes
    sources = [(match[1].lower(), match[0]) for match in ATTRIBUTES.finditer(attributes)]
    if any(name == "id" for name, _ in sources):
        return attributes
    return "".join(
        f" id{source[len(name) :]}" if name == "name" else f" {source}"
        for name, source in sources
    )


class _Writer:
    """A writer of well-formed HTML that closes what a tag implicitly ends."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.open: list[str] = []
        self.dropped: dict[str, int] = {}
        self.pending_break = ""  # the break before the next word: "p", "br" or " "

    def text(self, text: str) -> None:
        # Parsers ignore a line break right after <pre>, so each save would drop another one.
        if self.out and self.out[-1].startswith("<pre"):
            text = text.lstrip("\n")
        if not text:
            return
        if not text.isspace():
            self._write_pending_break()
            # Parsers move text between the rows of a table to before the table.
            text = f" {text} " if self._is_between_rows() else text
        self.out.append(text)

    def start(self, name: str, attributes: str) -> None:
        if name in _REQUIRED_ANCESTORS and not _REQUIRED_ANCESTORS[name].intersection(self.open):
            if name in _TABLE_PARTS:
                self.mark_break(name)
            return
        if _REQUIRED_ANCESTORS.get(name) == _MEDIA and any(map(self.dropped.get, _MEDIA)):
            return  # a source of nested media, whose tag was dropped
        is_block = name in BLOCKS or name in _CELLS
        if not is_block and name != "br":
            self._write_pending_break()
            if name != "col" and self._is_between_rows():
                self.out.append(" ")
        self._close_implied(name)
        if name in VOID:
            self.out.append(f"<{name}{attributes}>")
        elif name == "iframe":
            self.out.append(f"<iframe{attributes.rstrip('/')}></iframe>")
        elif len(self.open) >= MAX_DEPTH or self._is_nested_in_its_kind(name):
            self.dropped[name] = self.dropped.get(name, 0) + 1
            if is_block:
                self.mark_break(name)
            return
        else:
            self.open.append(name)
            self.out.append(f"<{name}{attributes}>")
        if is_block or name == "br":
            self.pending_break = ""

    def end(self, name: str) -> None:
        is_block = name in BLOCKS or name in _CELLS
        boundaries = {"table"} if name in _TABLE_PARTS else _SCOPE_BOUNDARIES
        if self.dropped.get(name):
            self.dropped[name] -= 1
        elif (depth := self._find_open({name}, boundaries)) is not None:
            self.close_to_depth(depth)
            self.pending_break = "" if is_block else self.pending_break
            return
        if is_block:
            self.mark_break(name)

    def mark_break(self, name: str) -> None:
        """Remember the break of a block whose tag is not written."""
        if name in _CELLS:
            self.pending_break = self.pending_break or " "
        else:
            self._close_implied("p")
            self.pending_break = "p"

    def _write_pending_break(self) -> None:
        """Write the pending break before a word."""
        due, self.pending_break = self.pending_break, ""
        if due == " ":
            self.out.append(" ")
        elif due and len(self.open) < MAX_DEPTH and (not self.open or self.open[-1] in _FLOW):
            self.open.append("p")
            self.out.append("<p>")
        elif due and self.out:
            self.out.append("<br>")

    def _is_nested_in_its_kind(self, name: str) -> bool:
        """Return whether an element may not contain this one: a link in a link, media in media."""
        kind = _MEDIA if name in _MEDIA else {"a"} if name == "a" else ()
        return any(other in self.open for other in kind)

    def _is_between_rows(self) -> bool:
        """Return whether the innermost open part of a table cannot contain text."""
        parts = (
            name for name in reversed(self.open) if name in _ROWS or name in _SCOPE_BOUNDARIES
        )
        return next(parts, None) in _ROWS

    def close_to_depth(self, depth: int) -> None:
        while len(self.open) > depth:
            self.out.append(f"</{self.open.pop()}>")

    def _close_implied(self, name: str) -> None:
        """Close open elements that cannot contain one of this name."""
        depth = None
        if name in _PARENTS:
            parents, siblings = _PARENTS[name]
            parent = self._find_open(parents, {"table"})
            depth = self._find_open(siblings, {"table"}) if parent is None else parent + 1
        elif name in BLOCKS:
            depth = self._find_open({"p"}, _SCOPE_BOUNDARIES)
        elif name == "a":
            depth = self._find_open({"a"}, _SCOPE_BOUNDARIES)
        if depth is None and name in _HEADINGS and self.open and self.open[-1] in _HEADINGS:
            depth = len(self.open) - 1
        if depth is not None:
            self.close_to_depth(depth)

    def _find_open(self, names: set[str], boundaries: frozenset[str] | set[str]) -> int | None:
        """Return the depth of the innermost of these elements; None if a boundary is deeper."""
        for depth in range(len(self.open) - 1, -1, -1):
            if self.open[depth] in names:
                return depth
            if self.open[depth] in boundaries:
                return None
        return None
