"""Two versions that began as the same one, made into one again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from spectator.text.blocks import MOST_PAIRS, SPACE, aligned, joined, split_blocks
from spectator.text.html import plain_text


@dataclass(frozen=True, slots=True)
class Merged:
    """A merged body, and at how many places both sides had written something else."""

    body: str
    clashes: int


@dataclass(frozen=True, slots=True)
class _Side:
    """One version as seen from its base: what each block became, and what was written before each and at the end."""

    became: list[str | None]
    inserted: list[list[str]]


def merge_bodies(base: str, mine: str, theirs: str) -> Merged:
    """The body with the changes of both sides, block by block.

    Where both changed one block differently, or wrote different blocks at one place, both stay, theirs first, and
    that counts as a clash; so does a block that one side removed and the other changed: it stays as changed. Nothing
    that either side wrote is lost.
    """
    if mine == theirs or theirs == base:
        return Merged(mine, 0)
    if mine == base:
        return Merged(theirs, 0)
    begun, ours, other = split_blocks(base), split_blocks(mine), split_blocks(theirs)
    left = _written_by_both(begun, ours, other)
    pieces: list[str] = []
    clashes = 0
    for found, is_clash in _places(begun, _side(begun, ours), _side(begun, other)):
        kept = list(_within(left, found))
        pieces += kept
        clashes += is_clash and (len(kept) > 1 or kept == found)
    body = joined(pieces)
    end = theirs if _space_after(mine) == _space_after(base) else mine
    return Merged(body.rstrip(SPACE) + _space_after(end), clashes)


def _written_by_both(base: Sequence[str], mine: Sequence[str], theirs: Sequence[str]) -> dict[str | None, int]:
    """How often each block with words that both wrote and base lacks may stand: no more often than on either side."""
    sides = Counter(map(_key, mine)), Counter(map(_key, theirs))
    both = (sides[0].keys() & sides[1].keys()) - set(map(_key, base))
    return {each: max(side[each] for side in sides) for each in both if plain_text(each or "")}


def _within(left: dict[str | None, int], found: list[str]) -> Iterator[str]:
    """The blocks that may still stand, each of which leaves one less."""
    for block in found:
        key = _key(block)
        if key not in left:
            yield block
        elif left[key]:
            left[key] -= 1
            yield block


def _side(base: Sequence[str], blocks: Sequence[str]) -> _Side:
    side = _Side([None] * len(base), [[] for _ in range(len(base) + 1)])
    at = 0
    for i, j in aligned(base, blocks):
        if i is None and j is not None:
            side.inserted[at].append(blocks[j])
        elif i is not None:
            side.became[i] = None if j is None else blocks[j]
            at = i + 1
    return side


def _places(base: Sequence[str], mine: _Side, theirs: _Side) -> Iterator[tuple[list[str], bool]]:
    """What stands at each place of the merged body, and whether the two sides clash there."""
    size = sum(len(block) for side in (mine, theirs) for blocks in side.inserted for block in blocks)
    spend = MOST_PAIRS / max(size, 1)
    for at, block in enumerate(base):
        yield _both_written(mine.inserted[at], theirs.inserted[at], spend)
        yield _both_changed(block, mine.became[at], theirs.became[at])
    yield _both_written(mine.inserted[-1], theirs.inserted[-1], spend)


def _both_written(mine: list[str], theirs: list[str], spend: float) -> tuple[list[str], bool]:
    """The blocks that both wrote at one place, what is the same once; a clash if each has some of its own."""
    if not mine or not theirs:
        return theirs + mine, False
    found = []
    own_mine = own_theirs = 0
    for i, j in aligned(theirs, mine, int(spend * sum(map(len, theirs + mine)))):
        is_same = i is not None and j is not None and _key(theirs[i]) == _key(mine[j])
        if i is not None:
            found.append(theirs[i])
            own_theirs += not is_same
        if j is not None and not is_same:
            found.append(mine[j])
            own_mine += 1
    return found, bool(own_mine and own_theirs)


def _both_changed(base: str, mine: str | None, theirs: str | None) -> tuple[list[str], bool]:
    """What became of one block; None is one that was removed."""
    if _key(mine) == _key(theirs):
        # The white space of whoever changed it.
        chosen = theirs if mine == base else mine
        return ([] if chosen is None else [chosen]), False
    if _key(mine) == _key(base):
        return ([] if theirs is None else [theirs]), False
    if _key(theirs) == _key(base):
        return ([] if mine is None else [mine]), False
    return [block for block in (theirs, mine) if block is not None], True


def _key(block: str | None) -> str | None:
    """A block for comparing: without the white space around it."""
    return None if block is None else block.strip(SPACE)


def _space_after(body: str) -> str:
    return body[len(body.rstrip(SPACE)) :]


def merge_names(base: tuple[str, ...], mine: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[str, ...]:
    """Names in order with the changes of both sides: theirs, with what I added, without what I removed."""
    if mine == theirs or theirs == base:
        return mine
    if mine == base:
        return theirs
    added = [name for name in mine if name not in base and name not in theirs]
    removed = {name for name in base if name not in mine}
    return (*(name for name in theirs if name not in removed), *added)


def merge_line(base: str, mine: str, theirs: str) -> str | None:
    """The line of the side that changed it, or of both if they agree; None where a person must choose."""
    if mine == theirs or theirs == base:
        return mine
    return theirs if mine == base else None
