"""Stories that read like another: BM25 of its most telling words."""

from __future__ import annotations

import math
from collections import Counter
from heapq import nlargest

from spectator.search import Document, SimilarArticle
from spectator.search.language.analysis import analyze
from spectator.search.whoosh.reader import posting_lists
from spectator.search.whoosh.scoring import PostingLists, Scores
from spectator.search.whoosh.snapshot import Snapshot

MAX_TERMS = 15  # besides the words of the headline, which count twice
HEADLINE_WEIGHT = 2
# A word of a story that hardly any other has tells nothing about others; nor does one that half of them have.
MIN_DOCUMENTS = 2
# In a large archive a word that thousands have costs more to look at than it tells.
MAX_DOCUMENT_SHARE, MAX_DOCUMENTS = 0.5, 1500
SMALL_ARCHIVE_DOCUMENTS = (
    10  # stories are never many: a young archive has not enough to tell what is common
)
MIN_WORD_LENGTH = 3
# How fast a word's number and its rarity count; tuned on English news by whether the stories found are of one category.
TF_POWER, IDF_POWER = 0.75, 0.5


def more_like_this(snapshot: Snapshot, document: Document, limit: int) -> list[SimilarArticle]:
    """See `Index.similar`."""
    lists, scores = PostingLists(snapshot), Scores()
    for word, weight in key_terms(snapshot, document):
        for field in ("headline", "body"):
            for entry in posting_lists(snapshot, field, word):
                lists.add_scores(scores, entry, weight)
    own = snapshot.document_numbers.get(document.id)
    best = scores.pop(own, 0.0) if own is not None else 0.0
    best = best or max(scores.values(), default=0.0)
    for each in snapshot.deleted:
        scores.pop(each, None)
    ranked = nlargest(limit, scores, key=lambda each: (scores[each], snapshot.published_at[each]))
    return [
        SimilarArticle(snapshot.article_ids[each], min(1.0, scores[each] / best)) for each in ranked
    ]


def key_terms(snapshot: Snapshot, document: Document) -> list[tuple[str, float]]:
    """The words of a document's headline and the 15 that tell most about it, each with its weight (tf-idf)."""
    counts = Counter(analyze(f"{document.dek}\n{document.body}").folded)
    headline = analyze(document.headline).folded
    for word in headline:
        counts[word] += HEADLINE_WEIGHT
    number, weights = len(snapshot.article_ids), {}
    for word, count in counts.items():
        if len(word) < MIN_WORD_LENGTH or word.isdecimal():
            continue
        frequency = snapshot.document_frequency(word)
        if (
            MIN_DOCUMENTS
            <= frequency
            <= max(SMALL_ARCHIVE_DOCUMENTS, min(MAX_DOCUMENT_SHARE * number, MAX_DOCUMENTS))
        ):
            weights[word] = count**TF_POWER * math.log(1 + number / frequency) ** IDF_POWER
    best = nlargest(MAX_TERMS, weights, key=lambda word: (weights[word], word))
    return [(word, weights[word]) for word in dict.fromkeys([*best, *headline]) if word in weights]
