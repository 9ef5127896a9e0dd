"""A better spelling of what was typed, from the archive's own words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from whoosh.codec.base import Automata

from spectator.search.language.query import MAX_QUERY_LENGTH, parse_query
from spectator.search.whoosh.budget import MAX_SPELLING_STEPS, Budget
from spectator.search.whoosh.reader import apostrophe_variants, posting_lists
from spectator.search.whoosh.snapshot import Snapshot
from spectator.text.words.folding import tokens

# Where spellings are looked for first, because headlines and names are seldom misspelt; and where a word that is in
# so many stories' texts stands for itself.
DICTIONARY_FIELDS = ("headline", "names")
MIN_WORD_LENGTH = 4
TWO_EDITS_MIN_LENGTH = 8
MAX_WORD_LENGTH = 20
STATES_PER_STEP = (
    4  # of an automaton: making four of its states costs about as much as a step through a list
)
KNOWN_WORD_FREQUENCY = 2
MAX_CORRECTED_WORDS = 4


def suggest_spelling(snapshot: Snapshot, text: str) -> str:
    """The text with each word that hardly any story has put right, as far as the archive knows better; else ""."""
    text = text[:MAX_QUERY_LENGTH]
    search_budget, snapshot.budget = snapshot.budget, Budget(MAX_SPELLING_STEPS)
    try:
        return _correct_words(snapshot, text)
    finally:
        spent = snapshot.budget.spent
        snapshot.budget = search_budget
        snapshot.budget.spend(min(spent, MAX_SPELLING_STEPS))


def _correct_words(snapshot: Snapshot, text: str) -> str:
    known = {
        clause.words[0]
        for clause in parse_query(text).included
        if clause.is_plain and len(clause.words) == 1
    }
    parts, end, done = [], 0, 0
    for token in tokens(text):
        if (
            token.text not in known
            or len(token.text) < MIN_WORD_LENGTH
            or done == MAX_CORRECTED_WORDS
        ):
            continue
        if _word_frequency(
            snapshot, "body", token.text
        ) > KNOWN_WORD_FREQUENCY or apostrophe_variants(snapshot, token.text):
            continue
        done += 1
        better = _nearest_word(snapshot, token.text)
        if better:
            parts += [text[end : token.start], better]
            end = token.end
    return "".join([*parts, text[end:]]) if parts else ""


def _nearest_word(snapshot: Snapshot, word: str) -> str:
    """The word of the archive that is nearest to one, the more frequent of several; "" where none is near."""
    if len(word) > MAX_WORD_LENGTH:
        return ""
    for distance in range(1, 3 if len(word) >= TWO_EDITS_MIN_LENGTH else 2):
        found = {each for each in _words_within(snapshot, word, distance) if each != word}
        if found:
            return max(sorted(found), key=lambda each: _word_frequency(snapshot, "body", each))
    return ""


def _words_within(snapshot: Snapshot, word: str, distance: int) -> Iterator[str]:
    """Words at this distance at most, in letters to change, that begin with the same letter.

    One automaton serves every field of every segment: making it costs more than the walk through a list of words.
    """
    automaton = Automata.levenshtein_dfa(word, distance, prefix=1)
    snapshot.budget.spend(len(automaton.transitions) // STATES_PER_STEP)
    for leaf, _ in snapshot.leaves:
        for field in DICTIONARY_FIELDS:
            cursor = leaf.cursor(leaf.schema[field].spelling_fieldname(field))
            yield from Automata.find_matches(automaton, _BudgetedCursor(cursor, snapshot.budget))


class _BudgetedCursor:
    """A cursor in a list of words that counts its steps, and stands at the end once the budget is spent."""

    def __init__(self, cursor: Any, budget: Budget) -> None:
        self._cursor = cursor
        self._budget = budget

    def text(self) -> str | None:
        """The word at the cursor, None at the end."""
        word: str | None = None if self._budget.is_exhausted else self._cursor.text()
        return word

    def find(self, word: str) -> None:
        """Go on to the first word that is not before this one."""
        if self._budget.spend():
            self._cursor.find(word)


def _word_frequency(snapshot: Snapshot, field: str, word: str) -> int:
    return sum(entry.document_frequency for entry in posting_lists(snapshot, field, word))
