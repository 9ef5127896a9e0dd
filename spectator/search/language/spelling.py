"""Spelling suggestions from the archive's own words."""

from __future__ import annotations

from spectator.search.language.lexicon import Lexicon
from spectator.search.language.parser import MAX_QUERY_LENGTH, parse_query
from spectator.text.words.folding import tokens

MIN_WORD_LENGTH = 4
TWO_EDITS_MIN_LENGTH = 8
MAX_WORD_LENGTH = 20
# A word in more stories than this is correct.
KNOWN_WORD_FREQUENCY = 2
MAX_CHECKED_WORDS = 4


def suggest_spelling(lexicon: Lexicon, text: str) -> str:
    """Return the text with its rare words replaced by similar words of the archive, or ""."""
    text = text[:MAX_QUERY_LENGTH]
    candidates = {
        clause.words[0]
        for clause in parse_query(text).included
        if clause.is_plain and len(clause.words) == 1
    }
    parts, end, checked = [], 0, 0
    for token in tokens(text):
        word = token.text
        if word not in candidates or len(word) < MIN_WORD_LENGTH or checked == MAX_CHECKED_WORDS:
            continue
        is_frequent = lexicon.word_frequency(word) > KNOWN_WORD_FREQUENCY
        if is_frequent or lexicon.is_name_without_apostrophe(word):
            continue
        checked += 1
        correction = _nearest_word(lexicon, word)
        if correction:
            parts += [text[end : token.start], correction]
            end = token.end
    return "".join([*parts, text[end:]]) if parts else ""


def _nearest_word(lexicon: Lexicon, word: str) -> str:
    """Return the nearest word of the archive, the most frequent of several, or ""."""
    if len(word) > MAX_WORD_LENGTH:
        return ""
    max_edits = 2 if len(word) >= TWO_EDITS_MIN_LENGTH else 1
    for distance in range(1, max_edits + 1):
        neighbours = set(lexicon.similar_words(word, distance)) - {word}
        if neighbours:
            return max(sorted(neighbours), key=lexicon.word_frequency)
    return ""
