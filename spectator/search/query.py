"""What a reader typed, as a small tree: words, "phrases", -without, prefix*. Bounded, and never an error."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from spectator.text.folding import tokens

LONGEST_TEXT = 200
MOST_CLAUSES = 10
LONGEST_PHRASE = 8
SHORTEST_PREFIX = 3

# Keyboards replace straight quotes by these.
_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»＂", '"'))
_PIECE = re.compile(r'(?P<minus>-?)"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+)')


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition: a word, several words in a row (a phrase), or the beginning of a word. All are folded."""

    words: tuple[str, ...]
    is_prefix: bool = False
    is_excluded: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query. `is_blank` tells "nothing was typed" from "nothing usable was typed"."""

    clauses: tuple[Clause, ...]
    is_blank: bool

    @property
    def wanted(self) -> tuple[Clause, ...]:
        """The clauses that an article should match."""
        return tuple(clause for clause in self.clauses if not clause.is_excluded)

    @property
    def excluded(self) -> tuple[Clause, ...]:
        """The clauses that no result may match."""
        return tuple(clause for clause in self.clauses if clause.is_excluded)

    @property
    def terms(self) -> frozenset[str]:
        """The folded words to highlight."""
        return frozenset(word for clause in self.wanted if not clause.is_prefix for word in clause.words)

    @property
    def prefixes(self) -> tuple[str, ...]:
        """The folded beginnings of words to highlight."""
        return tuple(clause.words[0] for clause in self.wanted if clause.is_prefix)


def parse(text: str) -> Query:
    """The query in the first 200 characters of any text whatever; at most ten clauses, doubles dropped.

    There are no operators but quotes, a leading minus and a trailing star; all else separates words.
    """
    clauses = tuple(dict.fromkeys(_clauses(_clean(text))))
    return Query(clauses[:MOST_CLAUSES], is_blank=not text.strip())


def _clean(text: str) -> str:
    """Text without control, format, surrogate and unassigned characters (Unicode categories C*)."""
    text = unicodedata.normalize("NFC", text[:LONGEST_TEXT])
    # A space and not nothing, because that is where the tokenizer breaks the same text when it is indexed.
    text = "".join(" " if unicodedata.category(char).startswith("C") else char for char in text)
    return text.translate(_QUOTES)


def _clauses(text: str) -> Iterator[Clause]:
    for piece in _PIECE.finditer(text):
        if piece["phrase"] is not None:
            phrase = _words(piece["phrase"])
            if phrase:
                yield Clause(phrase, is_excluded=bool(piece["minus"]))
        else:
            yield from _word_clauses(piece["word"])


def _words(text: str) -> tuple[str, ...]:
    return tuple(token.text for token in islice(tokens(text), LONGEST_PHRASE))


def _word_clauses(word: str) -> Iterator[Clause]:
    """The clauses of one unquoted piece; punctuation may part it into several words."""
    found = _words(word)
    if not found:
        return
    is_prefix = word.endswith("*") and len(found[-1]) >= SHORTEST_PREFIX
    if word.startswith("-"):
        # -covid-19 must not exclude every story with a 19 in it.
        yield Clause(found, is_prefix=is_prefix and len(found) == 1, is_excluded=True)
        return
    for each in found[:-1]:
        yield Clause((each,))
    yield Clause(found[-1:], is_prefix=is_prefix)
