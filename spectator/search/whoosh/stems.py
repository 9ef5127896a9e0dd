"""English stems, which this index adds to the words of English stories."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache

from whoosh.lang.porter import stem as _porter_stem

from spectator.search.language.analysis import is_english

# Shorter words are not stemmed.
MIN_STEMMED_LENGTH = 4


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Return the stem of a folded English word (Porter, 1980), or any other word unchanged."""
    if len(word) < MIN_STEMMED_LENGTH or not (word.isascii() and word.isalpha()):
        return word
    return str(_porter_stem(word))


def stem_words(words: Sequence[str], language: str) -> list[str]:
    """Return the stems that differ from their words if the language is English, else none."""
    if not is_english(language):
        return []
    return [stemmed for word in words if (stemmed := stem(word)) != word]


class Highlights(frozenset[str]):
    """Folded words to highlight. It also contains every word with the same English stem."""

    @cached_property
    def _stems(self) -> frozenset[str]:
        return frozenset(map(stem, self))

    def __contains__(self, word: object) -> bool:
        """Return whether a folded word, or another word with its stem, is in the set."""
        return super().__contains__(word) or (isinstance(word, str) and stem(word) in self._stems)
