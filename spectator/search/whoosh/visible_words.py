"""The words of the documents that an author may search, without those of any other.

A search limited to these documents looks up prefixes and names without their apostrophe here: the
index would read other people's words too, and stop after some of them.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from heapq import nsmallest

from spectator.search.language.query import Phrase
from spectator.search.whoosh.budget import Budget

_BYTES_PER_STEP = 10_000
_MAX_BYTES = 20_000_000  # of all lists together; packed, similar words take a fiftieth of it
_SEPARATOR = b"\n"  # before and after every word; a joined name has spaces


def pack_words(words: Iterable[str]) -> bytes:
    """Return the different words and joined names of a document, sorted and compressed."""
    return zlib.compress(_SEPARATOR.join([b"", *sorted({word.encode() for word in words}), b""]))


class VisibleWords:
    """The words of some documents, as far as the budget and `_MAX_BYTES` allow.

    They are given as (number, packed words).
    """

    def __init__(self, documents: Iterable[tuple[int, bytes]], budget: Budget) -> None:
        self._texts: list[tuple[int, bytes]] = []
        remaining = _MAX_BYTES
        for document, packed in documents:
            if not packed:
                continue
            text = zlib.decompressobj().decompress(packed, remaining)
            remaining -= len(text)
            if remaining <= 0:
                budget.is_cut = True
                break
            if budget.spend(1 + len(text) // _BYTES_PER_STEP):
                self._texts.append((document, text))

    def documents_with_prefix(self, prefix: str) -> list[int]:
        """Return the documents with a word, or a joined name, that starts with a prefix."""
        start = _SEPARATOR + prefix.encode()
        return [document for document, text in self._texts if start in text]

    def names(self, word: str, limit: int) -> list[Phrase]:
        """Return names that give a word without their apostrophe, the first ones in the alphabet.

        "quran" gives ("qur", "an").
        """
        prefix = f"{word} ".encode()
        terms = {term for _, text in self._texts for term in _terms_with_prefix(text, prefix)}
        return [tuple(term.decode().split(" ")[1:]) for term in nsmallest(limit, terms)]


def _terms_with_prefix(text: bytes, prefix: bytes) -> Iterator[bytes]:
    start = text.find(_SEPARATOR + prefix) + 1
    while start and text.startswith(prefix, start):
        end = text.index(_SEPARATOR, start)
        yield text[start:end]
        start = end + 1
