"""The words of a text as the index keeps them: folded, exact, stemmed, joined."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from whoosh.lang.porter import stem as _porter_stem

from spectator.text.words.apostrophes import joinable_names
from spectator.text.words.folding import strip_invisible, word_runs

# Shorter words carry no ending worth cutting.
MIN_STEMMED_LENGTH = 4


@dataclass(frozen=True, slots=True)
class AnalyzedText:
    """A text's words in order: `folded` as they are searched, `exact` those that folding changed, as written.

    `joined` are the names among them that may also be written without their apostrophe, each as `joined_term` has it.
    """

    folded: list[str]
    exact: list[str]
    joined: list[str]


def analyze(text: str) -> AnalyzedText:
    """The words of any text."""
    words = AnalyzedText([], [], [])
    is_ascii = text.isascii()
    for run in word_runs(text):
        for token in run:
            words.folded.append(token.text)
            written = token.text if is_ascii else exact_form(text[token.start : token.end])
            if written != token.text:
                words.exact.append(written)
        if len(run) > 1:
            words.joined.extend(
                joined_term([part.text for part in name]) for name in joinable_names(run, text)
            )
    return words


def joined_term(parts: Sequence[str]) -> str:
    """Return what the index keeps of a name with an apostrophe: it in one word, and its parts ("quran qur an")."""
    return " ".join(("".join(parts), *parts))


def exact_form(word: str) -> str:
    """A word with its accents and homophone letters, but without case; the same for NFC and NFD."""
    return unicodedata.normalize("NFC", strip_invisible(word)).lower()


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """The stem of a folded English word; other words as they are (Porter, 1980)."""
    if len(word) < MIN_STEMMED_LENGTH or not (word.isascii() and word.isalpha()):
        return word
    return str(_porter_stem(word))


def stem_words(words: Sequence[str], language: str) -> list[str]:
    """The stems of an English text's words, where they differ from the word; none for other languages."""
    if not is_english(language):
        return []
    return [stemmed for word in words if (stemmed := stem(word)) != word]


class Highlights(frozenset[str]):
    """Folded words to highlight in a text; other words of the same English stem are in it too."""

    @cached_property
    def _stems(self) -> frozenset[str]:
        return frozenset(map(stem, self))

    def __contains__(self, word: object) -> bool:
        """Whether a folded word is one of them, or has the stem of one."""
        return super().__contains__(word) or (isinstance(word, str) and stem(word) in self._stems)


def is_english(language: str) -> bool:
    """Whether a BCP 47 tag names English."""
    return language.partition("-")[0].lower() == "en"
