"""Passages that matched: as pieces that say whether they are a hit; whoever shows them escapes each piece."""

from __future__ import annotations

from collections.abc import Collection

from spectator.text.folding import Token, tokens

Pieces = list[tuple[str, bool]]
MOST_CHARACTERS = 200_000
MOST_HITS = 500
LEAD = 50


def highlight(text: str, terms: Collection[str], prefixes: tuple[str, ...] = ()) -> Pieces:
    """Return a whole text with its hits marked; `terms` and `prefixes` are folded."""
    return _pieces(text, _hits(text, terms, prefixes), 0, len(text))


def snippet(text: str, terms: Collection[str], width: int = 200, prefixes: tuple[str, ...] = ()) -> Pieces:
    """Return the passage of about `width` characters that holds most different hits, or the beginning without any."""
    text = " ".join(text[:MOST_CHARACTERS].split())
    hits = _hits(text, terms, prefixes)
    start = max(0, _best(hits, width - LEAD) - LEAD) if hits else 0
    end = min(len(text), start + width)
    start = text.find(" ", start) + 1 if start and " " in text[start:end] else start
    cut = text.rfind(" ", start, end) if end < len(text) else end
    end = cut if cut > start else end
    before, after = "… " if start else "", " …" if end < len(text) else ""
    pieces = _pieces(text, [hit for hit in hits if start <= hit.start and hit.end <= end], start, end)
    return [(piece, is_hit) for piece, is_hit in ((before, False), *pieces, (after, False)) if piece]


def _hits(text: str, terms: Collection[str], prefixes: tuple[str, ...]) -> list[Token]:
    wanted = frozenset(terms)
    found = []
    for token in tokens(text[:MOST_CHARACTERS]):
        if token.text in wanted or (prefixes and token.text.startswith(prefixes)):
            found.append(token)
            if len(found) == MOST_HITS:
                break
    return found


def _best(hits: list[Token], width: int) -> int:
    """Return where the window begins that holds most different words; the first of equals."""
    best, place = 0, hits[0].start
    for number, first in enumerate(hits):
        inside = set()
        for hit in hits[number : number + 20]:
            if hit.end > first.start + width:
                break
            inside.add(hit.text)
        if len(inside) > best:
            best, place = len(inside), first.start
    return place


def _pieces(text: str, hits: list[Token], start: int, end: int) -> Pieces:
    pieces: Pieces = []
    for hit in hits:
        pieces += [(text[start : hit.start], False), (text[hit.start : hit.end], True)]
        start = hit.end
    pieces.append((text[start:end], False))
    return [(piece, is_hit) for piece, is_hit in pieces if piece]
