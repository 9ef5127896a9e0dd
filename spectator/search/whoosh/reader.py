"""Look-ups of words, prefixes and names in all segments of a snapshot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import islice

from spectator.search.language.query import Phrase
from spectator.search.whoosh.internals import (
    PostingList,
    posting_list,
    posting_lists_with_prefix,
)
from spectator.search.whoosh.schema import JOINED
from spectator.search.whoosh.snapshot import Snapshot

# Names with an apostrophe that one word, or one prefix, may be expanded to.
MAX_VARIANTS, MAX_PREFIX_VARIANTS = 4, 50


def posting_lists(snapshot: Snapshot, field: str, word: str) -> list[PostingList]:
    """Return the word's posting list in each segment that has it."""
    lists = []
    for leaf, base in snapshot.leaves:
        if not snapshot.budget.spend():
            break
        if postings := posting_list(leaf, base, field, word):
            lists.append(postings)
    return lists


def posting_lists_by_prefix(
    snapshot: Snapshot,
    field: str,
    prefix: str,
    limit: int,
    documents: frozenset[int] | None = None,
) -> list[tuple[str, PostingList]]:
    """Return the first `limit` words of each segment that start with a prefix, with their lists.

    If `documents` are given, exactly their words are returned: which words a limit leaves out would
    depend on other documents.
    """
    if documents is not None:
        return _words_of(snapshot, field, prefix, documents)
    return [
        pair
        for leaf, base in snapshot.leaves
        for pair in islice(posting_lists_with_prefix(leaf, base, field, prefix), limit)
    ]


def _words_of(
    snapshot: Snapshot, field: str, prefix: str, documents: frozenset[int]
) -> list[tuple[str, PostingList]]:
    sorted_documents = sorted(documents)
    pairs: list[tuple[str, PostingList]] = []
    for leaf, base in snapshot.leaves:
        for word, postings in posting_lists_with_prefix(leaf, base, field, prefix):
            if not snapshot.budget.spend():
                return pairs
            blocks = postings.blocks(sorted_documents)
            if any(not documents.isdisjoint(block.documents) for block in blocks):
                pairs.append((word, postings))
    return pairs


def total_frequency(postings: Iterable[PostingList]) -> int:
    """Return the number of documents in these posting lists, including deleted ones."""
    return sum(posting_list.document_frequency for posting_list in postings)


def word_frequency(snapshot: Snapshot, word: str) -> int:
    """Return in how many documents' bodies a word occurs, including deleted ones."""
    return total_frequency(posting_lists(snapshot, "body", word))


def apostrophe_variants(
    snapshot: Snapshot,
    word: str,
    *,
    is_prefix: bool = False,
    documents: frozenset[int] | None = None,
) -> dict[Phrase, int]:
    """Return the names that give this word without their apostrophe, with document frequencies.

    "quran" gives {("qur", "an"): 7}. A prefix gives the names that start with it.
    Only the `MAX_VARIANTS` most frequent names are returned; if `documents` are given, all names
    that occur in them.
    """
    frequencies: Counter[Phrase] = Counter()
    limit = MAX_PREFIX_VARIANTS if is_prefix else MAX_VARIANTS
    for term, postings in posting_lists_by_prefix(
        snapshot, JOINED, word if is_prefix else f"{word} ", limit, documents
    ):
        frequencies[tuple(term.split(" ")[1:])] += postings.document_frequency
    return dict(frequencies.most_common(MAX_VARIANTS if documents is None else None))
