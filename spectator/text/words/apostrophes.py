"""Words with an apostrophe: names that may be spelt without it, elisions, endings.

A run is what `folding.word_runs` yields: words with only apostrophes between them, such as
("l", "afrique").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from spectator.text.words.folding import Token

MAX_PARTS = 4
MAX_JOINED_LENGTH = 64

# French and Italian elisions, before a vowel or an h: "l'Afrique", "qu'elle".
_ELIDED = frozenset("l d j m t s c n qu jusqu lorsqu puisqu quoiqu".split())
_VOWELS = ("a", "e", "i", "o", "u", "y", "h")
# English endings after an apostrophe: "Kenya's", "don't", "they've".
_POSSESSIVE = "s"
_ENDINGS = frozenset({_POSSESSIVE, "t", "re", "ve", "ll", "d", "m"})


def starts_with_elision(words: Sequence[str]) -> bool:
    """Return whether the first of these folded words is an elided article or pronoun."""
    return len(words) > 1 and words[0] in _ELIDED and words[1].startswith(_VOWELS)


def strip_possessive(words: Sequence[str]) -> tuple[str, ...]:
    """Return folded words without a possessive "s": ("kenya", "s") becomes ("kenya",)."""
    return tuple(words[:-1] if len(words) > 1 and words[-1] == _POSSESSIVE else words)


def joinable_names(run: Sequence[Token], text: str) -> Iterator[Sequence[Token]]:
    """Yield the names in a run of words that may also be spelt without their apostrophe.

    "Qur'an" gives (Qur, an), "N'Djamena's" gives (N, Djamena). An elided article is part of a name
    only before a capital letter ("L'Oréal", but not "d'une"); an English ending never is.
    """
    end = len(run) - 1 if run[-1].text in _ENDINGS else len(run)
    first = max(end - MAX_PARTS, 0)
    if not all(token.text in _ELIDED for token in run[:first]):
        return
    for start in range(first, end - 1):
        words = [token.text for token in run[start:end]]
        is_short = sum(map(len, words)) <= MAX_JOINED_LENGTH
        if is_short and (not starts_with_elision(words) or text[run[start + 1].start].isupper()):
            yield run[start:end]
        # A later name could only follow an elided word, as in "d'N'Djamena".
        if words[0] not in _ELIDED:
            return
