"""Two versions that began as the same one, made into one again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from spectator.text.html.blocks import (
    MAX_PAIRS,
    WHITESPACE,
    align_blocks,
    join_pieces,
    split_blocks,
)
from spectator.text.html.sanitizer import plain_text


@dataclass(frozen=True, slots=True)
class MergedBody:
    """A merged body, and at how many places both sides had written something else."""

    body: str
    conflicts: int


@dataclass(frozen=True, slots=True)
class _Side:
    """One version as seen from its base: what each block became, and what was written before each and at the end."""

    block_versions: list[str | None]
    inserted: list[list[str]]


def merge_bodies(base: str, ours: str, theirs: str) -> MergedBody:
    """The body with the changes of both sides, block by block.

    Where both changed one block differently, or wrote different blocks at one place, both stay, theirs first, and
    that counts as a clash; so does a block that one side removed and the other changed: it stays as changed. Nothing
    that either side wrote is lost.
    """
    if ours == theirs or theirs == base:
        return MergedBody(ours, 0)
    if ours == base:
        return MergedBody(theirs, 0)
    begun, our_blocks, their_blocks = split_blocks(base), split_blocks(ours), split_blocks(theirs)
    left = _added_by_both(begun, our_blocks, their_blocks)
    pieces: list[str] = []
    clashes = 0
    for found, is_clash in _merge_in_order(
        begun, _compare_to_base(begun, our_blocks), _compare_to_base(begun, their_blocks)
    ):
        kept = list(_take_allowed(left, found))
        pieces += kept
        clashes += is_clash and (len(kept) > 1 or kept == found)
    body = join_pieces(pieces)
    end = theirs if _trailing_space(ours) == _trailing_space(base) else ours
    return MergedBody(body.rstrip(WHITESPACE) + _trailing_space(end), clashes)


def _added_by_both(
    base: Sequence[str], ours: Sequence[str], theirs: Sequence[str]
) -> dict[str | None, int]:
    """How often each block with words that both wrote and base lacks may stand: no more often than on either side."""
    sides = Counter(map(_comparison_key, ours)), Counter(map(_comparison_key, theirs))
    both = (sides[0].keys() & sides[1].keys()) - set(map(_comparison_key, base))
    return {each: max(side[each] for side in sides) for each in both if plain_text(each or "")}


def _take_allowed(remaining: dict[str | None, int], blocks: list[str]) -> Iterator[str]:
    """The blocks that may still stand, each of which leaves one less."""
    for block in blocks:
        key = _comparison_key(block)
        if key not in remaining:
            yield block
        elif remaining[key]:
            remaining[key] -= 1
            yield block


def _compare_to_base(base: Sequence[str], blocks: Sequence[str]) -> _Side:
    side = _Side([None] * len(base), [[] for _ in range(len(base) + 1)])
    at = 0
    for i, j in align_blocks(base, blocks):
        if i is None and j is not None:
            side.inserted[at].append(blocks[j])
        elif i is not None:
            side.block_versions[i] = None if j is None else blocks[j]
            at = i + 1
    return side


def _merge_in_order(
    base: Sequence[str], ours: _Side, theirs: _Side
) -> Iterator[tuple[list[str], bool]]:
    """What stands at each place of the merged body, and whether the two sides clash there."""
    size = sum(
        len(block) for side in (ours, theirs) for blocks in side.inserted for block in blocks
    )
    spend = MAX_PAIRS / max(size, 1)
    for at, block in enumerate(base):
        yield _merge_insertions(ours.inserted[at], theirs.inserted[at], spend)
        yield _merge_block(block, ours.block_versions[at], theirs.block_versions[at])
    yield _merge_insertions(ours.inserted[-1], theirs.inserted[-1], spend)


def _merge_insertions(ours: list[str], theirs: list[str], spend: float) -> tuple[list[str], bool]:
    """The blocks that both wrote at one place, what is the same once; a clash if each has some of its own."""
    if not ours or not theirs:
        return theirs + ours, False
    found = []
    own_mine = own_theirs = 0
    for i, j in align_blocks(theirs, ours, int(spend * sum(map(len, theirs + ours)))):
        is_same = (
            i is not None
            and j is not None
            and _comparison_key(theirs[i]) == _comparison_key(ours[j])
        )
        if i is not None:
            found.append(theirs[i])
            own_theirs += not is_same
        if j is not None and not is_same:
            found.append(ours[j])
            own_mine += 1
    return found, bool(own_mine and own_theirs)


def _merge_block(base: str, ours: str | None, theirs: str | None) -> tuple[list[str], bool]:
    """What became of one block; None is one that was removed."""
    if _comparison_key(ours) == _comparison_key(theirs):
        # The white space of whoever changed it.
        chosen = theirs if ours == base else ours
        return ([] if chosen is None else [chosen]), False
    if _comparison_key(ours) == _comparison_key(base):
        return ([] if theirs is None else [theirs]), False
    if _comparison_key(theirs) == _comparison_key(base):
        return ([] if ours is None else [ours]), False
    return [block for block in (theirs, ours) if block is not None], True


def _comparison_key(block: str | None) -> str | None:
    """A block for comparing: without the white space around it."""
    return None if block is None else block.strip(WHITESPACE)


def _trailing_space(body: str) -> str:
    return body[len(body.rstrip(WHITESPACE)) :]


def merge_names(
    base: tuple[str, ...], ours: tuple[str, ...], theirs: tuple[str, ...]
) -> tuple[str, ...]:
    """Names in order with the changes of both sides: theirs, with what I added, without what I removed."""
    if ours == theirs or theirs == base:
        return ours
    if ours == base:
        return theirs
    added = [name for name in ours if name not in base and name not in theirs]
    removed = {name for name in base if name not in ours}
    return (*(name for name in theirs if name not in removed), *added)


def merge_line(base: str, ours: str, theirs: str) -> str | None:
    """The line of the side that changed it, or of both if they agree; None where a person must choose."""
    if ours == theirs or theirs == base:
        return ours
    return theirs if ours == base else None
