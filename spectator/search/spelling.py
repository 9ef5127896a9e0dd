"""A better spelling of what was typed, from the archive's own words."""

from __future__ import annotations

from collections.abc import Iterator

from spectator.search.postings import entries, names_without_apostrophe
from spectator.search.query import LONGEST_TEXT, parse
from spectator.search.snapshot import Snapshot
from spectator.text.folding import tokens

# Where spellings are looked for first, because headlines and names are seldom misspelt; and where a word that is in
# so many stories' texts stands for itself.
FIELDS = ("headline", "names")
SHORTEST_WORD = 4
LONG_WORD = 8
USUAL_WORD = 2
MOST_WORDS = 4


def better_spelling(snapshot: Snapshot, text: str) -> str:
    """The text with each word that hardly any story has put right, as far as the archive knows better; else ""."""
    text = text[:LONGEST_TEXT]
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
    for distance in range(1, 3 if len(word) >= LONG_WORD else 2):
        found = {each for each in _near(snapshot, word, distance) if each != word}
        if found:
            return max(sorted(found), key=lambda each: _frequency(snapshot, "body", each))
    return ""


def _near(snapshot: Snapshot, word: str, distance: int) -> Iterator[str]:
    """Words at this distance at most, in letters to change, that begin with the same letter."""
    for leaf, _ in snapshot.leaves:
        for field in FIELDS:
            yield from leaf.terms_within(field, word, distance, prefix=1)


def _frequency(snapshot: Snapshot, field: str, word: str) -> int:
    return sum(entry.frequency for entry in entries(snapshot, field, word))
