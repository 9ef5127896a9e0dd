"""Spelling suggestions from the archive's own words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from whoosh.codec.base import Automata

from spectator.search.language.query import MAX_QUERY_LENGTH, parse_query
from spectator.search.whoosh.budget import MAX_SPELLING_STEPS, Budget
from spectator.search.whoosh.reader import apostrophe_variants, posting_lists
from spectator.search.whoosh.snapshot import Snapshot
from spectator.text.words.folding import tokens

# Headlines and names are seldom misspelt.
DICTIONARY_FIELDS = ("headline", "names")
MIN_WORD_LENGTH = 4
TWO_EDITS_MIN_LENGTH = 8
MAX_WORD_LENGTH = 20
# Building four states of an automaton costs about as much as one step of the budget.
STATES_PER_STEP = 4
# A word in more stories than this is correct.
KNOWN_WORD_FREQUENCY = 2
MAX_CORRECTED_WORDS = 4


def suggest_spelling(snapshot: Snapshot, text: str) -> str:
    """Return the text with its rare words replaced by similar words of the archive, or ""."""
    text = text[:MAX_QUERY_LENGTH]
    search_budget, snapshot.budget = snapshot.budget, Budget(MAX_SPELLING_STEPS)
    try:
        return _correct_words(snapshot, text)
    finally:
        spent = snapshot.budget.spent
        snapshot.budget = search_budget
        snapshot.budget.spend(min(spent, MAX_SPELLING_STEPS))


def _correct_words(snapshot: Snapshot, text: str) -> str:
    candidates = {
        clause.words[0]
        for clause in parse_query(text).included
        if clause.is_plain and len(clause.words) == 1
    }
    parts, end, checked = [], 0, 0
    for token in tokens(text):
        word = token.text
        if word not in candidates or len(word) < MIN_WORD_LENGTH or checked == MAX_CORRECTED_WORDS:
            continue
        is_frequent = _word_frequency(snapshot, "body", word) > KNOWN_WORD_FREQUENCY
        if is_frequent or apostrophe_variants(snapshot, word):
            continue
        checked += 1
        correction = _nearest_word(snapshot, word)
        if correction:
            parts += [text[end : token.start], correction]
            end = token.end
    return "".join([*parts, text[end:]]) if parts else ""


def _nearest_word(snapshot: Snapshot, word: str) -> str:
    """Return the nearest word of the archive, the most frequent of several, or ""."""
    if len(word) > MAX_WORD_LENGTH:
        return ""
    for distance in range(1, 3 if len(word) >= TWO_EDITS_MIN_LENGTH else 2):
        neighbours = set(_words_within(snapshot, word, distance)) - {word}
        if neighbours:
            return max(
                sorted(neighbours),
                key=lambda neighbour: _word_frequency(snapshot, "body", neighbour),
            )
    return ""


def _words_within(snapshot: Snapshot, word: str, distance: int) -> Iterator[str]:
    """Yield words within this edit distance that start with the same letter.

    All fields and segments share one automaton, because building it costs more than matching.
    """
    automaton = Automata.levenshtein_dfa(word, distance, prefix=1)
    snapshot.budget.spend(len(automaton.transitions) // STATES_PER_STEP)
    for leaf, _ in snapshot.leaves:
        for field in DICTIONARY_FIELDS:
            cursor = leaf.cursor(leaf.schema[field].spelling_fieldname(field))
            yield from Automata.find_matches(automaton, _BudgetedCursor(cursor, snapshot.budget))


class _BudgetedCursor:
    """A cursor over terms that spends the budget, and is at the end once it is exhausted."""

    def __init__(self, cursor: Any, budget: Budget) -> None:
        self._cursor = cursor
        self._budget = budget

    def text(self) -> str | None:
        """Return the word at the cursor, or None at the end."""
        word: str | None = None if self._budget.is_exhausted else self._cursor.text()
        return word

    def find(self, word: str) -> None:
        """Move to the first word that is not before `word`."""
        if self._budget.spend():
            self._cursor.find(word)


def _word_frequency(snapshot: Snapshot, field: str, word: str) -> int:
    lists = posting_lists(snapshot, field, word)
    return sum(posting_list.document_frequency for posting_list in lists)
