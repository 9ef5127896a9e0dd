"""Stories that read like another: BM25 of its most telling words."""

from __future__ import annotations

import math
from collections import Counter
from heapq import nlargest

from spectator.search import Document, Similar
from spectator.search.analysis import words_of
from spectator.search.matching import Lists, Scores
from spectator.search.postings import entries
from spectator.search.snapshot import Snapshot

MOST_TERMS = 15  # besides the words of the headline, which count twice
HEADLINE_WEIGHT = 2
# A word of a story that hardly any other has tells nothing about others; nor does one that half of them have.
RAREST = 2
# In a large archive a word that thousands have costs more to look at than it tells.
COMMONEST, MOST_STORIES = 0.5, 1500
FEW = 10  # stories are never many: a young archive has not enough to tell what is common
SHORTEST_WORD = 3
# How fast a word's number and its rarity count; tuned on English news by whether the stories found are of one category.
COUNT_POWER, RARITY_POWER = 0.75, 0.5


def similar(snapshot: Snapshot, document: Document, limit: int) -> list[Similar]:
    """See `Index.similar`."""
    lists, scores = Lists(snapshot), Scores()
    for word, weight in telling_terms(snapshot, document):
        for field in ("headline", "body"):
            for entry in entries(snapshot, field, word):
                lists.add(scores, entry, weight)
    own = snapshot.document_of.get(document.id)
    best = scores.pop(own, 0.0) if own is not None else 0.0
    best = best or max(scores.values(), default=0.0)
    for each in snapshot.deleted:
        scores.pop(each, None)
    ranked = nlargest(limit, scores, key=lambda each: (scores[each], snapshot.published[each]))
    return [Similar(snapshot.article[each], min(1.0, scores[each] / best)) for each in ranked]


def telling_terms(snapshot: Snapshot, document: Document) -> list[tuple[str, float]]:
    """The words of a document's headline and the 15 that tell most about it, each with its weight (tf-idf)."""
    counts = Counter(words_of(f"{document.dek}\n{document.body}").folded)
    headline = words_of(document.headline).folded
    for word in headline:
        counts[word] += HEADLINE_WEIGHT
    number, weights = len(snapshot.article), {}
    for word, count in counts.items():
        if len(word) < SHORTEST_WORD or word.isdecimal():
            continue
        frequency = snapshot.frequency_of(word)
        if RAREST <= frequency <= max(FEW, min(COMMONEST * number, MOST_STORIES)):
            weights[word] = count**COUNT_POWER * math.log(1 + number / frequency) ** RARITY_POWER
    best = nlargest(MOST_TERMS, weights, key=lambda word: (weights[word], word))
    return [(word, weights[word]) for word in dict.fromkeys([*best, *headline]) if word in weights]
