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
    if not snapshot.budget.spend_word(len(snapshot.leaves)):
        return []
    lists = (posting_list(leaf, base, field, word) for leaf, base in snapshot.leaves)
    return [postings for postings in lists if postings]


def posting_lists_by_prefix(
    snapshot: Snapshot, field: str, prefix: str, limit: int
) -> list[tuple[str, PostingList]]:
    """Return the first `limit` words of each segment that start with a prefix, with their lists."""
    return [
        pair
        for leaf, base in snapshot.leaves
        for pair in islice(posting_lists_with_prefix(leaf, base, field, prefix), limit)
    ]


def total_frequency(postings: Iterable[PostingList]) -> int:
    """Return the number of documents in these posting lists, including deleted ones."""
    return sum(posting_list.document_frequency for posting_list in postings)


def word_frequency(snapshot: Snapshot, word: str) -> int:
    """Return in how many documents' bodies a word occurs, including deleted ones."""
    return total_frequency(posting_lists(snapshot, "body", word))


def apostrophe_variants(
    snapshot: Snapshot, word: str, *, is_prefix: bool = False
) -> dict[Phrase, int]:
    """Return the names that give this word without their apostrophe, with document frequencies.

    "quran" gives {("qur", "an"): 7}. A prefix gives the names that start with it.
    Only the `MAX_VARIANTS` most frequent names are returned.
    """
    frequencies: Counter[Phrase] = Counter()
    limit = MAX_PREFIX_VARIANTS if is_prefix else MAX_VARIANTS
    for term, postings in posting_lists_by_prefix(
        snapshot, JOINED, word if is_prefix else f"{word} ", limit
    ):
        frequencies[tuple(term.split(" ")[1:])] += postings.document_frequency
    return dict(frequencies.most_common(MAX_VARIANTS))
