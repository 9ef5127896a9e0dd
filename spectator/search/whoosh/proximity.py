"""Words that stand close together answer better: the best are sorted again by the shortest stretch with all words."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from spectator.search.whoosh.reader import decode_positions, posting_lists
from spectator.search.whoosh.scoring import PostingLists, Scores
from spectator.search.whoosh.snapshot import Snapshot

# Of how many documents the places of words are looked at, how many places of a word, what is gained at most, and how
# fast that falls as the words stand further apart. Tuned on sentences and headlines of news in ten languages.
RERANK_DEPTH = 100
MAX_POSITIONS = 200
MAX_BOOST = {"headline": 20.0, "body": 8.0}
BOOST_DECAY = 0.7


def rerank(
    snapshot: Snapshot, scores: Scores, words: Sequence[str], ranked: Sequence[int]
) -> list[int]:
    """The documents in `ranked`, best first, its first 100 put in order anew by how close the words stand in them."""
    first, rest = list(ranked[:RERANK_DEPTH]), list(ranked[RERANK_DEPTH:])
    gains = dict.fromkeys(first, 1.0)
    lists = PostingLists(snapshot, first)
    for field, gain in MAX_BOOST.items():
        found = {word: posting_lists(snapshot, field, word) for word in words}
        if not all(found.values()):
            continue
        for document, encoded in lists.term_positions(found).items():
            places = [decode_positions(each)[:MAX_POSITIONS] for each in encoded.values()]
            gains[document] += (
                gain * ((len(places) - 1) / (shortest_span(places) - 1)) ** BOOST_DECAY
            )
    first.sort(key=lambda document: -scores[document] * gains[document])
    return first + rest


def shortest_span(position_lists: Sequence[Sequence[int]]) -> int:
    """The number of words in the shortest stretch of text with one of each list of places; lists are sorted."""
    heads = [(each[0], number, 0) for number, each in enumerate(position_lists)]
    heapq.heapify(heads)
    last = max(head[0] for head in heads)
    best = last - heads[0][0] + 1
    while True:
        place, number, index = heads[0]
        best = min(best, last - place + 1)
        if index + 1 == len(position_lists[number]):
            return best
        following = position_lists[number][index + 1]
        last = max(last, following)
        heapq.heapreplace(heads, (following, number, index + 1))
