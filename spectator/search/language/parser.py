"""Parser of queries: words, "phrases", -excluded, prefix*, in:section. Every text is valid."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import islice

from spectator.search.language.analysis import exact_form
from spectator.search.language.query import (
    MIN_PREFIX_LENGTH,
    Clause,
    FieldFilter,
    Query,
    Synonyms,
)
from spectator.text.words.apostrophes import joinable_names, starts_with_elision, strip_possessive
from spectator.text.words.folding import Token, strip_invisible, tokens, word_runs
from spectator.text.words.normalization import normalize

MAX_QUERY_LENGTH = 200
MAX_CLAUSES = 10
MAX_PHRASE_WORDS = 8

# Facets by the keyword before a colon.
FACET_KEYWORDS = {
    "in": "section",
    "by": "author",
    "country": "country",
    "topic": "topic",
    "language": "language",
}
# Variants of quotes, minus and colon that keyboards insert.
_PUNCTUATION = str.maketrans(
    dict.fromkeys("“”„‟«»＂", '"') | dict.fromkeys("−‐‑–﹣－", "-") | {"：": ":"}
)
# "-before:2024" means "after:2024".
_OPPOSITE_KEYWORD = {"before": "after", "after": "before"}
_PIECE = re.compile(
    rf"(?<!\S)(?P<not>-?)(?P<key>{'|'.join(FACET_KEYWORDS)}|before|after):"
    r'(?:"(?P<quoted>[^"]*)"|(?P<value>[^\s"]+))'
    r'|(?P<minus>-?)"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+)',
    re.IGNORECASE,
)
_DAY = re.compile(r"([0-9]{4})(?:-([0-9]{1,2})(?:-([0-9]{1,2}))?)?", re.ASCII)


def parse_query(text: str, synonyms: Synonyms | None = None) -> Query:
    """Parse the first 200 characters of any text into at most ten different conditions.

    The only operators are quotes, a leading minus, a trailing star, and the keywords `in:`, `by:`,
    `country:`, `topic:`, `language:`, `before:` and `after:`, optionally after a minus. Everything
    else separates words. `before:2024-05` ends on the last day of April, `after:2024-05` starts on
    the first of May. The narrowest of several dates counts. `synonyms` are other names by names,
    both as folded words.
    """
    conditions: dict[Clause | FieldFilter, None] = {}
    dates: dict[str, list[date]] = {"before": [], "after": []}
    for piece in islice(_PIECE.finditer(_clean(text)), MAX_QUERY_LENGTH):
        if day := _filter_date(piece):
            key = piece["key"].lower()
            dates[_OPPOSITE_KEYWORD[key] if piece["not"] else key].append(day)
        else:
            conditions |= dict.fromkeys(_parse_conditions(piece))
    used = list(conditions)[:MAX_CLAUSES]
    return Query(
        tuple(condition for condition in used if isinstance(condition, Clause)),
        is_blank=not text.strip(),
        filters=tuple(condition for condition in used if isinstance(condition, FieldFilter)),
        published_from=max(dates["after"], default=None),
        published_to=min(dates["before"]) - timedelta(days=1) if dates["before"] else None,
        is_truncated=len(conditions) > MAX_CLAUSES,
        synonyms=synonyms or {},
    )


def _filter_value(piece: re.Match[str]) -> str:
    return piece["quoted"] if piece["quoted"] is not None else piece["value"] or ""


def _filter_date(piece: re.Match[str]) -> date | None:
    """Return the date of a `before:` or `after:` filter, or None for any other piece."""
    is_date = (piece["key"] or "").lower() in _OPPOSITE_KEYWORD
    return _parse_date(_filter_value(piece)) if is_date else None


def _parse_conditions(piece: re.Match[str]) -> Iterator[Clause | FieldFilter]:
    """Yield the clauses and filters of a piece. An invalid date is parsed as words."""
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
            _excluded_clause(piece["phrase"])
            if piece["minus"]
            else _phrase_clause(piece["phrase"])
        )
    else:
        yield from _word_clauses(piece["word"])


def _clean(text: str) -> str:
    """Return text without control, format, surrogate and unassigned characters (categories C*)."""
    text = normalize(strip_invisible(text[:MAX_QUERY_LENGTH]))
    # Use a space, because the tokenizer separates words there when it indexes the same text.
    text = "".join(" " if unicodedata.category(char).startswith("C") else char for char in text)
    return text.translate(_PUNCTUATION)


def _parse_date(text: str) -> date | None:
    """Return the first day of a year, month or day; None if invalid or 0001-01-01.

    No day comes before 0001-01-01, so that `before:` would overflow.
    """
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
    """Return the original spelling of the words that folding changed."""
    forms = [(part.text, exact_form(text[part.start : part.end])) for part in parts]
    return tuple(exact for folded, exact in forms if exact != folded)


def _phrase_clause(text: str, is_excluded: bool = False) -> Iterator[Clause]:
    """Yield a phrase; a name with an apostrophe also matches without it."""
    runs = list(islice(word_runs(text), MAX_PHRASE_WORDS))
    parts = [token for run in runs for token in run][:MAX_PHRASE_WORDS]
    joined = [word for run in runs for word in _join_name(text, run)][:MAX_PHRASE_WORDS]
    words = tuple(part.text for part in parts)
    variants = (tuple(joined),) if len(joined) < len(words) < MAX_PHRASE_WORDS else ()
    if words:
        yield Clause(
            words,
            is_excluded=is_excluded,
            exact_spellings=_exact_forms(text, parts),
            variants=variants,
        )


def _excluded_clause(text: str) -> Iterator[Clause]:
    return _phrase_clause(text, is_excluded=True)


def _join_name(text: str, run: Sequence[Token]) -> list[str]:
    """Return the words of a run, with a name that has an apostrophe as one word."""
    name = next(iter(joinable_names(run, text)), None)
    words = [token.text for token in run]
    if not name:
        return words
    start = next(index for index, token in enumerate(run) if token is name[0])
    return [*words[:start], "".join(part.text for part in name), *words[start + len(name) :]]


def _word_clauses(word: str) -> Iterator[Clause]:
    """Yield the clauses of an unquoted piece, which punctuation may split into several words."""
    runs = [run[:MAX_PHRASE_WORDS] for run in islice(word_runs(word), MAX_PHRASE_WORDS)]
    if not runs:
        return
    last = runs[-1][-1].text
    is_prefix = word.endswith("*") and len(last) >= MIN_PREFIX_LENGTH
    if word.startswith("-"):
        # -covid-19 must not exclude every story with a 19 in it.
        is_single = len(runs) == len(runs[0]) == 1
        excluded = Clause((last,), is_prefix=True, is_excluded=True)
        yield from [excluded] if is_prefix and is_single else _excluded_clause(word)
        return
    for run in runs[:-1] if is_prefix else runs:
        yield _clause_from_run(word, run)
    if is_prefix:
        for token in runs[-1][:-1]:
            yield Clause((token.text,))
        yield Clause((last,), is_prefix=True)


def _clause_from_run(text: str, run: Sequence[Token]) -> Clause:
    """Return the clause of words separated by apostrophes: a phrase or one word, without elisions.

    "l'Afrique" matches "afrique", "Kenya's" matches "kenya", "N'Golo" the phrase "n golo" or
    "ngolo".
    """
    raw_words = tuple(token.text for token in run)
    words = strip_possessive(raw_words)
    # Without an elided article at the start and a possessive "s" at the end.
    parts = run[int(starts_with_elision(words)) : len(words)]
    names = {"".join(part.text for part in name) for name in joinable_names(run, text)}
    return Clause(
        tuple(part.text for part in parts),
        exact_spellings=_exact_forms(text, parts),
        variants=tuple((name,) for name in sorted(names)),
        raw_words=raw_words if len(raw_words) > 1 else (),
    )
