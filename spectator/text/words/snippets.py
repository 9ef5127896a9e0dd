"""Snippets: the best passage of a text for a query, with its matching words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from spectator.text.html.sanitizer import plain_text
from spectator.text.words.apostrophes import joinable_names
from spectator.text.words.folding import Token, word_runs

# Only the start of a long text is searched: about 12,000 words of HTML, for all hits of a page.
MAX_SCANNED_CHARS = 100_000
LONGEST_WORD = 100
ELLIPSIS = "…"

Pieces = list[tuple[str, bool]]

_SPACES = re.compile(r"\s+")
_SENTENCE_ENDS = ".!?።؟"


def highlight(text: str, terms: Collection[str], prefixes: tuple[str, ...] = ()) -> Pieces:
    """Return a text as (piece, is_match) pairs, unescaped. `terms` and `prefixes` are folded."""
    return _split_pieces(text, _find_hits(text, terms, prefixes), 0, len(text))


def body_snippets(
    bodies: Sequence[str], terms: Collection[str], prefixes: tuple[str, ...] = ()
) -> list[Pieces]:
    """Return the snippets of the HTML bodies of a page.

    Only their starts are read, together `MAX_SCANNED_CHARS`: short bodies leave more to long ones.
    """
    return [
        snippet(plain_text(beginning(body, length)), terms, prefixes=prefixes)
        for body, length in zip(bodies, _shares(list(map(len, bodies))), strict=True)
    ]


def _shares(lengths: list[int]) -> list[int]:
    """Divide `MAX_SCANNED_CHARS` among texts of these lengths."""
    shares, rest = [0] * len(lengths), MAX_SCANNED_CHARS
    shortest_first = sorted(range(len(lengths)), key=lengths.__getitem__)
    for others, position in zip(range(len(lengths), 0, -1), shortest_first, strict=True):
        shares[position] = min(lengths[position], rest // others)
        rest -= shares[position]
    return shares


def beginning(html: str, length: int) -> str:
    """Return the first `length` characters of HTML at most, without a cut tag or word."""
    if len(html) <= length:
        return html
    start = html[:length]
    if start.rfind("<") > start.rfind(">"):
        return start[: start.rfind("<")]
    return start[: max(start.rfind(" "), start.rfind(">") + 1, length - LONGEST_WORD)]


def snippet(
    text: str, terms: Collection[str], width: int = 200, prefixes: tuple[str, ...] = ()
) -> Pieces:
    """Return the passage of about `width` characters with the most different terms.

    The result is (piece, is_match) pairs, unescaped. The passage starts and ends at words, with "…"
    for omitted text, and its white space is collapsed. Without a hit it is the start of the text.
    `terms` and `prefixes` are folded.
    """
    hits = _find_hits(text[:MAX_SCANNED_CHARS], terms, prefixes)
    start, end = _bounds(text, *_best_window(hits, width), width)
    inside = [hit for hit in hits if start <= hit.start and hit.end <= end]
    pieces = [
        (_SPACES.sub(" ", piece), is_match)
        for piece, is_match in _split_pieces(text, inside, start, end)
    ]
    if start > 0:
        pieces.insert(0, (ELLIPSIS, False))
    if end < len(text.rstrip()):
        pieces.append((ELLIPSIS, False))
    return _merge_plain_pieces(pieces)


def _find_hits(text: str, terms: Collection[str], prefixes: tuple[str, ...]) -> list[Token]:
    if not terms and not prefixes:
        return []
    # A subclass of frozenset may also contain other forms of its words.
    term_set = terms if isinstance(terms, frozenset) else frozenset(terms)

    def is_match(word: str) -> bool:
        return word in term_set or (bool(prefixes) and word.startswith(prefixes))

    hits: list[Token] = []
    for run in word_runs(text):
        names = _joined_names(run, text) if len(run) > 1 else iter(())
        name = next((token for token in names if is_match(token.text)), None)
        hits += [name] if name else [token for token in run if is_match(token.text)]
    return hits


def _joined_names(run: tuple[Token, ...], text: str) -> Iterator[Token]:
    """Yield the names with an apostrophe in a run, each as one word: "Qur'an" is "quran"."""
    for parts in joinable_names(run, text):
        yield Token("".join(part.text for part in parts), parts[0].start, parts[-1].end)


def _best_window(hits: list[Token], width: int) -> tuple[int, int]:
    """Return the start and end of the best hits that fit in `width`.

    The best have the most different terms, then the most hits, then come first.
    """
    best, window = (0, 0), (0, 0)
    inside: Counter[str] = Counter()
    first = 0
    for last, hit in enumerate(hits):
        inside[hit.text] += 1
        while hit.end - hits[first].start > width and first < last:
            inside[hits[first].text] -= 1
            if not inside[hits[first].text]:
                del inside[hits[first].text]
            first += 1
        score = (len(inside), last - first + 1)
        if score > best:
            best, window = score, (hits[first].start, hit.end)
    return window


def _bounds(text: str, first: int, last: int, width: int) -> tuple[int, int]:
    """Return the bounds of a passage around the hits from `first` to `last`.

    It starts at a sentence or word, and ends at a word.
    """
    last = min(last, first + width)
    # A third of the remaining width goes before the hits.
    start = max(0, min(first - (width - (last - first)) // 3, len(text) - width))
    if start > 0:
        breaks = list(_SPACES.finditer(text, start, first))
        after_sentence = [
            space
            for space in breaks
            if text[space.start() - 1] in _SENTENCE_ENDS or "\n" in space[0]
        ]
        start = (after_sentence or breaks)[0].end() if breaks else first
    end = min(max(start + width, last), len(text))
    if end < len(text):
        breaks = list(_SPACES.finditer(text, max(last, start + 1), end + 1))
        end = breaks[-1].start() if breaks else end
    passage = text[start:end]
    return end - len(passage.lstrip()), start + len(passage.rstrip())


def _split_pieces(text: str, hits: list[Token], at: int, end: int) -> Pieces:
    pieces: Pieces = []
    for hit in hits:
        pieces += [(text[at : hit.start], False), (text[hit.start : hit.end], True)]
        at = hit.end
    return [(piece, is_match) for piece, is_match in [*pieces, (text[at:end], False)] if piece]


def _merge_plain_pieces(pieces: Pieces) -> Pieces:
    """Join neighbouring pieces that are not hits."""
    joined: Pieces = []
    for piece, is_match in pieces:
        if joined and not is_match and not joined[-1][1]:
            joined[-1] = (joined[-1][0] + piece, False)
        else:
            joined.append((piece, is_match))
    return joined
