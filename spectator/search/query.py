"""What a reader typed, as a small tree: words, "phrases", -without, prefix*, in:section. Bounded, never an error."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import islice

from spectator.search.analysis import Highlights, exact_form
from spectator.text.folding import tokens
from spectator.text.gazetteer import LONGEST_NAME, other_names

LONGEST_TEXT = 200
MOST_CLAUSES = 10
LONGEST_PHRASE = 8
SHORTEST_PREFIX = 3

# What is typed before a colon, and the facet that it stands for.
FACET_WORDS = {
    "in": "section",
    "by": "author",
    "country": "country",
    "topic": "topic",
    "language": "language",
}
# Keyboards replace straight quotes by these.
_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»＂", '"'))
_PIECE = re.compile(
    rf'(?<!\S)(?P<key>{"|".join(FACET_WORDS)}|before|after):(?:"(?P<quoted>[^"]*)"|(?P<value>[^\s"]+))'
    r'|(?P<minus>-?)"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+)',
    re.IGNORECASE,
)
_DAY = re.compile(r"([0-9]{4})(?:-([0-9]{1,2})(?:-([0-9]{1,2}))?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition: a word, several words in a row (a phrase), or the beginning of a word. All are folded.

    `exact` are the words as they were written where folding changed them: what was typed precisely ranks higher.
    `other_names` are what else the words are called, as words in a row: then the words need not stand in a row.
    """

    words: tuple[str, ...]
    is_prefix: bool = False
    is_excluded: bool = False
    exact: tuple[str, ...] = field(default=(), compare=False)
    other_names: tuple[tuple[str, ...], ...] = ()

    @property
    def is_phrase(self) -> bool:
        """Whether the words have to stand in a row."""
        return len(self.words) > 1 and not self.other_names

    @property
    def is_plain(self) -> bool:
        """Whether it is a word without any sign."""
        return len(self.words) == 1 and not self.is_prefix and not self.is_excluded

    def __str__(self) -> str:
        text = " ".join(self.words)
        return f"{text}*" if self.is_prefix else f'"{text}"' if self.is_phrase else text


@dataclass(frozen=True, slots=True)
class Typed:
    """A filter among the words: the facet, and the folded words that its value has to have."""

    facet: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query; both dates are inclusive. `is_blank` tells "nothing typed" from "nothing usable typed"."""

    clauses: tuple[Clause, ...]
    is_blank: bool
    filters: tuple[Typed, ...] = ()
    published_from: date | None = None
    published_to: date | None = None

    @property
    def wanted(self) -> tuple[Clause, ...]:
        """The clauses that an article should match, those that name a country joined to one."""
        return tuple(_with_other_names([clause for clause in self.clauses if not clause.is_excluded]))

    @property
    def excluded(self) -> tuple[Clause, ...]:
        """The clauses that no result may match."""
        return tuple(clause for clause in self.clauses if clause.is_excluded)

    @property
    def has_conditions(self) -> bool:
        """Whether anything usable was typed."""
        return bool(self.clauses or self.filters or self.published_from or self.published_to)

    @property
    def terms(self) -> Highlights:
        """The folded words to highlight, and what shares their stem."""
        texts = [clause for clause in self.wanted if not clause.is_prefix]
        others = {name[0] for clause in texts for name in clause.other_names if len(name) == 1}
        return Highlights({word for clause in texts for word in clause.words} | others)

    @property
    def prefixes(self) -> tuple[str, ...]:
        """The folded beginnings of words to highlight."""
        return tuple(clause.words[0] for clause in self.wanted if clause.is_prefix)


def parse(text: str) -> Query:
    """The query in the first 200 characters of any text whatever; at most ten conditions, doubles dropped.

    There are no operators but quotes, a leading minus, a trailing star and the words before a colon, `in:`, `by:`,
    `country:`, `topic:`, `language:`, `before:` and `after:`; all else separates words. `before:2024-05` is up to the
    last day of April, `after:2024-05` from the first of May on.
    """
    clauses: dict[Clause | Typed, None] = {}
    dates: dict[str, date] = {}
    for piece in islice(_PIECE.finditer(_clean(text)), LONGEST_TEXT):
        key = (piece["key"] or "").lower()
        value = piece["quoted"] if piece["quoted"] is not None else piece["value"]
        if key in FACET_WORDS:
            words = _words(value)
            if words:
                clauses[Typed(FACET_WORDS[key], words)] = None
        elif key and (day := _day(value)):
            dates[key] = day
        else:
            clauses |= dict.fromkeys(_text_clauses(piece, f"{key} {value}" if key else None))
    kept = list(clauses)[:MOST_CLAUSES]
    return Query(
        tuple(each for each in kept if isinstance(each, Clause)),
        is_blank=not text.strip(),
        filters=tuple(each for each in kept if isinstance(each, Typed)),
        published_from=dates.get("after"),
        published_to=dates["before"] - timedelta(days=1) if "before" in dates else None,
    )


def _with_other_names(clauses: Sequence[Clause]) -> Iterator[Clause]:
    """The clauses, with plain words in a row that name a country as one clause that also knows its other names."""
    start = 0
    while start < len(clauses):
        for end in range(min(len(clauses), start + LONGEST_NAME), start, -1):
            run = clauses[start:end]
            words = tuple(clause.words[0] for clause in run)
            others = other_names(words) if all(clause.is_plain for clause in run) else ()
            if others:
                yield Clause(words, exact=tuple(word for clause in run for word in clause.exact), other_names=others)
                start = end
                break
        else:
            yield clauses[start]
            start += 1


def _clean(text: str) -> str:
    """Text without control, format, surrogate and unassigned characters (Unicode categories C*)."""
    text = unicodedata.normalize("NFC", text[:LONGEST_TEXT])
    # A space and not nothing, because that is where the tokenizer breaks the same text when it is indexed.
    text = "".join(" " if unicodedata.category(char).startswith("C") else char for char in text)
    return text.translate(_QUOTES)


def _day(text: str) -> date | None:
    """The first day of a year, month or day; None for what is none. 0001-01-01 is none: no day comes before it."""
    match = _DAY.fullmatch(text)
    if not match:
        return None
    try:
        day = date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
    except ValueError:
        return None
    return day if day > date.min else None


def _text_clauses(piece: re.Match[str], instead: str | None) -> Iterator[Clause]:
    """The clauses of a phrase or word; `instead` is the text of what only looked like a date."""
    if instead is not None:
        for word in instead.split():
            yield from _word_clauses(word)
    elif piece["phrase"] is not None:
        clause = _clause(piece["phrase"], is_excluded=bool(piece["minus"]))
        if clause:
            yield clause
    else:
        yield from _word_clauses(piece["word"])


def _words(text: str) -> tuple[str, ...]:
    return tuple(token.text for token in islice(tokens(text), LONGEST_PHRASE))


def _clause(text: str, is_excluded: bool = False) -> Clause | None:
    found = list(islice(tokens(text), LONGEST_PHRASE))
    if not found:
        return None
    written = [(token.text, exact_form(text[token.start : token.end])) for token in found]
    exact = tuple(word for folded, word in written if word != folded)
    return Clause(tuple(token.text for token in found), is_excluded=is_excluded, exact=exact)


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
    parts = [word[token.start : token.end] for token in islice(tokens(word), LONGEST_PHRASE)]
    for part in parts[:-1] if is_prefix else parts:
        clause = _clause(part)
        if clause:
            yield clause
    if is_prefix:
        yield Clause(found[-1:], is_prefix=True)
