"""Similar stories: BM25 over the key terms of a document."""

from __future__ import annotations

from heapq import nlargest

from spectator.search import SimilarArticle
from spectator.search.language.key_terms import WordCounts, is_candidate, key_terms
from spectator.search.postgres.matchers import bm25, quote
from spectator.search.postgres.ranker import sum_impacts
from spectator.search.postgres.reader import Reader
from spectator.search.postgres.selection import Selection
from spectator.search.postgres.terms import FREQUENT, HEADLINE, StoredText, is_indexable

SCORED_PER_RESULT = 5


def more_like_this(
    reader: Reader, article_id: int, words: WordCounts, limit: int
) -> list[SimilarArticle]:
    """Return the articles most similar to these words, as `Index.more_like_this` describes."""
    candidates = [word for word in words.counts if is_candidate(word) and is_indexable(word)]
    frequencies = reader.document_frequencies(candidates)
    terms = key_terms(
        words, reader.generation.document_count, lambda word: frequencies.get(word, 0)
    )
    if not terms:
        return []
    impacts = [
        (weight * share, Selection().matching(quote(kind + word)))
        for word, weight in terms
        for kind, share in (("", 1.0), (HEADLINE, 1.0), (FREQUENT, 0.5))
    ]
    ids = sum_impacts(reader, impacts, limit * SCORED_PER_RESULT, 0)
    scores, published = dict[int, float](), dict[int, int]()
    for text in reader.texts({*ids, article_id}):
        scores[text.article_id], published[text.article_id] = _score(text, terms), text.published
    # The score of the document itself or, if it is not indexed, the best score.
    full_score = scores.pop(article_id, 0.0) or max(scores.values(), default=0.0)
    ranked = nlargest(limit, scores, key=lambda key: (scores[key], published[key]))
    return [
        SimilarArticle(key, min(1.0, scores[key] / full_score)) for key in ranked if scores[key]
    ]


def _score(text: StoredText, terms: list[tuple[str, float]]) -> float:
    return sum(
        weight * bm25(len(positions), text.norm(field))
        for word, weight in terms
        for field, positions in text.field_positions(word)
        if field != "names"
    )
