"""Three-way merge of two versions with a common base."""

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
    """A merged body, and the number of conflicts in it."""

    body: str
    conflicts: int


@dataclass(frozen=True, slots=True)
class _Side:
    """A version relative to its base: what each block became, and insertions before each."""

    block_versions: list[str | None]
    inserted: list[list[str]]


def merge_bodies(base: str, ours: str, theirs: str) -> MergedBody:
    """Merge the changes of both sides, block by block.

    If both changed a block differently, or inserted different blocks in one position, both stay,
    theirs first, as a conflict. A block that one side removed and the other changed stays changed,
    as a conflict. Nothing that either side wrote is lost.
    """
    if ours == theirs or theirs == base:
        return MergedBody(ours, conflicts=0)
    if ours == base:
        return MergedBody(theirs, conflicts=0)
    base_blocks, our_blocks = split_blocks(base), split_blocks(ours)
    their_blocks = split_blocks(theirs)
    our_side = _compare_to_base(base_blocks, our_blocks)
    their_side = _compare_to_base(base_blocks, their_blocks)
    remaining = _added_by_both(base_blocks, our_blocks, their_blocks)
    pieces: list[str] = []
    conflicts = 0
    for blocks, is_conflict in _merge_in_order(base_blocks, our_side, their_side):
        allowed = list(_take_allowed(remaining, blocks))
        pieces += allowed
        # There is no conflict if one of two versions is already elsewhere in the merged body.
        conflicts += 1 if is_conflict and (len(allowed) > 1 or allowed == blocks) else 0
    body = join_pieces(pieces)
    end = theirs if _trailing_space(ours) == _trailing_space(base) else ours
    return MergedBody(body.rstrip(WHITESPACE) + _trailing_space(end), conflicts)


def _added_by_both(
    base: Sequence[str], ours: Sequence[str], theirs: Sequence[str]
) -> dict[str | None, int]:
    """Return, by new block that both sides have, how often it may occur in the merged body.

    That is as often as in the side that has it more often.
    """
    our_counts, their_counts = (Counter(map(_comparison_key, side)) for side in (ours, theirs))
    both = (our_counts.keys() & their_counts.keys()) - set(map(_comparison_key, base))
    return {key: max(our_counts[key], their_counts[key]) for key in both if plain_text(key or "")}


def _take_allowed(remaining: dict[str | None, int], blocks: list[str]) -> Iterator[str]:
    """Yield the blocks that may still occur, and count them off `remaining`."""
    for block in blocks:
        key = _comparison_key(block)
        if key not in remaining:
            yield block
        elif remaining[key]:
            remaining[key] -= 1
            yield block


def _compare_to_base(base: Sequence[str], blocks: Sequence[str]) -> _Side:
    side = _Side([None] * len(base), [[] for _ in range(len(base) + 1)])
    position = 0
    for i, j in align_blocks(base, blocks):
        if i is None and j is not None:
            side.inserted[position].append(blocks[j])
        elif i is not None:
            side.block_versions[i] = None if j is None else blocks[j]
            position = i + 1
    return side


def _merge_in_order(
    base: Sequence[str], ours: _Side, theirs: _Side
) -> Iterator[tuple[list[str], bool]]:
    """Yield the blocks of each position in the merged body, and whether they are a conflict."""
    size = sum(
        len(block) for side in (ours, theirs) for blocks in side.inserted for block in blocks
    )
    pairs_per_char = MAX_PAIRS / max(size, 1)
    for index, block in enumerate(base):
        yield _merge_insertions(ours.inserted[index], theirs.inserted[index], pairs_per_char)
        yield _merge_block(block, ours.block_versions[index], theirs.block_versions[index])
    yield _merge_insertions(ours.inserted[-1], theirs.inserted[-1], pairs_per_char)


def _merge_insertions(
    ours: list[str], theirs: list[str], pairs_per_char: float
) -> tuple[list[str], bool]:
    """Merge the blocks that both sides inserted in one position, equal ones once.

    It is a conflict if each side has blocks that the other lacks.
    """
    if not ours or not theirs:
        return theirs + ours, False
    merged = []
    only_ours = only_theirs = 0
    max_pairs = int(pairs_per_char * sum(map(len, theirs + ours)))
    for i, j in align_blocks(theirs, ours, max_pairs):
        is_same = (
            i is not None
            and j is not None
            and _comparison_key(theirs[i]) == _comparison_key(ours[j])
        )
        if i is not None:
            merged.append(theirs[i])
            only_theirs += 0 if is_same else 1
        if j is not None and not is_same:
            merged.append(ours[j])
            only_ours += 1
    return merged, bool(only_ours and only_theirs)


def _merge_block(base: str, ours: str | None, theirs: str | None) -> tuple[list[str], bool]:
    """Merge one block and return whether it is a conflict. None is a removed block."""
    if _comparison_key(ours) == _comparison_key(theirs):
        # They may differ in white space: take the side that changed it.
        block = theirs if ours == base else ours
        return ([] if block is None else [block]), False
    if _comparison_key(ours) == _comparison_key(base):
        return ([] if theirs is None else [theirs]), False
    if _comparison_key(theirs) == _comparison_key(base):
        return ([] if ours is None else [ours]), False
    return [block for block in (theirs, ours) if block is not None], True


def _comparison_key(block: str | None) -> str | None:
    """Return a block without the white space around it."""
    return None if block is None else block.strip(WHITESPACE)


def _trailing_space(body: str) -> str:
    return body[len(body.rstrip(WHITESPACE)) :]


def merge_names(
    base: tuple[str, ...], ours: tuple[str, ...], theirs: tuple[str, ...]
) -> tuple[str, ...]:
    """Merge lists of names: theirs, with the names we added and without those we removed."""
    if ours == theirs or theirs == base:
        return ours
    if ours == base:
        return theirs
    added = [name for name in ours if name not in base and name not in theirs]
    removed = {name for name in base if name not in ours}
    return (*(name for name in theirs if name not in removed), *added)


def merge_line(base: str, ours: str, theirs: str) -> str | None:
    """Return the line of the side that changed it; None if both did, differently."""
    if ours == theirs or theirs == base:
        return ours
    return theirs if ours == base else None
