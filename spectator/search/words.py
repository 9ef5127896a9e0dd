"""The words of a text, the same for the index and for queries."""

from __future__ import annotations

from collections.abc import Iterator

from spectator.text.folding import tokens

LONGEST_WORD = 64


def words(text: str) -> Iterator[str]:
    """The folded words of a text in order, each at most `LONGEST_WORD` characters."""
    for token in tokens(text):
        if token.text:
            yield token.text[:LONGEST_WORD]
