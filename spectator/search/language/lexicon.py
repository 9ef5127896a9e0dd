"""The interface to an index, of any engine, that spelling and suggestions use."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol


class Lexicon(Protocol):
    """The words, headlines and facet values of an index at one commit. All words are folded."""

    @property
    def offset(self) -> int:
        """The outbox offset of the index."""

    @property
    def facet_counts(self) -> Mapping[str, Mapping[str, int]]:
        """The number of articles with each slug, by facet."""

    def word_frequency(self, word: str) -> int:
        """Return the number of articles with the word in their body."""

    def is_name_without_apostrophe(self, word: str) -> bool:
        """Return whether the word is a name in the archive, written without its apostrophe."""

    def similar_words(self, word: str, distance: int) -> Collection[str]:
        """Return words of headlines and names within an edit distance and with the same initial."""

    def newest_ids_by_headline(
        self, word_lists: Sequence[Sequence[str]], limit: int
    ) -> list[int]:
        """Return the ids of the newest articles whose headline has every word of one of the lists.

        The last word of a list is a prefix.
        """
