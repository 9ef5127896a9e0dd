"""HTML as a flat run of text and tags, and the same run well-formed, so that no parser has to guess."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from itertools import islice
from typing import NamedTuple

MAX_DEPTH = 64
MAX_ATTRIBUTES = 32

VOID = frozenset("br hr img col source track wbr".split())
# Elements whose content is not text for readers.
SKIPPED = frozenset("script style template svg noembed noframes title iframe".split())
_CLOSED_BY_SLASH = frozenset(
    {"svg", "iframe"}
)  # svg by the standard, iframe because XHTML pages write it so
BLOCKS = frozenset(
    "p h1 h2 h3 h4 h5 h6 blockquote pre ul ol li dl dt dd figure figcaption table details summary div hr section"
    " article aside header footer main nav address center form fieldset caption colgroup thead tbody tfoot tr".split()
)
# Blocks of other systems and of older HTML besides: where they are not kept, their breaks are.
BREAKS = BLOCKS | frozenset(
    "dir menu hgroup search dialog legend optgroup option select listing xmp plaintext marquee frameset"
    " noframes".split()
)
_CELLS = frozenset({"td", "th"})
# What may hold a paragraph; in anything else a break is a <br>.
_FLOW = frozenset("blockquote li dd td th div figure figcaption details".split())
_ROWS = frozenset("table thead tbody tfoot tr colgroup".split())
_HEADING_NAMES = {"h1": "h2", "h5": "h4", "h6": "h4"}

# The attribute and tag tokenizer of the HTML standard (section 13.2.5) as one expression that never backtracks.
_ATTRIBUTE = r"""([^\s/>][^\s/>=]*+)(?:\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s>"'][^\s>]*+)?+)?+"""
_TAG = re.compile(rf"<(/?)([a-zA-Z][^\s/>]*+)((?:[\s/]++|{_ATTRIBUTE})*+)>")
_ATTRIBUTES = re.compile(_ATTRIBUTE)
# int() refuses thousands of digits, and unescape() would pass that error on.
_LONG_REFERENCE = re.compile(r"&#(?:[0-9]{8,}|[xX][0-9a-fA-F]{8,});?")

_SECTIONS = frozenset("thead tbody tfoot caption colgroup".split())
_TABLE_PARTS = _SECTIONS | {"tr", "td", "th", "col"}
# Parts mean nothing outside of these.
_MEDIA = frozenset({"video", "audio"})
_REQUIRED_ANCESTORS = dict.fromkeys(_TABLE_PARTS, frozenset({"table"})) | {
    "source": _MEDIA,
    "track": _MEDIA,
}
# What a part closes up to (its parents), else itself (its siblings) where the parent is missing.
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


class Tag(NamedTuple):
    """A start or end tag: its lower-case name, its attributes as written, and the whole tag as written."""

    name: str
    is_end: bool
    attributes: str
    raw: str


def tokens(html: str) -> Iterator[str | Tag]:
    """The text pieces (character references not decoded) and tags of any HTML, in order; linear.

    Comments, declarations, and what stands in script, style, svg, iframe and the like are left out. A `<` that begins
    no tag comes as `&lt;`, as does one whose tag never ends.
    """
    at, has_comment_ends, endless = 0, True, set[str]()
    while (start := html.find("<", at)) >= 0:
        if start > at:
            yield html[at:start]
        if html.startswith("<!--", start):
            # An unclosed comment loses its opening only: better a stray remark than half a story gone.
            end = html.find("-->", start + 2) if has_comment_ends else -1
            has_comment_ends = end >= 0
            at = end + 3 if has_comment_ends else start + 4
        elif html.startswith(("<!", "<?"), start) and (end := html.find(">", start)) >= 0:
            at = end + 1
        elif tag := _TAG.match(html, start):
            yield (found := Tag(tag[2].lower(), bool(tag[1]), tag[3], tag[0]))
            at = _skip_content(html, found, tag.end(), endless)
        elif re.match("</?[a-zA-Z!?]", html[start : start + 3]):
            yield html[start:].replace("<", "&lt;")
            return
        else:
            at = start + 1
            while html.startswith("<<", at):
                at += 1
            yield "&lt;" * (at - start)
    if at < len(html):
        yield html[at:]


def _skip_content(html: str, tag: Tag, at: int, endless: set[str]) -> int:
    """Where reading goes on after a tag: behind the content of one that is skipped. Notes what never ends."""
    if tag.is_end or tag.name not in SKIPPED or tag.name in endless:
        return at
    if tag.name in _CLOSED_BY_SLASH and tag.attributes.endswith("/"):
        return at
    end = re.compile(rf"</{tag.name}[\s/>]", re.IGNORECASE).search(html, at)
    if end:
        return end.start()
    # A browser takes the rest of the page for it. A stray tag must not cost half a story: its text is text.
    endless.add(tag.name)
    return at


def parse_attributes(tag: Tag) -> dict[str, str]:
    """A tag's attributes by lower-case name with character references decoded; of doubles the first counts."""
    found: dict[str, str] = {}
    for name, value in _ATTRIBUTES.findall(tag.attributes):
        found.setdefault(
            name.lower(), decode_entities(value[1:-1] if value[:1] in ("'", '"') else value)
        )
    return found


def decode_entities(text: str) -> str:
    """Text with its character references decoded; one of eight digits or more becomes U+FFFD."""
    return unescape(_LONG_REFERENCE.sub("\N{REPLACEMENT CHARACTER}", text)) if "&" in text else text


def make_well_formed(html: str, allowed: frozenset[str], encode_text: Callable[[str], str]) -> str:
    """HTML whose tags, of the allowed names only, are all closed in order and at most 64 deep.

    h1 becomes h2, h5 and h6 become h4. Any other block that is not allowed, or stands where it cannot be kept, leaves
    its break: a paragraph where text follows, else a `<br>`, so that no two words run together.
    HTML parsers repair misnesting by copying elements, which takes quadratic time and space on hostile input; after
    this nothing is left to repair. Attributes are passed on unchecked: the result is for a sanitizer, not for readers.
    `written` maps a piece of text to what stands for it in the result.
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
    """Attributes as written, at most 32 of them: parsers compare each with every other."""
    if len(attributes) <= 4 * MAX_ATTRIBUTES:
        return attributes
    return "".join(
        f" {each[0]}" for each in islice(_ATTRIBUTES.finditer(attributes), MAX_ATTRIBUTES)
    )


def _name_to_id(attributes: str) -> str:
    """A link's attributes with an id for the name by which older HTML and Word call the place of a footnote."""
    if "name" not in attributes.lower():
        return attributes
    found = [(each[1].lower(), each[0]) for each in _ATTRIBUTES.finditer(attributes)]
    if any(name == "id" for name, _ in found):
        return attributes
    return "".join(
        f" id{written[4:]}" if name == "name" else f" {written}" for name, written in found
    )


class _Writer:
    """Writes tags and closes what each of them implies is over."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.open: list[str] = []
        self.dropped: dict[str, int] = {}
        self.pending_break = ""  # what has to stand before the next word: "p", "br" or " "

    def text(self, text: str) -> None:
        # A parser ignores a line break right after <pre>, so every further reading would lose one more.
        if self.out and self.out[-1].startswith("<pre"):
            text = text.lstrip("\n")
        if not text:
            return
        if not text.isspace():
            self._write_pending_break()
            # A parser moves what stands between the rows of a table before it.
            text = f" {text} " if self._is_between_rows() else text
        self.out.append(text)

    def start(self, name: str, attributes: str) -> None:
        if name in _REQUIRED_ANCESTORS and not _REQUIRED_ANCESTORS[name].intersection(self.open):
            if name in _TABLE_PARTS:
                self.mark_break(name)
            return
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
        elif len(self.open) >= MAX_DEPTH or (name == "a" and "a" in self.open):
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
        if self.dropped.get(name):
            self.dropped[name] -= 1
        elif (
            depth := self._find_open(
                {name}, _SCOPE_BOUNDARIES if name not in _TABLE_PARTS else {"table"}
            )
        ) is not None:
            self.close_to_depth(depth)
            self.pending_break = "" if is_block else self.pending_break
            return
        if is_block:
            self.mark_break(name)

    def mark_break(self, name: str) -> None:
        """Remember that a block begins or ends here though its tag is not written."""
        if name in _CELLS:
            self.pending_break = self.pending_break or " "
        else:
            self._close_implied("p")
            self.pending_break = "p"

    def _write_pending_break(self) -> None:
        """Write the break that is due before a word."""
        due, self.pending_break = self.pending_break, ""
        if due == " ":
            self.out.append(" ")
        elif due and len(self.open) < MAX_DEPTH and (not self.open or self.open[-1] in _FLOW):
            self.open.append("p")
            self.out.append("<p>")
        elif due and self.out:
            self.out.append("<br>")

    def _is_between_rows(self) -> bool:
        """Whether the innermost part of a table that is open is none that holds text."""
        inner = next(
            (name for name in reversed(self.open) if name in _ROWS or name in _SCOPE_BOUNDARIES),
            None,
        )
        return inner in _ROWS

    def close_to_depth(self, depth: int) -> None:
        while len(self.open) > depth:
            self.out.append(f"</{self.open.pop()}>")

    def _close_implied(self, name: str) -> None:
        """Close what cannot hold an element of this name."""
        depth = None
        if name in _PARENTS:
            parents, siblings = _PARENTS[name]
            walls = {"table"} if name in _TABLE_PARTS else _SCOPE_BOUNDARIES
            parent = self._find_open(parents, walls)
            depth = self._find_open(siblings, walls) if parent is None else parent + 1
        elif name in BLOCKS:
            depth = self._find_open({"p"}, _SCOPE_BOUNDARIES)
        elif name == "a":
            depth = self._find_open({"a"}, _SCOPE_BOUNDARIES)
        if depth is None and name in _HEADINGS and self.open and self.open[-1] in _HEADINGS:
            depth = len(self.open) - 1
        if depth is not None:
            self.close_to_depth(depth)

    def _find_open(self, names: set[str], boundaries: frozenset[str] | set[str]) -> int | None:
        """How many elements are open around the innermost of these names, unless a wall stands before it."""
        for depth in range(len(self.open) - 1, -1, -1):
            if self.open[depth] in names:
                return depth
            if self.open[depth] in boundaries:
                return None
        return None
