"""What a reader typed, as a small tree: words, "phrases", -without, prefix*, in:section. Bounded, never an error."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import islice

from spectator.search.language.analysis import Highlights, exact_form
from spectator.text.places.gazetteer import MAX_NAME_WORDS, alternative_names
from spectator.text.words.apostrophes import joinable_names, starts_with_elision, strip_possessive
from spectator.text.words.folding import Token, strip_invisible, tokens, word_runs

MAX_QUERY_LENGTH = 200
MAX_CLAUSES = 10
MAX_PHRASE_WORDS = 8
MIN_PREFIX_LENGTH = 3

# What is typed before a colon, and the facet that it stands for.
FACET_KEYWORDS = {
    "in": "section",
    "by": "author",
    "country": "country",
    "topic": "topic",
    "language": "language",
}
# Keyboards replace straight quotes by these, and a minus or a colon by others of their kind.
_PUNCTUATION = str.maketrans(
    dict.fromkeys("“”„‟«»＂", '"') | dict.fromkeys("−‐‑–﹣－", "-") | {"：": ":"}
)
# "-before:2024" is what "after:2024" says.
_OPPOSITE_KEYWORD = {"before": "after", "after": "before"}
_PIECE = re.compile(
    rf'(?<!\S)(?P<not>-?)(?P<key>{"|".join(FACET_KEYWORDS)}|before|after):(?:"(?P<quoted>[^"]*)"|(?P<value>[^\s"]+))'
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
    alternative_names: tuple[tuple[str, ...], ...] = ()
    variants: tuple[tuple[str, ...], ...] = ()
    raw_words: tuple[str, ...] = field(default=(), compare=False)

    @property
    def is_phrase(self) -> bool:
        """Whether the words have to stand in a row."""
        return len(self.words) > 1 and not self.alternative_names

    @property
    def is_plain(self) -> bool:
        """Whether it is a word, or words that an apostrophe parts, without any sign."""
        return (
            (len(self.words) == 1 or bool(self.raw_words))
            and not self.is_prefix
            and not self.is_excluded
        )

    def __str__(self) -> str:
        if self.raw_words:
            return "'".join(self.raw_words)
        text = " ".join(self.words)
        return f"{text}*" if self.is_prefix else f'"{text}"' if self.is_phrase else text


@dataclass(frozen=True, slots=True)
class FieldFilter:
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
    filters: tuple[FieldFilter, ...] = ()
    published_from: date | None = None
    published_to: date | None = None
    is_truncated: bool = False

    @property
    def included(self) -> tuple[Clause, ...]:
        """The clauses that an article should match, those that name a country joined to one."""
        return tuple(
            _add_alternative_names([clause for clause in self.clauses if not clause.is_excluded])
        )

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
        texts = [clause for clause in self.included if not clause.is_prefix]
        rows: list[tuple[str, ...]] = [
            row for clause in texts for row in clause.alternative_names if len(row) == 1
        ]
        rows += [row for clause in texts for row in clause.variants]
        return Highlights({word for row in [*map(_highlight_words, texts), *rows] for word in row})

    @property
    def prefixes(self) -> tuple[str, ...]:
        """The folded beginnings of words to highlight."""
        return tuple(clause.words[0] for clause in self.included if clause.is_prefix)


def parse_query(text: str) -> Query:
    """The query in the first 200 characters of any text whatever; at most ten conditions, doubles dropped.

    There are no operators but quotes, a leading minus, a trailing star and the words before a colon, `in:`, `by:`,
    `country:`, `topic:`, `language:`, `before:` and `after:`, which a minus may stand before too; all else separates
    words. `before:2024-05` is up to the last day of April, `after:2024-05` from the first of May on; of several the
    narrowest counts.
    """
    conditions: dict[Clause | FieldFilter, None] = {}
    dates: dict[str, list[date]] = {"before": [], "after": []}
    for piece in islice(_PIECE.finditer(_clean(text)), MAX_QUERY_LENGTH):
        if day := _filter_date(piece):
            key = piece["key"].lower()
            dates[_OPPOSITE_KEYWORD[key] if piece["not"] else key].append(day)
        else:
            conditions |= dict.fromkeys(_parse_conditions(piece))
    kept = list(conditions)[:MAX_CLAUSES]
    return Query(
        tuple(each for each in kept if isinstance(each, Clause)),
        is_blank=not text.strip(),
        filters=tuple(each for each in kept if isinstance(each, FieldFilter)),
        published_from=max(dates["after"], default=None),
        published_to=min(dates["before"]) - timedelta(days=1) if dates["before"] else None,
        is_truncated=len(conditions) > MAX_CLAUSES,
    )


def _filter_value(piece: re.Match[str]) -> str:
    return piece["quoted"] if piece["quoted"] is not None else piece["value"] or ""


def _filter_date(piece: re.Match[str]) -> date | None:
    """Return the day of `before:2024`; None for any other piece."""
    is_date = (piece["key"] or "").lower() in _OPPOSITE_KEYWORD
    return _parse_date(_filter_value(piece)) if is_date else None


def _parse_conditions(piece: re.Match[str]) -> Iterator[Clause | FieldFilter]:
    """Yield the clauses and filters of a piece; what only looks like a date is words."""
    key, value = (piece["key"] or "").lower(), _filter_value(piece)
    if key in FACET_KEYWORDS:
        if words := _words(value):
            yield FieldFilter(FACET_KEYWORDS[key], words, bool(piece["not"]), value)
    elif key and piece["not"]:
        yield from _excluded_clause(f"{key} {value}")
    elif key:
        for word in (key, *value.split()):
            yield from _word_clauses(word)
    elif piece["phrase"] is not None:
        yield from (
            _excluded_clause(piece["phrase"]) if piece["minus"] else _phrase_clause(piece["phrase"])
        )
    else:
        yield from _word_clauses(piece["word"])


def _add_alternative_names(clauses: Sequence[Clause]) -> Iterator[Clause]:
    """The clauses, with plain words in a row that name a country as one clause that also knows its other names."""
    start = 0
    while start < len(clauses):
        for end in range(min(len(clauses), start + MAX_NAME_WORDS), start, -1):
            run = clauses[start:end]
            words = tuple(word for clause in run for word in clause.raw_words or clause.words)
            others = alternative_names(words) if all(clause.is_plain for clause in run) else ()
            if others:
                yield Clause(
                    words,
                    exact=tuple(word for clause in run for word in clause.exact),
                    alternative_names=others,
                )
                start = end
                break
        else:
            yield clauses[start]
            start += 1


def _clean(text: str) -> str:
    """Text without control, format, surrogate and unassigned characters (Unicode categories C*)."""
    text = unicodedata.normalize("NFC", strip_invisible(text[:MAX_QUERY_LENGTH]))
    # A space and not nothing, because that is where the tokenizer breaks the same text when it is indexed.
    text = "".join(" " if unicodedata.category(char).startswith("C") else char for char in text)
    return text.translate(_PUNCTUATION)


def _parse_date(text: str) -> date | None:
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
    return tuple(token.text for token in islice(tokens(text), MAX_PHRASE_WORDS))


def _exact_forms(text: str, parts: Sequence[Token]) -> tuple[str, ...]:
    """Return the words as they were written, where folding changed them."""
    written = [(part.text, exact_form(text[part.start : part.end])) for part in parts]
    return tuple(word for folded, word in written if word != folded)


def _phrase_clause(text: str, is_excluded: bool = False) -> Iterator[Clause]:
    """Yield a clause of words in a row; a name with an apostrophe in it may be written without."""
    found = list(islice(word_runs(text), MAX_PHRASE_WORDS))
    parts = [token for run in found for token in run][:MAX_PHRASE_WORDS]
    joined = [word for run in found for word in _join_name(text, run)][:MAX_PHRASE_WORDS]
    words = tuple(part.text for part in parts)
    spellings = (tuple(joined),) if len(joined) < len(words) < MAX_PHRASE_WORDS else ()
    if words:
        yield Clause(
            words, is_excluded=is_excluded, exact=_exact_forms(text, parts), variants=spellings
        )


def _excluded_clause(text: str) -> Iterator[Clause]:
    return _phrase_clause(text, is_excluded=True)


def _join_name(text: str, run: Sequence[Token]) -> list[str]:
    """Return the words of a run, its name with an apostrophe as one word."""
    name = next(iter(joinable_names(run, text)), None)
    words = [token.text for token in run]
    if not name:
        return words
    start = next(place for place, token in enumerate(run) if token is name[0])
    return [*words[:start], "".join(part.text for part in name), *words[start + len(name) :]]


def _word_clauses(word: str) -> Iterator[Clause]:
    """The clauses of one unquoted piece; punctuation may part it into several words."""
    found = [run[:MAX_PHRASE_WORDS] for run in islice(word_runs(word), MAX_PHRASE_WORDS)]
    if not found:
        return
    last = found[-1][-1].text
    is_prefix = word.endswith("*") and len(last) >= MIN_PREFIX_LENGTH
    if word.startswith("-"):
        # -covid-19 must not exclude every story with a 19 in it.
        is_one = len(found) == len(found[0]) == 1
        excluded = Clause((last,), is_prefix=True, is_excluded=True)
        yield from [excluded] if is_prefix and is_one else _excluded_clause(word)
        return
    for run in found[:-1] if is_prefix else found:
        yield _clause_from_run(word, run)
    if is_prefix:
        for token in found[-1][:-1]:
            yield Clause((token.text,))
        yield Clause((last,), is_prefix=True)


def _clause_from_run(text: str, run: Sequence[Token]) -> Clause:
    """Return the clause of words that an apostrophe parts: in a row or as one word, without what is elided.

    "l'Afrique" wants afrique alone, "Kenya's" kenya, "N'Golo" n and golo in a row, or ngolo.
    """
    typed = tuple(token.text for token in run)
    words = strip_possessive(typed)
    parts = run[int(starts_with_elision(words)) : len(words)]
    names = {"".join(part.text for part in name) for name in joinable_names(run, text)}
    return Clause(
        tuple(part.text for part in parts),
        exact=_exact_forms(text, parts),
        variants=tuple((name,) for name in sorted(names)),
        raw_words=typed if len(typed) > 1 else (),
    )


def _highlight_words(clause: Clause) -> tuple[str, ...]:
    """Return the words of a clause to highlight: no single letters of a name that is highlighted as a whole."""
    if not clause.variants:
        return clause.words
    return tuple(word for word in clause.words if len(word) >= MIN_PREFIX_LENGTH)
