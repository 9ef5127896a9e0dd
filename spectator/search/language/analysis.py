"""The words of a text as they are indexed: folded, exact, stemmed and joined."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from whoosh.lang.porter import stem as _porter_stem

from spectator.text.words.apostrophes import joinable_names
from spectator.text.words.folding import strip_invisible, word_runs

# Shorter words are not stemmed.
MIN_STEMMED_LENGTH = 4


@dataclass(frozen=True, slots=True)
class AnalyzedText:
    """The words of a text, in order.

    `folded` has all of them; `exact` has the originals that folding changed. `joined` has a
    `joined_term` for each name that may also be spelt without its apostrophe.
    """

    folded: list[str]
    exact: list[str]
    joined: list[str]


def analyze(text: str) -> AnalyzedText:
    """Return the words of any text."""
    words = AnalyzedText([], [], [])
    is_ascii = text.isascii()
    for run in word_runs(text):
        for token in run:
            words.folded.append(token.text)
            exact = token.text if is_ascii else exact_form(text[token.start : token.end])
            if exact != token.text:
                words.exact.append(exact)
        if len(run) > 1:
            words.joined.extend(
                joined_term([part.text for part in name]) for name in joinable_names(run, text)
            )
    return words


def joined_term(parts: Sequence[str]) -> str:
    """Return the index term of a name with an apostrophe: joined, then split ("quran qur an")."""
    return " ".join(("".join(parts), *parts))


def exact_form(word: str) -> str:
    """Return a word in lower case and NFC, with its accents and homophone letters."""
    return unicodedata.normalize("NFC", strip_invisible(word)).lower()


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Return the stem of a folded English word (Porter, 1980), or any other word unchanged."""
    if len(word) < MIN_STEMMED_LENGTH or not (word.isascii() and word.isalpha()):
        return word
    return str(_porter_stem(word))


def stem_words(words: Sequence[str], language: str) -> list[str]:
    """Return the stems that differ from their words if the language is English, else none."""
    if not is_english(language):
        return []
    return [stemmed for word in words if (stemmed := stem(word)) != word]


class Highlights(frozenset[str]):
    """Folded words to highlight. It also contains every word with the same English stem."""

    @cached_property
    def _stems(self) -> frozenset[str]:
        return frozenset(map(stem, self))

    def __contains__(self, word: object) -> bool:
        """Return whether a folded word, or another word with its stem, is in the set."""
        return super().__contains__(word) or (isinstance(word, str) and stem(word) in self._stems)


def is_english(language: str) -> bool:
    """Return whether a BCP 47 tag stands for English."""
    return language.partition("-")[0].lower() == "en"
