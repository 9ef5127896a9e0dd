"""The top-level blocks of a body, and the alignment of the blocks of two versions."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from spectator.text.html.tokenizer import BLOCKS, VOID, Tag

WHITESPACE = " \t\n\f\r"
# The limit on the cost of a comparison, in pairs of equal items.
MAX_PAIRS = 200_000

_STANDALONE = BLOCKS | {"iframe", "video", "audio", "img"}
_TAG = re.compile(r"""<(/?)([a-zA-Z][^\s/>]*+)((?:[^>"']++|"[^"]*+"|'[^']*+')*+)>""")
_NO_TAG = re.compile("(?:<(?!/?[a-zA-Z!?])[^<]*+)++")
_CONTENT = re.compile(r"<[^>]*>?|\w+")


def exact_tokens(html: str) -> Iterator[str | Tag]:
    """Yield the tags of any HTML and the source between them, in linear time.

    Joined, they are the same HTML. Comments, and everything from an unclosed tag or comment on, are
    text.
    """
    at = 0
    while (start := html.find("<", at)) >= 0:
        if start > at:
            yield html[at:start]
        if html.startswith(("<!", "<?"), start):
            mark, skip = ("-->", 2) if html.startswith("<!--", start) else (">", 0)
            end = html.find(mark, start + skip)
            at = end + len(mark) if end >= 0 else len(html)
            yield html[start:at]
        elif tag := _TAG.match(html, start):
            at = tag.end()
            yield Tag(tag[2].lower(), bool(tag[1]), tag[3], tag[0])
        else:
            at = no_tag.end() if (no_tag := _NO_TAG.match(html, start)) else len(html)
            yield html[start:at]
    if at < len(html):
        yield html[at:]


def split_blocks(body: str) -> list[str]:
    """Split a body into its top-level blocks. Joined, they are the same body.

    A block is an element, or a run of text and inline elements, with the white space after it.
    Leading white space belongs to the first block. A body with misnested tags is one block; an
    empty body has none.
    """
    starts: list[int] = []
    open_tags: list[str] = []
    at, in_run = 0, False
    for token in exact_tokens(body):
        raw = token if isinstance(token, str) else token.raw
        if not open_tags and isinstance(token, Tag) and token.name in _STANDALONE:
            starts.append(at)
            in_run = False
        elif not open_tags and not in_run and (content := raw.lstrip(WHITESPACE)):
            starts.append(at + len(raw) - len(content))
            in_run = True
        if isinstance(token, Tag) and token.is_end:
            if not open_tags or open_tags.pop() != token.name:
                return [body]
        elif isinstance(token, Tag) and token.name not in VOID:
            open_tags.append(token.name)
        at += len(raw)
    if open_tags or len(starts) < 2:
        return [body] if body else []
    starts[0] = 0
    return [body[start:end] for start, end in zip(starts, [*starts[1:], len(body)], strict=True)]


def join_pieces(pieces: Iterable[str]) -> str:
    """Join pieces of bodies, with a line break between two without white space."""
    out: list[str] = []
    for piece in filter(None, pieces):
        if out and out[-1][-1] not in WHITESPACE:
            out.append("\n")
        out.append(piece)
    return "".join(out)


def common_subsequence(
    old: Sequence[str], new: Sequence[str], max_pairs: int = MAX_PAIRS
) -> list[tuple[int, int]]:
    """Return a common subsequence as ascending (old, new) positions.

    It is the longest one if at most `max_pairs` pairs of items are equal. Otherwise the most
    frequent items match only next to other matches, so that the cost stays proportional to the
    lists.
    """
    head = _count_equal(old, new, (0, 0), 1, min(len(old), len(new)))
    tail = _count_equal(
        old, new, (len(old) - 1, len(new) - 1), -1, min(len(old), len(new)) - head
    )
    end = (len(old) - tail, len(new) - tail)
    pairs = [(index, index) for index in range(head)]
    at = (head, head)
    for anchor in [*_longest_common_subsequence(old, new, head, end, max_pairs), end]:
        gap = min(anchor[0] - at[0], anchor[1] - at[1])
        ahead = _count_equal(old, new, at, 1, gap)
        behind = _count_equal(old, new, (anchor[0] - 1, anchor[1] - 1), -1, gap - ahead)
        pairs += [(at[0] + by, at[1] + by) for by in range(ahead)]
        pairs += [(anchor[0] - by, anchor[1] - by) for by in range(behind, -1, -1)]
        at = (anchor[0] + 1, anchor[1] + 1)
    pairs.pop()
    return pairs + [(end[0] + by, end[1] + by) for by in range(tail)]


def _count_equal(
    old: Sequence[str], new: Sequence[str], at: tuple[int, int], step: int, limit: int
) -> int:
    """Return how many consecutive items are equal, starting from a pair of positions."""
    for count in range(limit):
        if old[at[0] + step * count] != new[at[1] + step * count]:
            return count
    return max(limit, 0)


def _longest_common_subsequence(
    old: Sequence[str], new: Sequence[str], start: int, end: tuple[int, int], max_pairs: int
) -> list[tuple[int, int]]:
    """Return the longest common subsequence between start and end (Hunt and Szymanski, 1977)."""
    positions = _positions_by_item(old[start : end[0]], new, start, end[1], max_pairs)
    # By length - 1, the subsequence whose last position in `new` is smallest, as a linked list: its
    # last pair and the list of the pairs before it.
    lasts: list[int] = []
    rows: list[tuple[int, int, Any]] = []
    for i in range(start, end[0]):
        for j in reversed(positions.get(old[i], ())):
            length = bisect_left(lasts, j)
            row = (i, j, rows[length - 1] if length else None)
            lasts[length : length + 1] = [j]
            rows[length : length + 1] = [row]
    pairs = []
    last = rows[-1] if rows else None
    while last:
        i, j, last = last
        pairs.append((i, j))
    return pairs[::-1]


def _positions_by_item(
    old: Sequence[str], new: Sequence[str], start: int, end: int, max_pairs: int
) -> dict[str, list[int]]:
    """Return the positions in `new` of the items of `old`, except the most frequent."""
    counts = Counter(old)
    positions: dict[str, list[int]] = {}
    for j in range(start, end):
        if new[j] in counts:
            positions.setdefault(new[j], []).append(j)
    pairs = {item: counts[item] * len(matches) for item, matches in positions.items()}
    if sum(pairs.values()) <= max_pairs:
        return positions
    affordable: dict[str, list[int]] = {}
    for item in sorted(pairs, key=pairs.__getitem__):
        max_pairs -= pairs[item]
        if max_pairs < 0:
            break
        affordable[item] = positions[item]
    return affordable


def align_blocks(
    old: Sequence[str], new: Sequence[str], max_pairs: int = MAX_PAIRS
) -> list[tuple[int | None, int | None]]:
    """Return which block of the old version became which of the new one.

    The result has all positions of both versions in order, as (old, new) pairs.

    White space around blocks is ignored. Changed blocks are a pair if they share half of the
    shorter one's words and a fifth of the longer one's. A block without a partner is paired with
    None, removed blocks before added ones.
    """
    old_keys = [block.strip(WHITESPACE) for block in old]
    new_keys = [block.strip(WHITESPACE) for block in new]
    pairs_per_char = max_pairs / max(sum(map(len, old_keys)) + sum(map(len, new_keys)), 1)
    pairs: list[tuple[int | None, int | None]] = []
    i = j = 0
    for a, b in [*common_subsequence(old_keys, new_keys, max_pairs), (len(old), len(new))]:
        similar = _similar_pairs(old_keys, new_keys, range(i, a), range(j, b), pairs_per_char)
        for c, d in [*similar, (a, b)]:
            pairs += [(index, None) for index in range(i, c)]
            pairs += [(None, index) for index in range(j, d)]
            i, j = c + 1, d + 1
            pairs.append((c, d))
    pairs.pop()
    return pairs


def _similar_pairs(
    old: Sequence[str],
    new: Sequence[str],
    old_range: range,
    new_range: range,
    pairs_per_char: float,
) -> list[tuple[int, int]]:
    """Return the pairs, in order, of blocks in two ranges that share enough words.

    `pairs_per_char` limits the cost, in pairs of equal words per character.
    """
    if not old_range or not new_range:
        return []
    old_words = [(word, index) for index in old_range for word in _content_words(old[index])]
    new_words = [(word, index) for index in new_range for word in _content_words(new[index])]
    size = sum(len(old[index]) for index in old_range) + sum(
        len(new[index]) for index in new_range
    )
    both = common_subsequence(
        [word for word, _ in old_words],
        [word for word, _ in new_words],
        int(pairs_per_char * size),
    )
    old_sizes = Counter(index for _, index in old_words)
    new_sizes = Counter(index for _, index in new_words)
    pairs = [(-1, -1, 0)]  # positions, and number of common words
    for (a, b), words in Counter((old_words[i][1], new_words[j][1]) for i, j in both).items():
        smaller, larger = sorted((old_sizes[a], new_sizes[b]))
        if 2 * words < smaller or 5 * words < larger:
            continue
        last_a, last_b, last_words = pairs[-1]
        if a > last_a and b > last_b:
            pairs.append((a, b, words))
        elif words > last_words:
            pairs[-1] = (a, b, words)
    return [(a, b) for a, b, _ in pairs[1:]]


def _content_words(block: str) -> list[str]:
    """Return the words of a block, and its tags with attributes."""
    return [word for word in _CONTENT.findall(block) if word[0] != "<" or " " in word]
