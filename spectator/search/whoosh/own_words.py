"""The words of a few documents, without those of any other.

A search limited to an author's own documents takes what prefixes and joined names stand for from
here: the index could tell it only by reading other people's words, and stopping after some of them.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from heapq import nsmallest

from spectator.search.language.query import Phrase
from spectator.search.whoosh.budget import Budget

_BYTES_PER_STEP = 1_000  # compressed
_SEPARATOR = "\n"  # before and after every word; a joined name has spaces


def pack_words(words: Iterable[str]) -> bytes:
    """Return the different words and joined names of a document, sorted and compressed."""
    return zlib.compress(_SEPARATOR.join(["", *sorted(set(words)), ""]).encode())


class OwnWords:
    """The words of some documents, given as (number, packed words), as far as the budget allows."""

    def __init__(self, documents: Iterable[tuple[int, bytes]], budget: Budget) -> None:
        self._texts = [
            (document, zlib.decompress(packed).decode())
            for document, packed in documents
            if packed and budget.spend(1 + len(packed) // _BYTES_PER_STEP)
        ]

    def documents_with_prefix(self, prefix: str) -> list[int]:
        """Return the documents with a word, or a joined name, that starts with a prefix."""
        return [document for document, text in self._texts if _SEPARATOR + prefix in text]

    def names(self, word: str, limit: int) -> list[Phrase]:
        """Return names that give a word without their apostrophe, the first ones in the alphabet.

        "quran" gives ("qur", "an").
        """
        terms = {term for _, text in self._texts for term in _terms_with_prefix(text, f"{word} ")}
        return [tuple(term.split(" ")[1:]) for term in nsmallest(limit, terms)]


def _terms_with_prefix(text: str, prefix: str) -> Iterator[str]:
    start = text.find(_SEPARATOR + prefix) + 1
    while start and text.startswith(prefix, start):
        end = text.index(_SEPARATOR, start)
        yield text[start:end]
        start = end + 1
