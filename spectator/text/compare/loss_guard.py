"""What a body holds besides words, what a new version of it would lose, and how to put that back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from spectator.text.html.blocks import (
    WHITESPACE,
    align_blocks,
    exact_tokens,
    join_pieces,
    split_blocks,
)
from spectator.text.html.markup import MAX_DEPTH, VOID, Tag, parse_attributes
from spectator.text.html.sanitizer import ATTRIBUTES

# Elements by what people call them, containers first; not the everyday ones (p, br, h2, li, strong, em, ...).
ELEMENTS = {
    "details": "fold-out",
    "blockquote": "quotation",
    "table": "table",
    "figure": "figure",
    "ul": "list",
    "ol": "list",
    "dl": "definition list",
    "video": "video",
    "audio": "audio clip",
    "iframe": "embed",
    "img": "picture",
    "pre": "code passage",
    "code": "code passage",
    "hr": "horizontal rule",
    "summary": "fold-out heading",
    "figcaption": "caption",
    "caption": "caption",
    "thead": "table head",
    "tfoot": "table foot",
    "tr": "row",
    "td": "cell",
    "th": "cell",
    "source": "media source",
    "track": "subtitle track",
} | {
    name: f"{name} element"
    for name in "div span ruby rt ins del mark abbr cite q small sub sup kbd samp var dfn time bdi bdo wbr col".split()
}
_ATTRIBUTES = frozenset[str]().union(*ATTRIBUTES.values()) - {"id", "href"}
_IGNORED_WHEN_EMPTY = frozenset({"alt", "title", "lang", "dir"})
_ORDER = tuple(
    dict.fromkeys(
        [
            *ELEMENTS.values(),
            "link",
            "anchor",
            *(f"{name} attribute" for name in sorted(_ATTRIBUTES)),
        ]
    )
)


@dataclass(frozen=True, slots=True)
class Losses:
    """What would be gone: how many of each, by name in the singular, in a fixed order; true if there is anything."""

    counts: dict[str, int]

    def __bool__(self) -> bool:
        return bool(self.counts)

    @property
    def sentence(self) -> str:
        """The losses as English words, such as "1 table, 2 links"; empty without any."""
        return ", ".join(
            f"{count} {name}{'s' if count > 1 else ''}" for name, count in self.counts.items()
        )


@dataclass(slots=True)
class _Element:
    """Something counted: its name, the position of what it stands in (or -1), and its range of words."""

    name: str
    parent: int
    start: int
    end: int


def count_elements(html: str) -> Counter[str]:
    """How many of each thing that readers or machines would miss a body holds, by name in the singular.

    Links, elements that are not everyday formatting, and attributes: "table", "link", "lang attribute"; an id is an
    "anchor". Takes any string; linear.
    """
    return Counter(thing.name for thing in _parse_elements(html)[0])


def find_losses(old: str, new: str) -> Losses:
    """What the old body holds and the new one has fewer of.

    Only the outermost is named: a table that is gone, not its rows and links. Things may move, and another address or
    value in place of the old one is no loss.
    """
    things, words = _parse_elements(old)
    new_things, new_words = _parse_elements(new)
    missing = Counter(thing.name for thing in things) - Counter(thing.name for thing in new_things)
    if not missing:
        return Losses({})
    named: dict[str, list[int]] = {}
    for at, thing in enumerate(things):
        if thing.name in missing:
            named.setdefault(thing.name, []).append(at)
    survives = _survival_measure(words, set(new_words))
    lost: set[int] = set()
    for name in filter(missing.__getitem__, _ORDER):
        # The likeliest first: what stands in something lost, what has lost its tag, what has lost most of its words.
        named[name].sort(key=lambda at: (not _is_inside(things, at, lost), *survives(things[at])))
        lost.update(named[name][: missing[name]])
    counts = Counter(things[at].name for at in lost if not _is_inside(things, at, lost))
    return Losses({name: counts[name] for name in _ORDER if counts[name]})


def restore_lost_blocks(old: str, new: str) -> str:
    """The new body with every block of the old one inserted again that holds something the new body lacks.

    Nothing of the new body is removed, and nothing is lost any more. A block comes behind the one it followed, as far
    as that still stands. A new body that lacks nothing is returned as it is.
    """
    if not count_elements(old) - count_elements(new):
        return new
    old_blocks, new_blocks = split_blocks(old), split_blocks(new)
    partners = _match_blocks(old_blocks, new_blocks)
    inserted: dict[int, list[str]] = {}
    after = -1
    lacking = _blocks_to_restore(old_blocks, new_blocks, partners)
    for at, block in enumerate(old_blocks):
        if at in lacking:
            inserted.setdefault(after, []).append(block.strip(WHITESPACE))
        after = partners.get(at, after)
    pieces = inserted.get(-1, [])
    start = 0
    for after in sorted(inserted.keys() - {-1}):
        pieces += ["".join(new_blocks[start : after + 1]), *inserted[after]]
        start = after + 1
    return join_pieces([*pieces, "".join(new_blocks[start:])])


def _match_blocks(old: Sequence[str], new: Sequence[str]) -> dict[int, int]:
    """The position in the new version of each old block that still stands, edited or moved."""
    pairs = align_blocks(old, new)
    partners = {i: j for i, j in pairs if i is not None and j is not None}
    moved: dict[str, list[int]] = {}
    for i, j in reversed(pairs):
        if i is None and j is not None:
            moved.setdefault(new[j].strip(WHITESPACE), []).append(j)
    for i, j in pairs:
        if i is not None and j is None and moved.get(old[i].strip(WHITESPACE)):
            partners[i] = moved[old[i].strip(WHITESPACE)].pop()
    return partners


def _blocks_to_restore(
    old: Sequence[str], new: Sequence[str], partners: dict[int, int]
) -> set[int]:
    """The old blocks that hold more than their partner among the new ones and what is left over elsewhere."""
    spare = Counter[str]()
    for at in set(range(len(new))).difference(partners.values()):
        spare.update(count_elements(new[at]))
    wanting: dict[int, tuple[Counter[str], Counter[str]]] = {}
    for at, block in enumerate(old):
        needed = count_elements(block)
        there = count_elements(new[partners[at]]) if at in partners else Counter[str]()
        spare.update(there - needed)
        if needed - there:
            wanting[at] = needed - there, needed & there
    lacking = set()
    for at, (needed, there) in wanting.items():
        if all(spare[name] >= count for name, count in needed.items()):
            spare.subtract(needed)
        else:
            spare.update(there)
            lacking.add(at)
    return lacking


def _parse_elements(html: str) -> tuple[list[_Element], list[str]]:
    """The things in a body, and its words, of which each tag is one."""
    things: list[_Element] = []
    words: list[str] = []
    open_tags: list[
        tuple[str, int, int]
    ] = []  # name, its thing or -1, the innermost thing from there
    for token in exact_tokens(html):
        if isinstance(token, str):
            words += token.split()
            continue
        words.append(token.raw)
        if token.is_end:
            _close_element(token.name, open_tags, things, len(words))
            continue
        inside = open_tags[-1][2] if open_tags else -1
        thing = -1
        for name, is_element in _element_names(token):
            things.append(
                _Element(
                    name, inside if is_element or thing < 0 else thing, len(words) - 1, len(words)
                )
            )
            if is_element:
                thing = len(things) - 1
        if token.name not in VOID:
            open_tags.append((token.name, thing, inside if thing < 0 else thing))
    return things, words


def _element_names(tag: Tag) -> Iterator[tuple[str, bool]]:
    """The names of what a start tag counts as, and whether that is the element; its attributes come last."""
    attributes = parse_attributes(tag) if tag.attributes else {}
    counted = [name for name in attributes if name in _ATTRIBUTES]
    counted = [name for name in counted if attributes[name] or name not in _IGNORED_WHEN_EMPTY]
    if tag.name in ELEMENTS and (tag.name != "span" or attributes):
        yield ELEMENTS[tag.name], True
    if tag.name == "a" and "href" in attributes:
        yield "link", True
    if "id" in attributes:
        yield "anchor", False
    for name in counted:
        yield f"{name} attribute", False


def _close_element(
    name: str, open_tags: list[tuple[str, int, int]], elements: list[_Element], end: int
) -> None:
    """Close the innermost open element of that name, with all in it; it looks no further than a stored body is deep."""
    for depth in range(len(open_tags) - 1, max(len(open_tags) - MAX_DEPTH, 0) - 1, -1):
        if open_tags[depth][0] == name:
            for _, thing, _ in open_tags[depth:]:
                if thing >= 0:
                    elements[thing].end = end
            del open_tags[depth:]
            return


def _is_inside(elements: list[_Element], at: int, lost: set[int]) -> bool:
    """Whether a thing stands in one of the lost."""
    for _ in range(MAX_DEPTH):
        at = elements[at].parent
        if at < 0 or at in lost:
            return at >= 0
    return False


def _survival_measure(words: list[str], new: set[str]) -> Callable[[_Element], tuple[bool, float]]:
    """A measure of how much of a thing is still there: whether its tag is, and which share of its words."""
    hits = [0, *accumulate(word in new for word in words)]
    return lambda thing: (
        words[thing.start] in new,
        (hits[thing.end] - hits[thing.start]) / (thing.end - thing.start),
    )
