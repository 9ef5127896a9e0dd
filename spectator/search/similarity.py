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

MOST_TERMS = 15
HEADLINE_WEIGHT = 2
# A word of a story that hardly any other has tells nothing about others; nor does one that a third of them have.
RAREST = 2
COMMONEST = 0.3
FEW = 10  # stories are never many: a young archive has not enough to tell what is common
SHORTEST_WORD = 3
# How many words, by their number in the story, are looked up to find the most telling.
MOST_CANDIDATES = 120


def similar(snapshot: Snapshot, document: Document, limit: int) -> list[Similar]:
    """See `Index.similar`."""
    terms = telling_terms(snapshot, document)
    lists, scores = Lists(snapshot), Scores()
    for word, weight in terms:
        for field, factor in (("headline", HEADLINE_WEIGHT), ("body", 1)):
            for entry in entries(snapshot, field, word):
                lists.add(scores, entry, weight * factor)
    own = snapshot.document_of.get(document.id)
    best = scores.pop(own, 0.0) if own is not None else 0.0
    best = best or max(scores.values(), default=0.0)
    for each in snapshot.deleted:
        scores.pop(each, None)
    ranked = nlargest(limit, scores, key=lambda each: (scores[each], snapshot.published[each]))
    return [Similar(snapshot.article[each], min(1.0, scores[each] / best)) for each in ranked]


def telling_terms(snapshot: Snapshot, document: Document) -> list[tuple[str, float]]:
    """The 15 words that tell most about a document, with tf-idf as their weight; in the headline they count twice."""
    counts = Counter(words_of(f"{document.dek}\n{document.body}").folded)
    for word in words_of(document.headline).folded:
        counts[word] += HEADLINE_WEIGHT
    number = len(snapshot.article)
    weighed = []
    for word, count in counts.most_common():
        if len(word) < SHORTEST_WORD or word.isdecimal():
            continue
        frequency = snapshot.frequency_of(word)
        if RAREST <= frequency <= max(FEW, COMMONEST * number):
            weighed.append((word, (1 + math.log(count)) * math.log(1 + number / frequency)))
    return nlargest(MOST_TERMS, weighed, key=lambda term: (term[1], term[0]))
