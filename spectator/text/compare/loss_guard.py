"""Elements that a new version of a body would lose, and their restoration."""

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
from spectator.text.html.sanitizer import ATTRIBUTES
from spectator.text.html.tokenizer import VOID, Tag, parse_attributes
from spectator.text.html.well_formed import MAX_DEPTH

# Names of elements for people, containers first, without everyday ones (p, br, h2, li, strong ...).
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
    for name in (
        "div span ruby rt ins del mark abbr cite q small sub sup kbd samp var dfn time bdi bdo wbr"
        " col"
    ).split()
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
    """The elements that would be lost: counts by singular name, in a fixed order."""

    counts: dict[str, int]

    def __bool__(self) -> bool:
        return bool(self.counts)

    @property
    def description(self) -> str:
        """The losses in English, such as "1 table, 2 links"."""
        return ", ".join(
            f"{count} {name}{'s' if count > 1 else ''}" for name, count in self.counts.items()
        )


@dataclass(slots=True)
class _Element:
    """A counted element or attribute: its name, its parent's index (or -1), its range of words."""

    name: str
    parent: int
    start: int
    end: int


def count_elements(html: str) -> Counter[str]:
    """Return the number of elements in any HTML, by singular name, in linear time.

    It counts links, attributes and elements other than everyday formatting: "table", "link", "lang
    attribute". An id is an "anchor".
    """
    return Counter(element.name for element in _parse_elements(html)[0])


def find_losses(old: str, new: str) -> Losses:
    """Return the elements of which the new body has fewer than the old one.

    Only the outermost are counted: a lost table, not its rows and links. Moved elements are not
    lost, nor are those with another URL or value.
    """
    elements, words = _parse_elements(old)
    new_elements, new_words = _parse_elements(new)
    missing = Counter(element.name for element in elements)
    missing -= Counter(element.name for element in new_elements)
    if not missing:
        return Losses({})
    candidates: dict[str, list[int]] = {}
    for index, element in enumerate(elements):
        if element.name in missing:
            candidates.setdefault(element.name, []).append(index)
    survival = _survival_measure(words, set(new_words))
    lost: set[int] = set()
    for name in filter(missing.__getitem__, _ORDER):
        # The most likely losses first: elements inside a lost one, those whose tag is not in the
        # new body, and those with the smallest share of their words in it.
        candidates[name].sort(
            key=lambda index: (not _is_inside(elements, index, lost), *survival(elements[index]))
        )
        lost.update(candidates[name][: missing[name]])
    outermost = [index for index in lost if not _is_inside(elements, index, lost)]
    counts = Counter(elements[index].name for index in outermost)
    return Losses({name: counts[name] for name in _ORDER if counts[name]})


def restore_lost_blocks(old: str, new: str) -> str:
    """Return the new body with every old block restored that has an element the new body lacks.

    Nothing of the new body is removed. A block is inserted after the one that it followed, if that
    still exists. A body without losses is returned unchanged.
    """
    if not count_elements(old) - count_elements(new):
        return new
    old_blocks, new_blocks = split_blocks(old), split_blocks(new)
    partners = _match_blocks(old_blocks, new_blocks)
    inserted: dict[int, list[str]] = {}
    after = -1
    restored = _blocks_to_restore(old_blocks, new_blocks, partners)
    for index, block in enumerate(old_blocks):
        if index in restored:
            inserted.setdefault(after, []).append(block.strip(WHITESPACE))
        after = partners.get(index, after)
    pieces = inserted.get(-1, [])
    start = 0
    for after in sorted(inserted.keys() - {-1}):
        pieces += ["".join(new_blocks[start : after + 1]), *inserted[after]]
        start = after + 1
    return join_pieces([*pieces, "".join(new_blocks[start:])])


def _match_blocks(old: Sequence[str], new: Sequence[str]) -> dict[int, int]:
    """Return the new position of each old block that still exists, by old position."""
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
    """Return the old blocks with elements that are neither in their new version nor elsewhere."""
    # Elements of the new body that no old block has: moved elements are among them.
    spare = Counter[str]()
    for index in set(range(len(new))).difference(partners.values()):
        spare.update(count_elements(new[index]))
    reduced: dict[int, tuple[Counter[str], Counter[str]]] = {}
    for index, block in enumerate(old):
        before = count_elements(block)
        after = count_elements(new[partners[index]]) if index in partners else Counter[str]()
        spare.update(after - before)
        if before - after:
            reduced[index] = before - after, before & after
    restored = set()
    for index, (missing, remaining) in reduced.items():
        if all(spare[name] >= count for name, count in missing.items()):
            spare.subtract(missing)
        else:
            spare.update(remaining)
            restored.add(index)
    return restored


def _parse_elements(html: str) -> tuple[list[_Element], list[str]]:
    """Return the elements of a body and its words. Each tag is one word."""
    elements: list[_Element] = []
    words: list[str] = []
    # Each tag's name, its element or -1, and the innermost element inside it.
    open_tags: list[tuple[str, int, int]] = []
    for token in exact_tokens(html):
        if isinstance(token, str):
            words += token.split()
            continue
        words.append(token.raw)
        if token.is_end:
            _close_element(token.name, open_tags, elements, len(words))
            continue
        outer = open_tags[-1][2] if open_tags else -1
        element = -1
        for name, is_element in _element_names(token):
            parent = outer if is_element or element < 0 else element
            elements.append(_Element(name, parent, len(words) - 1, len(words)))
            if is_element:
                element = len(elements) - 1
        if token.name not in VOID:
            open_tags.append((token.name, element, outer if element < 0 else element))
    return elements, words


def _element_names(tag: Tag) -> Iterator[tuple[str, bool]]:
    """Yield (name, is_element) for what a start tag counts as; attributes last."""
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
    """Close the innermost open element of a name, and all inside it."""
    for depth in range(len(open_tags) - 1, max(len(open_tags) - MAX_DEPTH, 0) - 1, -1):
        if open_tags[depth][0] == name:
            for _, element, _ in open_tags[depth:]:
                if element >= 0:
                    elements[element].end = end
            del open_tags[depth:]
            return


def _is_inside(elements: list[_Element], index: int, lost: set[int]) -> bool:
    """Return whether an element is inside a lost one."""
    for _ in range(MAX_DEPTH):
        index = elements[index].parent
        if index < 0 or index in lost:
            return index >= 0
    return False


def _survival_measure(
    words: list[str], new: set[str]
) -> Callable[[_Element], tuple[bool, float]]:
    """Return a function of an element: whether its tag is in `new`, and what share of its words."""
    hits = [0, *accumulate(word in new for word in words)]
    return lambda element: (
        words[element.start] in new,
        (hits[element.end] - hits[element.start]) / (element.end - element.start),
    )
