"""The words that stand for a document when similar ones are looked for."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from heapq import nlargest
from typing import NamedTuple

from spectator.search import Document
from spectator.search.language.analysis import analyze

MAX_TERMS = 15  # in addition to the words of the headline, which count twice
HEADLINE_WEIGHT = 2
# Of the text, and of its different words: many more than an ordinary story has.
MAX_COUNTED_CHARACTERS, MAX_COUNTED_WORDS = 100_000, 2_000
# A word in no other story cannot match; words in more than half of all stories are ignored.
MIN_DOCUMENTS = 2
# In a large archive a word in thousands of stories costs more than it contributes.
MAX_DOCUMENT_SHARE, MAX_DOCUMENTS = 0.5, 1500
# A word in so few stories is never too common: a small archive does not show which words are.
SMALL_ARCHIVE_DOCUMENTS = 10
MIN_WORD_LENGTH = 3
# Exponents of term frequency and of idf, tuned on English news so that results share a category.
TF_POWER, IDF_POWER = 0.75, 0.5


class WordCounts(NamedTuple):
    """The words of a document, headline included, with their counts; and those of its headline."""

    counts: dict[str, int]
    headline: list[str]


def count_words(document: Document) -> WordCounts:
    """Count the words of a document: those of its headline, and the most frequent others.

    Only the start of a long text is read.
    """
    headline = analyze(document.headline).folded
    text = f"{document.dek}\n{document.body[:MAX_COUNTED_CHARACTERS]}"
    counts = Counter(analyze(text).folded)
    frequent = dict(counts.most_common(MAX_COUNTED_WORDS))
    for word in headline:
        frequent[word] = frequent.get(word, counts[word]) + HEADLINE_WEIGHT
    return WordCounts(frequent, headline)


def is_candidate(word: str) -> bool:
    """Return whether a word may be a key term, whatever its frequency."""
    return len(word) >= MIN_WORD_LENGTH and not word.isdecimal()


def key_terms(
    words: WordCounts, total: int, document_frequency: Callable[[str], int]
) -> list[tuple[str, float]]:
    """Return the `MAX_TERMS` best words and those of the headline, with tf-idf weights.

    `total` is the number of documents in the archive.
    """
    weights = {}
    max_frequency = max(SMALL_ARCHIVE_DOCUMENTS, min(MAX_DOCUMENT_SHARE * total, MAX_DOCUMENTS))
    for word, count in words.counts.items():
        frequency = document_frequency(word) if is_candidate(word) else 0
        if MIN_DOCUMENTS <= frequency <= max_frequency:
            weights[word] = count**TF_POWER * math.log(1 + total / frequency) ** IDF_POWER
    best = nlargest(MAX_TERMS, weights, key=lambda word: (weights[word], word))
    terms = dict.fromkeys([*best, *words.headline])
    return [(word, weights[word]) for word in terms if word in weights]
