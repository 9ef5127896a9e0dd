"""Similar stories: BM25 over the key terms of a document."""

from __future__ import annotations

from heapq import nlargest

from spectator.search import SimilarArticle
from spectator.search.language.key_terms import WordCounts, key_terms
from spectator.search.whoosh.reader import posting_lists
from spectator.search.whoosh.scoring import PostingLists, Scores
from spectator.search.whoosh.snapshot import Snapshot


def more_like_this(
    snapshot: Snapshot, article_id: int, words: WordCounts, limit: int
) -> list[SimilarArticle]:
    """Return the articles most similar to these words, as `Index.more_like_this` describes."""
    lists, scores = PostingLists(snapshot), Scores()
    for word, weight in key_terms(words, len(snapshot.article_ids), snapshot.document_frequency):
        for field in ("headline", "body"):
            for posting_list in posting_lists(snapshot, field, word):
                lists.add_scores(scores, posting_list, weight)
    own = snapshot.document_numbers.get(article_id)
    # The score of the document itself or, if it is not indexed, the best score.
    full_score = scores.pop(own, 0.0) if own is not None else 0.0
    full_score = full_score or max(scores.values(), default=0.0)
    for number in snapshot.deleted:
        scores.pop(number, None)
    ranked = nlargest(
        limit, scores, key=lambda number: (scores[number], snapshot.published_at[number])
    )
    return [
        SimilarArticle(snapshot.article_ids[number], min(1.0, scores[number] / full_score))
        for number in ranked
    ]
