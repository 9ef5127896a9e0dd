"""A better spelling of what was typed, from the archive's own words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from whoosh.codec.base import Automata

from spectator.search.budget import MOST_SPELLING_STEPS, Budget
from spectator.search.postings import entries, names_without_apostrophe
from spectator.search.query import LONGEST_TEXT, parse
from spectator.search.snapshot import Snapshot
from spectator.text.folding import tokens

# Where spellings are looked for first, because headlines and names are seldom misspelt; and where a word that is in
# so many stories' texts stands for itself.
FIELDS = ("headline", "names")
SHORTEST_WORD = 4
LONG_WORD = 8
LONGEST_WORD = 20
STATES_A_STEP = 4  # of an automaton: making four of its states costs about as much as a step through a list
USUAL_WORD = 2
MOST_WORDS = 4


def better_spelling(snapshot: Snapshot, text: str) -> str:
    """The text with each word that hardly any story has put right, as far as the archive knows better; else ""."""
    text = text[:LONGEST_TEXT]
    search_budget, snapshot.budget = snapshot.budget, Budget(MOST_SPELLING_STEPS)
    try:
        return _respelt(snapshot, text)
    finally:
        spent = snapshot.budget.spent
        snapshot.budget = search_budget
        snapshot.budget.spend(min(spent, MOST_SPELLING_STEPS))


def _respelt(snapshot: Snapshot, text: str) -> str:
    known = {clause.words[0] for clause in parse(text).wanted if clause.is_plain and len(clause.words) == 1}
    parts, end, done = [], 0, 0
    for token in tokens(text):
        if token.text not in known or len(token.text) < SHORTEST_WORD or done == MOST_WORDS:
            continue
        if _frequency(snapshot, "body", token.text) > USUAL_WORD or names_without_apostrophe(snapshot, token.text):
            continue
        done += 1
        better = _nearest(snapshot, token.text)
        if better:
            parts += [text[end : token.start], better]
            end = token.end
    return "".join([*parts, text[end:]]) if parts else ""


def _nearest(snapshot: Snapshot, word: str) -> str:
    """The word of the archive that is nearest to one, the more frequent of several; "" where none is near."""
    if len(word) > LONGEST_WORD:
        return ""
    for distance in range(1, 3 if len(word) >= LONG_WORD else 2):
        found = {each for each in _near(snapshot, word, distance) if each != word}
        if found:
            return max(sorted(found), key=lambda each: _frequency(snapshot, "body", each))
    return ""


def _near(snapshot: Snapshot, word: str, distance: int) -> Iterator[str]:
    """Words at this distance at most, in letters to change, that begin with the same letter.

    One automaton serves every field of every segment: making it costs more than the walk through a list of words.
    """
    automaton = Automata.levenshtein_dfa(word, distance, prefix=1)
    snapshot.budget.spend(len(automaton.transitions) // STATES_A_STEP)
    for leaf, _ in snapshot.leaves:
        for field in FIELDS:
            cursor = leaf.cursor(leaf.schema[field].spelling_fieldname(field))
            yield from Automata.find_matches(automaton, _CountedCursor(cursor, snapshot.budget))


class _CountedCursor:
    """A cursor in a list of words that counts its steps, and stands at the end once the budget is spent."""

    def __init__(self, cursor: Any, budget: Budget) -> None:
        self._cursor = cursor
        self._budget = budget

    def text(self) -> str | None:
        """The word at the cursor, None at the end."""
        word: str | None = None if self._budget.is_spent else self._cursor.text()
        return word

    def find(self, word: str) -> None:
        """Go on to the first word that is not before this one."""
        if self._budget.spend():
            self._cursor.find(word)


def _frequency(snapshot: Snapshot, field: str, word: str) -> int:
    return sum(entry.frequency for entry in entries(snapshot, field, word))
