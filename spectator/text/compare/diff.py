"""Word-by-word differences between two versions of a line or a body."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from spectator.text.compare.loss_guard import ELEMENTS
from spectator.text.html.blocks import (
    MAX_PAIRS,
    WHITESPACE,
    align_blocks,
    common_subsequence,
    exact_tokens,
    split_blocks,
)
from spectator.text.html.tokenizer import Tag, decode_entities

# Words with the space after them, which may be an Ethiopic word space.
_WORD = re.compile(r"[^\s\u1361]*[\s\u1361]+|[^\s\u1361]+")
# The limit of a comparison in characters; each block counts as BLOCK_COST more.
MAX_SHOWN, BLOCK_COST = 1_000_000, 100
OMITTED = "The text is very long. The rest of it is not shown here."
_PROSE = {"p": "paragraph", "h2": "heading", "h3": "heading", "h4": "heading"}
_BLOCKS = "details blockquote table figure ul ol dl video audio iframe img pre hr".split()
_NAMES = _PROSE | {name: ELEMENTS[name] for name in _BLOCKS} | {"div": "group"}


@dataclass(frozen=True, slots=True)
class DiffPiece:
    """A piece of text that is the "same" in both versions, or was "added" or "removed"."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class BlockDiff:
    """A block that is the "same" in both versions, or was "added", "removed" or "changed".

    `name` is its kind in English, such as "paragraph". An "omitted" block stands for the rest of a
    comparison that is too long to show, and says so.
    """

    kind: str
    pieces: list[DiffPiece]
    name: str


def diff_lines(old: str, new: str) -> list[DiffPiece]:
    """Return the pieces of two versions of a text.

    "same" and "added" pieces joined are the new text, "same" and "removed" ones the old text.
    """
    return _diff_words(_WORD.findall(old), _WORD.findall(new), MAX_PAIRS)


def diff_bodies(old: str, new: str) -> list[BlockDiff]:
    """Return the blocks of two versions of a body in order, with their decoded words.

    Tags are shown as words, unless they are the same in both versions of a paragraph or heading, or
    only enclose a plain one. Takes any strings, in linear time; stops after `MAX_SHOWN`.
    """
    old_blocks, new_blocks = split_blocks(old), split_blocks(new)
    pairs_per_char = MAX_PAIRS / max(len(old) + len(new), 1)
    diffs: list[BlockDiff] = []
    shown_length = 0
    for i, j in align_blocks(old_blocks, new_blocks):
        shown_length += BLOCK_COST + (len(old_blocks[i]) if i is not None else 0)
        shown_length += len(new_blocks[j]) if j is not None else 0
        if shown_length > MAX_SHOWN and diffs:
            diffs.append(BlockDiff("omitted", [DiffPiece("same", OMITTED)], "text"))
            break
        if i is not None and j is not None:
            before, after = old_blocks[i].strip(WHITESPACE), new_blocks[j].strip(WHITESPACE)
            diffs.append(_diff_block(before, after, pairs_per_char))
        elif i is not None:
            diffs.append(_one_sided_block("removed", old_blocks[i]))
        elif j is not None:
            diffs.append(_one_sided_block("added", new_blocks[j]))
    return diffs


def _one_sided_block(kind: str, block: str) -> BlockDiff:
    tokens = list(exact_tokens(block.strip(WHITESPACE)))
    return BlockDiff(
        kind, [DiffPiece(kind, "".join(_words(_unwrap(tokens))))], _block_label(tokens)
    )


def _diff_block(old: str, new: str, pairs_per_char: float) -> BlockDiff:
    """Return the differences in a block, at a cost of at most `pairs_per_char` pairs of words."""
    before, after = list(exact_tokens(old)), list(exact_tokens(new))
    name = _block_label(after)
    is_prose = name in _PROSE.values()
    if old == new:
        text = _text_only(after) if is_prose else []
        return BlockDiff("same", [DiffPiece("same", "".join(_words(text or after)))], name)
    if is_prose and _tags(before) == _tags(after):
        before, after = _text_only(before), _text_only(after)
    elif before[0] == after[0]:
        before, after = _unwrap(before), _unwrap(after)
    pieces = _diff_words(
        _words(before), _words(after), int(pairs_per_char * (len(old) + len(new)))
    )
    is_same = all(piece.kind == "same" for piece in pieces)
    return BlockDiff("same" if is_same else "changed", pieces, name)


