"""The tokenizer that Whoosh pickles into every index by this module's path: do not move it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from whoosh.analysis import Token, Tokenizer

from spectator.text.words.folding import tokens


class FoldingTokenizer(Tokenizer):  # type: ignore[misc]  # Whoosh is untyped
    """Folded words with their positions; one analyzer for every language, for index and query alike."""

    def __call__(
        self, value: str, positions: bool = False, start_pos: int = 0, mode: str = "", **_: Any
    ) -> Iterator[Token]:
        """One `Token` object again and again, as Whoosh's own tokenizers do for speed."""
        token = Token(positions, mode=mode)
        for position, word in enumerate(tokens(value), start_pos):
            token.text = word.text
            token.pos = position
            yield token
