"""What changed between two versions of a line or a body, word by word."""

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
from spectator.text.html.markup import Tag, decode_entities

# Words with the space that follows them; the Ethiopic word space parts words as well.
_WORD = re.compile(r"[^\s\u1361]*[\s\u1361]+|[^\s\u1361]+")
_PROSE = {"p": "paragraph", "h2": "heading", "h3": "heading", "h4": "heading"}
_BLOCKS = "details blockquote table figure ul ol dl video audio iframe img pre hr".split()
_NAMES = _PROSE | {name: ELEMENTS[name] for name in _BLOCKS} | {"div": "group"}


@dataclass(frozen=True, slots=True)
class DiffPiece:
    """A stretch of text that is the "same" in both versions, or was "added" or "removed"."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class BlockDiff:
    """A block that is the "same" in both versions, or was "added", "removed" or "changed"; its text, and what it is."""

    kind: str
    pieces: list[DiffPiece]
    name: str


def diff_lines(old: str, new: str) -> list[DiffPiece]:
    """The pieces of two versions of a text: "same" and "added" joined are the new one, "same" and "removed" the old."""
    return _diff_words(_WORD.findall(old), _WORD.findall(new), MAX_PAIRS)


def diff_bodies(old: str, new: str) -> list[BlockDiff]:
    """The blocks of two versions of a body in order, each with its words as readers see them, references decoded.

    Tags appear as words where they matter: not in a paragraph or heading whose tags are the same in both versions,
    nor those of a plain one around its text. Takes any strings, and time in proportion to them.
    """
    old_blocks, new_blocks = split_blocks(old), split_blocks(new)
    spend = MAX_PAIRS / max(len(old) + len(new), 1)
    found = []
    for i, j in align_blocks(old_blocks, new_blocks):
        if i is not None and j is not None:
            found.append(
                _diff_block(old_blocks[i].strip(WHITESPACE), new_blocks[j].strip(WHITESPACE), spend)
            )
        elif i is not None:
            found.append(_one_sided_block("removed", old_blocks[i]))
        elif j is not None:
            found.append(_one_sided_block("added", new_blocks[j]))
    return found


def _one_sided_block(kind: str, block: str) -> BlockDiff:
    tokens = list(exact_tokens(block.strip(WHITESPACE)))
    return BlockDiff(
        kind, [DiffPiece(kind, "".join(_words(_unwrap(tokens))))], _block_label(tokens)
    )


def _diff_block(old: str, new: str, pairs_per_char: float) -> BlockDiff:
    """What became of a block; comparing may cost `spend` pairs of words a character."""
    before, after = list(exact_tokens(old)), list(exact_tokens(new))
    name = _block_label(after)
    if old == new:
        shown = (name in _PROSE.values() and _text_only(after)) or after
        return BlockDiff("same", [DiffPiece("same", "".join(_words(shown)))], name)
    if name in _PROSE.values() and _tags(before) == _tags(after):
        before, after = _text_only(before), _text_only(after)
    elif before[0] == after[0]:
        before, after = _unwrap(before), _unwrap(after)
    pieces = _diff_words(_words(before), _words(after), int(pairs_per_char * (len(old) + len(new))))
    is_same = all(piece.kind == "same" for piece in pieces)
    return BlockDiff("same" if is_same else "changed", pieces, name)


def _block_label(tokens: list[str | Tag]) -> str:
    return _NAMES.get(tokens[0].name, "text") if tokens and isinstance(tokens[0], Tag) else "text"


def _tags(tokens: list[str | Tag]) -> list[Tag]:
    return [token for token in tokens if isinstance(token, Tag)]


def _text_only(tokens: list[str | Tag]) -> list[str | Tag]:
    """The text as one token, a line for each `<br>`; nothing if there is none."""
    pieces = (
        token if isinstance(token, str) else "\n" if token.name == "br" else "" for token in tokens
    )
    text = "".join(pieces).replace("\n\n", "\n")
    return [text] if text.strip() else []


def _unwrap(tokens: list[str | Tag]) -> list[str | Tag]:
    """The tokens inside the tags of a paragraph or heading that has no attributes; of another block all of them."""
    if (
        len(tokens) < 3
        or not isinstance(start := tokens[0], Tag)
        or not isinstance(end := tokens[-1], Tag)
    ):
        return tokens
    is_plain = (
        start.name in _PROSE and not start.attributes and end.is_end and end.name == start.name
    )
    return tokens[1:-1] if is_plain else tokens


def _words(tokens: Iterable[str | Tag]) -> list[str]:
    """Text as words, each tag as one."""
    words: list[str] = []
    for token in tokens:
        if isinstance(token, Tag):
            words.append(token.raw)
        else:
            words += _WORD.findall(decode_entities(token))
    return words


def _diff_words(old: Sequence[str], new: Sequence[str], max_pairs: int) -> list[DiffPiece]:
    """What stays, goes and comes, of two lists of words; the space after a word that stays may change."""
    old_keys, new_keys = [word.rstrip() for word in old], [word.rstrip() for word in new]
    end = (len(old), len(new))
    found: list[DiffPiece] = []
    waiting: dict[str, list[str]] = {"same": [], "removed": [], "added": []}

    def write() -> None:
        for kind, words in waiting.items():
            if text := "".join(words):
                found.append(DiffPiece(kind, text))
            words.clear()

    i = j = 0
    for a, b in [*_drop_short_matches(common_subsequence(old_keys, new_keys, max_pairs), end), end]:
        waiting["removed"] += old[i:a]
        waiting["added"] += new[j:b]
        i, j = a + 1, b + 1
        if (a, b) == end:
            break
        is_equal = old[a] == new[b]
        if same := old[a] if is_equal else old_keys[a]:
            if waiting["removed"] or waiting["added"]:
                write()
            waiting["same"].append(same)
        if not is_equal:
            waiting["removed"].append(old[a][len(same) :])
            waiting["added"].append(new[b][len(same) :])
    write()
    return found


def _drop_short_matches(
    pairs: list[tuple[int, int]], end: tuple[int, int]
) -> list[tuple[int, int]]:
    """The pairs without the few words that two longer changes have between them by chance: those hinder reading."""
    runs: list[list[tuple[int, int]]] = []
    for i, j in pairs:
        if runs and runs[-1][-1] == (i - 1, j - 1):
            runs[-1].append((i, j))
        else:
            runs.append([(i, j)])
    kept = []
    for at, run in enumerate(runs):
        last, following = (
            runs[at - 1][-1] if at else (-1, -1),
            runs[at + 1][0] if at + 1 < len(runs) else end,
        )
        before = max(run[0][0] - last[0], run[0][1] - last[1]) - 1
        after = max(following[0] - run[-1][0], following[1] - run[-1][1]) - 1
        if 2 * len(run) > min(before, after):
            kept += run
    return kept
