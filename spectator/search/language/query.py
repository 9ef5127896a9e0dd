"""A parsed query: clauses, filters and dates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from spectator.text.places.country_names import find_translated_country
from spectator.text.places.gazetteer import MAX_NAME_WORDS, alternative_names, country_by_words

Phrase = tuple[str, ...]
Synonyms = Mapping[Phrase, tuple[Phrase, ...]]

MIN_PREFIX_LENGTH = 3


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition: a word, a phrase (words in a row), or a prefix. All words are folded.

    `exact_spellings` has the original spelling of words that folding changed, which ranks exact
    matches higher. `alternative_names` are other names of the same country or topic, as phrases;
    the words then need not be in a row. With `is_translated` they are a name in another language,
    and stories with other names only come after those that have the words. `variants` are the same
    words with or without an apostrophe, as phrases.
    `raw_words` has all words of the query if `words` leaves some out: ("l", "afrique") for
    ("afrique",).
    """

    words: Phrase
    is_prefix: bool = False
    is_excluded: bool = False
    exact_spellings: Phrase = field(default=(), compare=False)
    alternative_names: tuple[Phrase, ...] = ()
    variants: tuple[Phrase, ...] = ()
    raw_words: Phrase = field(default=(), compare=False)
    is_translated: bool = False

    @property
    def is_phrase(self) -> bool:
        """Whether the words must be in a row."""
        return len(self.words) > 1 and not self.alternative_names

    @property
    def is_plain(self) -> bool:
        """Whether this is one word, which may have apostrophes, without quotes, minus or star."""
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
    """A filter in the query: a facet, the folded words of its value, and its original text."""

    facet: str
    words: Phrase
    is_excluded: bool = False
    value: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query. Both dates are inclusive.

    `is_blank` distinguishes an empty query from one without anything usable.
    `is_truncated` is set if the text has more conditions than are used. `synonyms` are other names
    of names that the query may contain, besides those of countries.
    """

    clauses: tuple[Clause, ...]
    is_blank: bool
    filters: tuple[FieldFilter, ...] = ()
    published_from: date | None = None
    published_to: date | None = None
    is_truncated: bool = False
    synonyms: Synonyms = field(default_factory=dict)

    @property
    def included(self) -> tuple[Clause, ...]:
        """The clauses to match. Those that name a country or topic are merged into one."""
        included = [clause for clause in self.clauses if not clause.is_excluded]
        return tuple(_add_alternative_names(included, self.synonyms))

    @property
    def excluded(self) -> tuple[Clause, ...]:
        """The clauses that no result may match."""
        return tuple(clause for clause in self.clauses if clause.is_excluded)

    @property
    def has_conditions(self) -> bool:
        """Whether the text has anything usable."""
        return bool(self.clauses or self.filters or self.published_from or self.published_to)

    @property
    def terms(self) -> frozenset[str]:
        """The folded words to highlight."""
        texts = [clause for clause in self.included if not clause.is_prefix]
        rows: list[Phrase] = [
            row for clause in texts for row in clause.alternative_names if len(row) == 1
        ]
        rows += [row for clause in texts for row in clause.variants]
        return frozenset(word for row in [*map(_highlight_words, texts), *rows] for word in row)

    @property
    def prefixes(self) -> Phrase:
        """The folded prefixes to highlight."""
        return tuple(clause.words[0] for clause in self.included if clause.is_prefix)


def _add_alternative_names(clauses: Sequence[Clause], synonyms: Synonyms) -> Iterator[Clause]:
    """Yield the clauses, merging plain words that are a name into one with its other names."""
    start = 0
    while start < len(clauses):
        for end in range(min(len(clauses), start + MAX_NAME_WORDS), start, -1):
            is_whole = end - start == len(clauses)
            if named := _named_clause(clauses[start:end], synonyms, is_whole):
                yield named
                start = end
                break
        else:
            yield clauses[start]
            start += 1


def _named_clause(run: Sequence[Clause], synonyms: Synonyms, is_whole: bool) -> Clause | None:
    """Return the clause of plain words that name a country or topic, with its other names.

    One word is a name in another language only if it is the whole query: otherwise it could be an
    ordinary word of the reader's language.
    """
    if not all(clause.is_plain for clause in run):
        return None
    words = tuple(word for clause in run for word in clause.raw_words or clause.words)
    names = alternative_names(words, country_by_words(words))
    is_translated = not names and (is_whole or len(words) > 1)
    if is_translated:
        country_names = alternative_names(words, find_translated_country(words))
        names = (*country_names, *synonyms.get(words, ()))
    if not names:
        return None
    return Clause(
        words,
        exact_spellings=tuple(word for clause in run for word in clause.exact_spellings),
        alternative_names=names,
        is_translated=is_translated,
    )


def _highlight_words(clause: Clause) -> Phrase:
    """Return the words of a clause to highlight, without single letters of a joined name."""
    if not clause.variants:
        return clause.words
    return tuple(word for word in clause.words if len(word) >= MIN_PREFIX_LENGTH)
