"""The words of a text as every engine indexes them: folded, exact and joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spectator.text.words.apostrophes import joinable_names
from spectator.text.words.folding import strip_invisible, word_runs
from spectator.text.words.normalization import normalize

# A long novel has some 20,000 different words. A hostile text of a megabyte could have several
# hundred thousand, and each costs the index memory.
MAX_DISTINCT_WORDS = 30_000
CHECK_INTERVAL = 10_000  # in words


@dataclass(frozen=True, slots=True)
class AnalyzedText:
    """The words of a text, in order.

    `folded` has all of them; `exact` has the originals that folding changed. `joined` has a
    `joined_term` for each name that may also be spelt without its apostrophe.
    """

    folded: list[str]
    exact: list[str]
    joined: list[str]

    def count_distinct(self) -> int:
        """Return the number of different words, of all three kinds together."""
        return len({*self.folded, *self.exact, *self.joined})


def analyze(text: str) -> AnalyzedText:
    """Return the words of any text, up to about where it exceeds `MAX_DISTINCT_WORDS`."""
    analyzed = AnalyzedText([], [], [])
    is_ascii = text.isascii()
    next_check = CHECK_INTERVAL
    for run in word_runs(text):
        for token in run:
            analyzed.folded.append(token.text)
            exact = token.text if is_ascii else exact_form(text[token.start : token.end])
            if exact != token.text:
                analyzed.exact.append(exact)
        if len(run) > 1:
            analyzed.joined.extend(
                joined_term([part.text for part in name]) for name in joinable_names(run, text)
            )
        if len(analyzed.folded) >= next_check:
            if analyzed.count_distinct() > MAX_DISTINCT_WORDS:
                break
            next_check += CHECK_INTERVAL
    return analyzed


def joined_term(parts: Sequence[str]) -> str:
    """Return the index term of a name with an apostrophe: joined, then split ("quran qur an")."""
    return " ".join(("".join(parts), *parts))


def exact_form(word: str) -> str:
    """Return a word in lower case and NFC, with its accents and its letters of equal sound."""
    return normalize(strip_invisible(word)).lower()


def is_english(language: str) -> bool:
    """Return whether a BCP 47 tag stands for English."""
    return language.partition("-")[0].lower() == "en"
