"""Reading Whoosh's lists of documents a block at a time, which costs a tenth of walking them one by one.

It knows the layout of the codec that the pinned release writes: a list is a chain of blocks, each a pickled tuple of
(differences of document numbers, weights, positions), behind a header that names its last document.
"""

from __future__ import annotations

import contextlib
import pickle
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate, islice
from typing import Any, NamedTuple

from whoosh.reading import TermNotFound

from spectator.search.whoosh.schema import JOINED
from spectator.search.whoosh.snapshot import Snapshot

Phrase = tuple[str, ...]

# Of the names with an apostrophe that a word may stand for.
MAX_VARIANTS, MAX_PREFIX_VARIANTS = 4, 50

_COUNT_BYTES = 4


class PostingBlock(NamedTuple):
    """A stretch of a list: document numbers of the whole index, how often each has the word, encoded positions."""

    documents: Sequence[int]
    frequencies: Sequence[float]
    positions: Sequence[bytes]


class PostingList(NamedTuple):
    """One word's list in one segment, whose documents are numbered from `base` on."""

    leaf: Any
    base: int
    field: str
    info: Any

    @property
    def document_frequency(self) -> int:
        """How many documents of the segment have the word, deleted ones included."""
        return int(self.info.doc_frequency())

    def blocks(self, documents: Sequence[int] | None = None) -> Iterator[PostingBlock]:
        """The list, or only its blocks with documents among `wanted`, which is sorted; others are not unpacked."""
        leaf, base = self.leaf, self.base
        format_ = leaf.schema[self.field].format
        chain = leaf.codec().postings_reader(leaf._terms._postfile, self.info, format_)
        place = 0
        while chain.is_active():
            last = base + chain.block_max_id()
            if documents is None:
                yield _unpack_block(chain, base)
            elif place == len(documents):
                return
            elif documents[place] <= last:
                yield _unpack_block(chain, base)
                place = bisect_right(documents, last, place)
            chain._next_block()


def _unpack_block(chain: Any, base: int) -> PostingBlock:
    chain._read_data()
    differences, weights, positions = chain._data
    if weights is None or isinstance(weights, float):
        weights = [1.0 if weights is None else weights] * len(differences)
    documents = list(accumulate(differences, initial=base))[1:]
    return PostingBlock(documents, weights, positions or ())


def posting_lists(snapshot: Snapshot, field: str, word: str) -> list[PostingList]:
    """The word's lists in the segments that have it."""
    found, term = [], word.encode()
    for leaf, base in snapshot.leaves:
        if not snapshot.budget.spend():
            break
        with contextlib.suppress(TermNotFound):
            found.append(PostingList(leaf, base, field, leaf._terms.term_info(field, term)))
    return found


def posting_lists_by_prefix(
    snapshot: Snapshot, field: str, prefix: str, limit: int
) -> Iterator[tuple[str, PostingList]]:
    """Of each segment the first `limit` words of a field that begin so, with their lists."""
    start = prefix.encode()
    for leaf, base in snapshot.leaves:
        if field not in leaf._terms.indexed_field_names():
            continue
        for (name, term), info in islice(leaf._terms.items_from(field, start), limit):
            if name != field or not term.startswith(start):
                break
            yield term.decode(), PostingList(leaf, base, field, info)


def apostrophe_variants(
    snapshot: Snapshot, word: str, *, is_prefix: bool = False
) -> dict[Phrase, int]:
    """The names that this word is without their apostrophe, in parts, with the number of documents that have each.

    {("qur", "an"): 7} for "quran". Of a prefix the names that begin so; the most frequent of those looked at.
    """
    found: Counter[Phrase] = Counter()
    limit = MAX_PREFIX_VARIANTS if is_prefix else MAX_VARIANTS
    for term, entry in posting_lists_by_prefix(
        snapshot, JOINED, word if is_prefix else f"{word} ", limit
    ):
        found[tuple(term.split(" ")[1:])] += entry.document_frequency
    return dict(found.most_common(MAX_VARIANTS))


def decode_positions(encoded: bytes) -> list[int]:
    """The places of a word in a document, counted in words from 0; the same as Whoosh decodes them, but faster."""
    return list(accumulate(pickle.loads(encoded[_COUNT_BYTES:])))  # noqa: S301 - Whoosh's own, where only we may write
