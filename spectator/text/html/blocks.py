"""A body as its top-level blocks, byte for byte, and which block of one version became which of another."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from spectator.text.html.markup import BLOCKS, VOID, Tag

WHITESPACE = " \t\n\f\r"
# What a comparison may cost: items of one list held against equal items of the other.
MAX_PAIRS = 200_000

_STANDALONE = BLOCKS | {"iframe", "video", "audio", "img"}
_TAG = re.compile(r"""<(/?)([a-zA-Z][^\s/>]*+)((?:[^>"']++|"[^"]*+"|'[^']*+')*+)>""")
_NO_TAG = re.compile("(?:<(?!/?[a-zA-Z!?])[^<]*+)++")
_CONTENT = re.compile(r"<[^>]*>?|\w+")


def exact_tokens(html: str) -> Iterator[str | Tag]:
    """The tags of any HTML and the bytes between them, in order and as written; linear.

    Joined they are the HTML again. A comment comes as text; so does all from a tag or a comment that never ends.
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
    """The body cut into its top-level blocks; joined they are the body again, byte for byte.

    A block is one element, or a run of text and inline elements, with the white space that follows it; white space at
    the front goes to the first block. A body whose tags are not closed in order is one block, an empty one is none.
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
    """Pieces of bodies as one body, with a line break between two that would touch."""
    out: list[str] = []
    for piece in filter(None, pieces):
        if out and out[-1][-1] not in WHITESPACE:
            out.append("\n")
        out.append(piece)
    return "".join(out)


def common_subsequence(
    old: Sequence[str], new: Sequence[str], max_pairs: int = MAX_PAIRS
) -> list[tuple[int, int]]:
    """The positions (in old, in new) of items that both lists have in the same order, both rising.

    It is the longest such row where equal items make at most `most_pairs` pairs. Above that the items that occur most
    often count only beside others that match, so that the cost stays in proportion to the lists.
    """
    head = _count_equal(old, new, (0, 0), 1, min(len(old), len(new)))
    tail = _count_equal(old, new, (len(old) - 1, len(new) - 1), -1, min(len(old), len(new)) - head)
    end = (len(old) - tail, len(new) - tail)
    found = [(at, at) for at in range(head)]
    at = (head, head)
    for anchor in [*_longest_common_subsequence(old, new, head, end, max_pairs), end]:
        room = min(anchor[0] - at[0], anchor[1] - at[1])
        ahead = _count_equal(old, new, at, 1, room)
        behind = _count_equal(old, new, (anchor[0] - 1, anchor[1] - 1), -1, room - ahead)
        found += [(at[0] + by, at[1] + by) for by in range(ahead)]
        found += [(anchor[0] - by, anchor[1] - by) for by in range(behind, -1, -1)]
        at = (anchor[0] + 1, anchor[1] + 1)
    found.pop()
    return found + [(end[0] + by, end[1] + by) for by in range(tail)]


def _count_equal(
    old: Sequence[str], new: Sequence[str], at: tuple[int, int], step: int, limit: int
) -> int:
    """How many items in a row are equal from a pair of positions on."""
    for count in range(limit):
        if old[at[0] + step * count] != new[at[1] + step * count]:
            return count
    return max(limit, 0)


def _longest_common_subsequence(
    old: Sequence[str], new: Sequence[str], start: int, end: tuple[int, int], max_pairs: int
) -> list[tuple[int, int]]:
    """The longest common subsequence of what lies between start and end, by Hunt and Szymanski's algorithm."""
    places = _positions_by_item(old[start : end[0]], new, start, end[1], max_pairs)
    lasts: list[int] = []  # of the rows of each length, where the one that reaches least far ends
    rows: list[tuple[int, int, Any]] = []  # and that row, linked backwards
    for i in range(start, end[0]):
        for j in reversed(places.get(old[i], ())):
            length = bisect_left(lasts, j)
            row = (i, j, rows[length - 1] if length else None)
            lasts[length : length + 1] = [j]
            rows[length : length + 1] = [row]
    found = []
    last = rows[-1] if rows else None
    while last:
        i, j, last = last
        found.append((i, j))
    return found[::-1]


def _positions_by_item(
    old: Sequence[str], new: Sequence[str], start: int, end: int, max_pairs: int
) -> dict[str, list[int]]:
    """Where each item of old stands in new; of the rarest first, while their pairs are few enough."""
    counts = Counter(old)
    places: dict[str, list[int]] = {}
    for j in range(start, end):
        if new[j] in counts:
            places.setdefault(new[j], []).append(j)
    pairs = {item: counts[item] * len(found) for item, found in places.items()}
    if sum(pairs.values()) <= max_pairs:
        return places
    affordable: dict[str, list[int]] = {}
    for item in sorted(pairs, key=pairs.__getitem__):
        max_pairs -= pairs[item]
        if max_pairs < 0:
            break
        affordable[item] = places[item]
    return affordable


def align_blocks(
    old: Sequence[str], new: Sequence[str], max_pairs: int = MAX_PAIRS
) -> list[tuple[int | None, int | None]]:
    """Which block of the old version became which of the new one: all positions of both, in order.

    White space around blocks does not count. Blocks that changed are pairs if they still share half of the words of
    the shorter one; one that has no partner stands beside None, the old ones of a place before the new ones.
    """
    old_keys, new_keys = (
        [each.strip(WHITESPACE) for each in old],
        [each.strip(WHITESPACE) for each in new],
    )
    spend = max_pairs / max(sum(map(len, old_keys)) + sum(map(len, new_keys)), 1)
    found: list[tuple[int | None, int | None]] = []
    i = j = 0
    for a, b in [*common_subsequence(old_keys, new_keys, max_pairs), (len(old), len(new))]:
        for c, d in [*_similar_pairs(old_keys, new_keys, range(i, a), range(j, b), spend), (a, b)]:
            found += [(at, None) for at in range(i, c)] + [(None, at) for at in range(j, d)]
            i, j = c + 1, d + 1
            found.append((c, d))
    found.pop()
    return found


def _similar_pairs(
    old: Sequence[str],
    new: Sequence[str],
    old_range: range,
    new_range: range,
    pairs_per_char: float,
) -> list[tuple[int, int]]:
    """The pairs, in order, of blocks in two ranges that share words; `spend` pairs of words a character may cost."""
    if not old_range or not new_range:
        return []
    old_words = [(word, at) for at in old_range for word in _content_words(old[at])]
    new_words = [(word, at) for at in new_range for word in _content_words(new[at])]
    share = int(
        pairs_per_char
        * (sum(len(old[at]) for at in old_range) + sum(len(new[at]) for at in new_range))
    )
    both = common_subsequence(
        [word for word, _ in old_words], [word for word, _ in new_words], share
    )
    old_sizes, new_sizes = Counter(at for _, at in old_words), Counter(at for _, at in new_words)
    found = [(-1, -1, 0)]
    for (a, b), words in Counter((old_words[i][1], new_words[j][1]) for i, j in both).items():
        fewer, more = sorted((old_sizes[a], new_sizes[b]))
        if 2 * words < fewer or 5 * words < more:
            continue
        if a > found[-1][0] and b > found[-1][1]:
            found.append((a, b, words))
        elif words > found[-1][2]:
            found[-1] = (a, b, words)
    return [(a, b) for a, b, _ in found[1:]]


def _content_words(block: str) -> list[str]:
    """The words of a block and its tags that have attributes."""
    return [word for word in _CONTENT.findall(block) if word[0] != "<" or " " in word]
