"""Reading of Whoosh's posting lists a block at a time, ten times as fast as one document at a time.

This relies on the codec of the pinned Whoosh release. A posting list is a chain of blocks. Each
block is a pickled tuple (document number deltas, weights, positions) behind a header with the
number of its last document.
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

# Names with an apostrophe that one word, or one prefix, may be expanded to.
MAX_VARIANTS, MAX_PREFIX_VARIANTS = 4, 50

_COUNT_BYTES = 4


class PostingBlock(NamedTuple):
    """A block of a posting list: document numbers of the index, frequencies, encoded positions."""

    documents: Sequence[int]
    frequencies: Sequence[float]
    positions: Sequence[bytes]


class PostingList(NamedTuple):
    """A word's posting list in one segment, whose document numbers start at `base`."""

    leaf: Any
    base: int
    field: str
    info: Any

    @property
    def document_frequency(self) -> int:
        """The number of documents in the segment with the word, including deleted ones."""
        return int(self.info.doc_frequency())

    def blocks(self, documents: Sequence[int] | None = None) -> Iterator[PostingBlock]:
        """Yield the blocks with at least one of these sorted documents; by default, every block.

        Skipped blocks are not unpacked.
        """
        leaf, base = self.leaf, self.base
        format_ = leaf.schema[self.field].format
        chain = leaf.codec().postings_reader(leaf._terms._postfile, self.info, format_)
        index = 0
        while chain.is_active():
            last = base + chain.block_max_id()
            if documents is None:
                yield _unpack_block(chain, base)
            elif index == len(documents):
                return
            elif documents[index] <= last:
                yield _unpack_block(chain, base)
                index = bisect_right(documents, last, index)
            chain._next_block()


def _unpack_block(chain: Any, base: int) -> PostingBlock:
    chain._read_data()
    deltas, weights, positions = chain._data
    if weights is None or isinstance(weights, float):
        weights = [1.0 if weights is None else weights] * len(deltas)
    documents = list(accumulate(deltas, initial=base))[1:]
    return PostingBlock(documents, weights, positions or ())


def posting_lists(snapshot: Snapshot, field: str, word: str) -> list[PostingList]:
    """Return the word's posting list in each segment that has it."""
    lists, term = [], word.encode()
    for leaf, base in snapshot.leaves:
        if not snapshot.budget.spend():
            break
        with contextlib.suppress(TermNotFound):
            lists.append(PostingList(leaf, base, field, leaf._terms.term_info(field, term)))
    return lists


def posting_lists_by_prefix(
    snapshot: Snapshot, field: str, prefix: str, limit: int
) -> Iterator[tuple[str, PostingList]]:
    """Yield the first `limit` words of each segment that start with a prefix, with their lists."""
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
    """Return the names that give this word without their apostrophe, with document frequencies.

    "quran" gives {("qur", "an"): 7}. A prefix gives the names that start with it.
    Only the `MAX_VARIANTS` most frequent names are returned.
    """
    frequencies: Counter[Phrase] = Counter()
    limit = MAX_PREFIX_VARIANTS if is_prefix else MAX_VARIANTS
    for term, posting_list in posting_lists_by_prefix(
        snapshot, JOINED, word if is_prefix else f"{word} ", limit
    ):
        frequencies[tuple(term.split(" ")[1:])] += posting_list.document_frequency
    return dict(frequencies.most_common(MAX_VARIANTS))


def decode_positions(encoded: bytes) -> list[int]:
    """Return a word's positions in a document, from 0. Faster than Whoosh's own decoder."""
    # Whoosh writes these pickles, and only this user may write to the index directory.
    return list(accumulate(pickle.loads(encoded[_COUNT_BYTES:])))  # noqa: S301
