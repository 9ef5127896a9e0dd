"""What a reader typed, as a small tree: words, "phrases", -without, prefix*, in:section. Bounded, never an error."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import islice

from spectator.search.analysis import Highlights, exact_form
from spectator.text.apostrophes import is_elided, names_in, without_possessive
from spectator.text.folding import Token, runs, tokens, without_invisible
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
# Keyboards replace straight quotes by these, and a minus or a colon by others of their kind.
_SIGNS = str.maketrans(dict.fromkeys("“”„‟«»＂", '"') | dict.fromkeys("−‐‑–﹣－", "-") | {"：": ":"})
# "-before:2024" is what "after:2024" says.
_OPPOSITE = {"before": "after", "after": "before"}
_PIECE = re.compile(
    rf'(?<!\S)(?P<not>-?)(?P<key>{"|".join(FACET_WORDS)}|before|after):(?:"(?P<quoted>[^"]*)"|(?P<value>[^\s"]+))'
    r'|(?P<minus>-?)"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+)',
    re.IGNORECASE,
)
_DAY = re.compile(r"([0-9]{4})(?:-([0-9]{1,2})(?:-([0-9]{1,2}))?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition: a word, several words in a row (a phrase), or the beginning of a word. All are folded.

    `exact` are the words as they were written where folding changed them: what was typed precisely ranks higher.
    `other_names` are what else the words are called, as words in a row: then the words need not stand in a row.
    `spellings` are the same words with or without an apostrophe, in a row. `typed` are all words as they were typed,
    where `words` leave some out: (l, afrique) for (afrique).
    """

    words: tuple[str, ...]
    is_prefix: bool = False
    is_excluded: bool = False
    exact: tuple[str, ...] = field(default=(), compare=False)
    other_names: tuple[tuple[str, ...], ...] = ()
    spellings: tuple[tuple[str, ...], ...] = ()
    typed: tuple[str, ...] = field(default=(), compare=False)

    @property
    def is_phrase(self) -> bool:
        """Whether the words have to stand in a row."""
        return len(self.words) > 1 and not self.other_names

    @property
    def is_plain(self) -> bool:
        """Whether it is a word, or words that an apostrophe parts, without any sign."""
        return (len(self.words) == 1 or bool(self.typed)) and not self.is_prefix and not self.is_excluded

    def __str__(self) -> str:
        if self.typed:
            return "'".join(self.typed)
        text = " ".join(self.words)
        return f"{text}*" if self.is_prefix else f'"{text}"' if self.is_phrase else text


