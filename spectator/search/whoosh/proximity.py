"""Reranking of the best results by how close together the query's words occur."""

from __future__ import annotations

from collections.abc import Sequence

from spectator.search.relevance import MAX_BOOST, MAX_POSITIONS, RERANK_DEPTH, proximity_boost
from spectator.search.whoosh.internals import decode_positions, position_steps
from spectator.search.whoosh.reader import posting_lists
from spectator.search.whoosh.scoring import PostingLists, Scores
from spectator.search.whoosh.snapshot import Snapshot


def rerank(
    snapshot: Snapshot, scores: Scores, words: Sequence[str], ranked: Sequence[int]
) -> list[int]:
    """Return `ranked` with its first 100 documents reranked by how close together the words are."""
    first, rest = list(ranked[:RERANK_DEPTH]), list(ranked[RERANK_DEPTH:])
    boosts = dict.fromkeys(first, 1.0)
    lists = PostingLists(snapshot, first)
    for field in MAX_BOOST:
        postings = {word: posting_lists(snapshot, field, word) for word in words}
        if not all(postings.values()):
            continue
        for document, positions in lists.term_positions(postings).items():
            if not snapshot.budget.spend(sum(map(position_steps, positions.values()))):
                break
            decoded = [
                decode_positions(encoded)[:MAX_POSITIONS] for encoded in positions.values()
            ]
            boosts[document] += proximity_boost(field, decoded)
    first.sort(key=lambda document: -scores[document] * boosts[document])
    return first + rest
