"""The tokenizer. Whoosh pickles its import path into every index, so it must not be moved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from whoosh.analysis import Token, Tokenizer

from spectator.text.words.folding import tokens


class FoldingTokenizer(Tokenizer):  # type: ignore[misc]  # Whoosh is untyped
    """Tokenizer of folded words with their positions, for indexes and queries in every language."""

    def __call__(
        self, value: str, positions: bool = False, start_pos: int = 0, mode: str = "", **_: Any
    ) -> Iterator[Token]:
        """Yield the same `Token` object for every word, like Whoosh's own tokenizers, for speed."""
        token = Token(positions, mode=mode)
        for position, word in enumerate(tokens(value), start_pos):
            token.text = word.text
            token.pos = position
            yield token