@dataclass(frozen=True, slots=True)
class Typed:
    """A filter among the words: the facet, and the folded words that its value has to have; `value` is as typed."""

    facet: str
    words: tuple[str, ...]
    is_excluded: bool = False
    value: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query; both dates are inclusive. `is_blank` tells "nothing typed" from "nothing usable typed".

    `is_cut` says that more conditions were typed than are used.
    """

    clauses: tuple[Clause, ...]
    is_blank: bool
    filters: tuple[Typed, ...] = ()
    published_from: date | None = None
    published_to: date | None = None
    is_cut: bool = False

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
        rows: list[tuple[str, ...]] = [row for clause in texts for row in clause.other_names if len(row) == 1]
        rows += [row for clause in texts for row in clause.spellings]
        return Highlights({word for row in [*map(_telling, texts), *rows] for word in row})

    @property
    def prefixes(self) -> tuple[str, ...]:
        """The folded beginnings of words to highlight."""
        return tuple(clause.words[0] for clause in self.wanted if clause.is_prefix)


def parse(text: str) -> Query:
    """The query in the first 200 characters of any text whatever; at most ten conditions, doubles dropped.

    There are no operators but quotes, a leading minus, a trailing star and the words before a colon, `in:`, `by:`,
    `country:`, `topic:`, `language:`, `before:` and `after:`, which a minus may stand before too; all else separates
    words. `before:2024-05` is up to the last day of April, `after:2024-05` from the first of May on; of several the
    narrowest counts.
    """
    conditions: dict[Clause | Typed, None] = {}
    dates: dict[str, list[date]] = {"before": [], "after": []}
    for piece in islice(_PIECE.finditer(_clean(text)), LONGEST_TEXT):
        if day := _typed_day(piece):
            key = piece["key"].lower()
            dates[_OPPOSITE[key] if piece["not"] else key].append(day)
        else:
            conditions |= dict.fromkeys(_conditions(piece))
    kept = list(conditions)[:MOST_CLAUSES]
    return Query(
        tuple(each for each in kept if isinstance(each, Clause)),
        is_blank=not text.strip(),
        filters=tuple(each for each in kept if isinstance(each, Typed)),
        published_from=max(dates["after"], default=None),
        published_to=min(dates["before"]) - timedelta(days=1) if dates["before"] else None,
        is_cut=len(conditions) > MOST_CLAUSES,
    )


def _typed_value(piece: re.Match[str]) -> str:
    return piece["quoted"] if piece["quoted"] is not None else piece["value"] or ""


def _typed_day(piece: re.Match[str]) -> date | None:
    """Return the day of `before:2024`; None for any other piece."""
    is_date = (piece["key"] or "").lower() in _OPPOSITE
    return _day(_typed_value(piece)) if is_date else None


def _conditions(piece: re.Match[str]) -> Iterator[Clause | Typed]:
    """Yield the clauses and filters of a piece; what only looks like a date is words."""
    key, value = (piece["key"] or "").lower(), _typed_value(piece)
    if key in FACET_WORDS:
        if words := _words(value):
            yield Typed(FACET_WORDS[key], words, bool(piece["not"]), value)
    elif key and piece["not"]:
        yield from _excluded(f"{key} {value}")
    elif key:
        for word in (key, *value.split()):
            yield from _word_clauses(word)
    elif piece["phrase"] is not None:
        yield from _excluded(piece["phrase"]) if piece["minus"] else _phrase(piece["phrase"])
    else:
        yield from _word_clauses(piece["word"])


def _with_other_names(clauses: Sequence[Clause]) -> Iterator[Clause]:
    """The clauses, with plain words in a row that name a country as one clause that also knows its other names."""
    start = 0
    while start < len(clauses):
        for end in range(min(len(clauses), start + LONGEST_NAME), start, -1):
            run = clauses[start:end]
            words = tuple(word for clause in run for word in clause.typed or clause.words)
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
    text = unicodedata.normalize("NFC", without_invisible(text[:LONGEST_TEXT]))
    # A space and not nothing, because that is where the tokenizer breaks the same text when it is indexed.
    text = "".join(" " if unicodedata.category(char).startswith("C") else char for char in text)
    return text.translate(_SIGNS)


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


def _words(text: str) -> tuple[str, ...]:
    return tuple(token.text for token in islice(tokens(text), LONGEST_PHRASE))


def _exact(text: str, parts: Sequence[Token]) -> tuple[str, ...]:
    """Return the words as they were written, where folding changed them."""
    written = [(part.text, exact_form(text[part.start : part.end])) for part in parts]
    return tuple(word for folded, word in written if word != folded)


def _phrase(text: str, is_excluded: bool = False) -> Iterator[Clause]:
    """Yield a clause of words in a row; a name with an apostrophe in it may be written without."""
    found = list(islice(runs(text), LONGEST_PHRASE))
    parts = [token for run in found for token in run][:LONGEST_PHRASE]
    joined = [word for run in found for word in _joined(text, run)][:LONGEST_PHRASE]
    words = tuple(part.text for part in parts)
    spellings = (tuple(joined),) if len(joined) < len(words) < LONGEST_PHRASE else ()
    if words:
        yield Clause(words, is_excluded=is_excluded, exact=_exact(text, parts), spellings=spellings)


def _excluded(text: str) -> Iterator[Clause]:
    return _phrase(text, is_excluded=True)


def _joined(text: str, run: Sequence[Token]) -> list[str]:
    """Return the words of a run, its name with an apostrophe as one word."""
    name = next(iter(names_in(run, text)), None)
    words = [token.text for token in run]
    if not name:
        return words
    start = next(place for place, token in enumerate(run) if token is name[0])
    return [*words[:start], "".join(part.text for part in name), *words[start + len(name) :]]


def _word_clauses(word: str) -> Iterator[Clause]:
    """The clauses of one unquoted piece; punctuation may part it into several words."""
    found = [run[:LONGEST_PHRASE] for run in islice(runs(word), LONGEST_PHRASE)]
    if not found:
        return
    last = found[-1][-1].text
    is_prefix = word.endswith("*") and len(last) >= SHORTEST_PREFIX
    if word.startswith("-"):
        # -covid-19 must not exclude every story with a 19 in it.
        is_one = len(found) == len(found[0]) == 1
        excluded = Clause((last,), is_prefix=True, is_excluded=True)
        yield from [excluded] if is_prefix and is_one else _excluded(word)
        return
    for run in found[:-1] if is_prefix else found:
        yield _run_clause(word, run)
    if is_prefix:
        for token in found[-1][:-1]:
            yield Clause((token.text,))
        yield Clause((last,), is_prefix=True)


def _run_clause(text: str, run: Sequence[Token]) -> Clause:
    """Return the clause of words that an apostrophe parts: in a row or as one word, without what is elided.

    "l'Afrique" wants afrique alone, "Kenya's" kenya, "N'Golo" n and golo in a row, or ngolo.
    """
    typed = tuple(token.text for token in run)
    words = without_possessive(typed)
    parts = run[int(is_elided(words)) : len(words)]
    names = {"".join(part.text for part in name) for name in names_in(run, text)}
    return Clause(
        tuple(part.text for part in parts),
        exact=_exact(text, parts),
        spellings=tuple((name,) for name in sorted(names)),
        typed=typed if len(typed) > 1 else (),
    )


def _telling(clause: Clause) -> tuple[str, ...]:
    """Return the words of a clause to highlight: no single letters of a name that is highlighted as a whole."""
    if not clause.spellings:
        return clause.words
    return tuple(word for word in clause.words if len(word) >= SHORTEST_PREFIX)
