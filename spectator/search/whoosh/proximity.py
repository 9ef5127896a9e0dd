"""Reranking of the best results by how close together the query's words occur."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from spectator.search.whoosh.internals import decode_positions, position_steps
from spectator.search.whoosh.reader import posting_lists
from spectator.search.whoosh.scoring import PostingLists, Scores
from spectator.search.whoosh.snapshot import Snapshot

# How many documents are reranked, how many positions of a word are compared, the largest boost, and
# how fast the boost falls with distance. Tuned on sentences and headlines of news in ten languages.
RERANK_DEPTH = 100
MAX_POSITIONS = 200
MAX_BOOST = {"headline": 20.0, "body": 8.0}
BOOST_DECAY = 0.7


def rerank(
    snapshot: Snapshot, scores: Scores, words: Sequence[str], ranked: Sequence[int]
) -> list[int]:
    """Return `ranked` with its first 100 documents reranked by how close together the words are."""
    first, rest = list(ranked[:RERANK_DEPTH]), list(ranked[RERANK_DEPTH:])
    boosts = dict.fromkeys(first, 1.0)
    lists = PostingLists(snapshot, first)
    for field, max_boost in MAX_BOOST.items():
        postings = {word: posting_lists(snapshot, field, word) for word in words}
        if not all(postings.values()):
            continue
        for document, positions in lists.term_positions(postings).items():
            if not snapshot.budget.spend(sum(map(position_steps, positions.values()))):
                break
            decoded = [decode_positions(encoded)[:MAX_POSITIONS] for encoded in positions.values()]
            density = (len(decoded) - 1) / (shortest_span(decoded) - 1)
            boosts[document] += max_boost * density**BOOST_DECAY
    first.sort(key=lambda document: -scores[document] * boosts[document])
    return first + rest


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
