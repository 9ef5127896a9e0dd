"""How every engine ranks: weights of fields, BM25, and how close together words are."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence

# The text fields of a story, and their weights.
FIELD_WEIGHTS = {"headline": 2.5, "body": 1.0, "names": 1.5}
# Weights of a word that only shares the English stem of the query's word,
# and of a word spelt exactly as in the query.
STEM_WEIGHT, EXACT_WEIGHT = 0.4, 0.6
# The weight of another name than the one in the query, if that may be an ordinary word of another
# language: low enough that stories which have the words come first.
TRANSLATED_WEIGHT = 0.01
# The usual parameters of BM25 (Robertson and Zaragoza, 2009): k1 limits the weight of repeated
# words, b penalizes long texts. Average lengths are constants, so that norms never change.
BM25_K1, BM25_B = 1.2, 0.75
AVERAGE_LENGTHS = {"headline": 10, "body": 400}
# The part of BM25's denominator that depends on the length of a text: (base, slope in words).
LENGTH_NORMS = {
    field: (BM25_K1 * (1 - BM25_B), BM25_K1 * BM25_B / average)
    for field, average in AVERAGE_LENGTHS.items()
}
# Names are short, so BM25 does not normalize their length.
NAMES_LENGTH_NORM = BM25_K1

# When any word may match, words in more than this share of the stories are ignored
# if the query has rarer ones.
COMMON_WORD_SHARE = 0.1
# A spelling is suggested if at most this many stories have every word.
FEW_HITS = 2

# How many documents are reranked, how many positions of a word are compared, the largest boost, and
# how fast the boost falls with distance. Tuned on sentences and headlines of news in ten languages.
RERANK_DEPTH = 100
MAX_POSITIONS = 200
MAX_BOOST = {"headline": 20.0, "body": 8.0}
BOOST_DECAY = 0.7


def inverse_document_frequency(frequency: int, total: int) -> float:
    """Return the weight of a word that `frequency` of `total` documents have."""
    total = max(total, frequency)
    return math.log(1 + (total - frequency + 0.5) / (frequency + 0.5))


def proximity_boost(field: str, position_lists: Sequence[Sequence[int]]) -> float:
    """Return what the nearness of the query's words in a field adds to a factor of 1."""
    density = (len(position_lists) - 1) / (shortest_span(position_lists) - 1)
    boost: float = MAX_BOOST[field] * density**BOOST_DECAY
    return boost


def shortest_span(position_lists: Sequence[Sequence[int]]) -> int:
    """Return the length, in words, of the shortest span with a position from each sorted list."""
    # The next position of each list, with the list's number and the index in it.
    heads = [(positions[0], number, 0) for number, positions in enumerate(position_lists)]
    heapq.heapify(heads)
    last = max(position for position, _, _ in heads)
    best = last + 1  # at least as long as any span
    while True:
        first, number, index = heads[0]
        best = min(best, last - first + 1)
        if index + 1 == len(position_lists[number]):
            return best
        following = position_lists[number][index + 1]
        last = max(last, following)
        heapq.heapreplace(heads, (following, number, index + 1))