def _block_label(tokens: list[str | Tag]) -> str:
    return _NAMES.get(tokens[0].name, "text") if tokens and isinstance(tokens[0], Tag) else "text"


def _tags(tokens: list[str | Tag]) -> list[Tag]:
    return [token for token in tokens if isinstance(token, Tag)]


def _text_only(tokens: list[str | Tag]) -> list[str | Tag]:
    """Return the text as one token, with a line break for each `<br>`; nothing if it is blank."""
    pieces = (
        token if isinstance(token, str) else "\n" if token.name == "br" else ""
        for token in tokens
    )
    text = "".join(pieces).replace("\n\n", "\n")
    return [text] if text.strip() else []


def _unwrap(tokens: list[str | Tag]) -> list[str | Tag]:
    """Return the tokens without the tags of a plain paragraph or heading."""
    start, end = (tokens[0], tokens[-1]) if len(tokens) > 2 else ("", "")
    is_plain = (
        isinstance(start, Tag)
        and start.name in _PROSE
        and not start.attributes
        and isinstance(end, Tag)
        and end.is_end
        and end.name == start.name
    )
    return tokens[1:-1] if is_plain else tokens


def _words(tokens: Iterable[str | Tag]) -> list[str]:
    """Return the words of tokens. Each tag is one word."""
    words: list[str] = []
    for token in tokens:
        if isinstance(token, Tag):
            words.append(token.raw)
        else:
            words += _WORD.findall(decode_entities(token))
    return words


def _diff_words(old: Sequence[str], new: Sequence[str], max_pairs: int) -> list[DiffPiece]:
    """Return the differences of two lists of words. Changed space after a word is a change too."""
    old_keys, new_keys = [word.rstrip() for word in old], [word.rstrip() for word in new]
    end = (len(old), len(new))
    pieces: list[DiffPiece] = []
    pending: dict[str, list[str]] = {"same": [], "removed": [], "added": []}

    def flush() -> None:
        for kind, words in pending.items():
            if text := "".join(words):
                pieces.append(DiffPiece(kind, text))
            words.clear()

    i = j = 0
    for a, b in [
        *_drop_short_matches(common_subsequence(old_keys, new_keys, max_pairs), end),
        end,
    ]:
        pending["removed"] += old[i:a]
        pending["added"] += new[j:b]
        i, j = a + 1, b + 1
        if (a, b) == end:
            break
        is_equal = old[a] == new[b]
        if same := old[a] if is_equal else old_keys[a]:
            if pending["removed"] or pending["added"]:
                flush()
            pending["same"].append(same)
        if not is_equal:
            pending["removed"].append(old[a][len(same) :])
            pending["added"].append(new[b][len(same) :])
    flush()
    return pieces


def _drop_short_matches(
    pairs: list[tuple[int, int]], end: tuple[int, int]
) -> list[tuple[int, int]]:
    """Return the pairs without short runs between longer changes, which hinder reading."""
    runs: list[list[tuple[int, int]]] = []
    for i, j in pairs:
        if runs and runs[-1][-1] == (i - 1, j - 1):
            runs[-1].append((i, j))
        else:
            runs.append([(i, j)])
    long_enough = []
    for index, run in enumerate(runs):
        (first_i, first_j), (last_i, last_j) = run[0], run[-1]
        previous_i, previous_j = runs[index - 1][-1] if index else (-1, -1)
        next_i, next_j = runs[index + 1][0] if index + 1 < len(runs) else end
        change_before = max(first_i - previous_i, first_j - previous_j) - 1
        change_after = max(next_i - last_i, next_j - last_j) - 1
        if 2 * len(run) > min(change_before, change_after):
            long_enough += run
    return long_enough
