"""What the clauses of a query match: a `tsquery` for the index, and a BM25 score for a text.

Where the index cannot tell whether words are in a row, the `tsquery` matches too much, and the
score of a text decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from spectator.search.language.analysis import is_english
from spectator.search.language.query import Phrase
from spectator.search.postgres.terms import (
    ENGLISH,
    EXACT,
    FREQUENT,
    HEADLINE,
    JOINED,
    NAME,
    STEM,
    StoredText,
)
from spectator.search.relevance import (
    BM25_K1,
    EXACT_WEIGHT,
    FIELD_WEIGHTS,
    NAMES_LENGTH_NORM,
    STEM_WEIGHT,
    inverse_document_frequency,
)
from spectator.search.whoosh.stems import stem

MAX_VARIANTS = 6  # of a phrase's words in one text
# Of BM25's highest score, what a word contributes at least if it is in the headline, or frequent.
HEADLINE_SHARE, FREQUENT_SHARE = 0.45, 0.65


class Statistics:
    """The number of documents of an archive, and in how many of them terms occur."""

    def __init__(self, total: int, frequencies: Mapping[str, int]) -> None:
        self.total = total
        self.frequencies = frequencies

    def idf(self, *terms: str) -> float:
        """Return the inverse document frequency of the most frequent of these terms."""
        frequency = max(self.frequencies.get(term, 0) for term in terms)
        return inverse_document_frequency(frequency, self.total)


class Matcher(Protocol):
    """One condition of a query.

    `tsquery` matches every document that may match, `exact_query` those that need no look at their
    texts; "" if there are none.
    """

    tsquery: str
    exact_query: str

    def terms(self) -> Iterable[str]:
        """Return the terms whose document frequencies `score` needs."""

    def prefixes(self) -> Iterable[str]:
        """Return the prefixes whose frequencies `score` needs, under the prefix and a star."""

    def score(self, text: StoredText, statistics: Statistics) -> float:
        """Return the score of a text, 0 if it does not match."""

    def impacts(self, statistics: Statistics) -> Iterator[tuple[str, float]]:
        """Yield `tsquery` conditions with what each adds to a rough score."""


def quote(term: str, *, is_prefix: bool = False) -> str:
    """Return a term in the syntax of `tsquery`."""
    escaped = term.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}':*" if is_prefix else f"'{escaped}'"


def all_of(queries: Iterable[str]) -> str:
    """Return the `tsquery` that matches what all of these match."""
    return "(" + " & ".join(queries) + ")"


def any_of(queries: Iterable[str]) -> str:
    """Return the `tsquery` that matches what any of these matches."""
    return "(" + " | ".join(queries) + ")"


def bm25(count: int, norm: float) -> float:
    """Return BM25's score of a word that occurs `count` times, for a weight and an idf of 1."""
    return (BM25_K1 + 1) * count / (count + norm)


def joined_query(word: str) -> str:
    """Return the `tsquery` of names that give a word without their apostrophe."""
    return quote(f"{JOINED}{word} ", is_prefix=True)


class WordMatcher:
    """A word in any field or, in English, a word with the same stem."""

    def __init__(self, word: str, exact_spellings: Sequence[str] = ()) -> None:
        self.word, self.exact_spellings, self.stem = word, exact_spellings, stem(word)
        queries = [quote(word), quote(NAME + word), quote(STEM + self.stem), joined_query(word)]
        if self.stem != word:
            # A word that is its own stem is indexed only as a word.
            queries.append(all_of((quote(self.stem), quote(ENGLISH))))
        self.tsquery = self.exact_query = any_of(queries)

    def terms(self) -> Iterable[str]:
        """See `Matcher.terms`."""
        spellings = (EXACT + spelling for spelling in self.exact_spellings)
        return self.word, NAME + self.word, self.stem, STEM + self.stem, *spellings

    def prefixes(self) -> Iterable[str]:
        """See `Matcher.prefixes`."""
        return ()

    def score(self, text: StoredText, statistics: Statistics) -> float:
        """See `Matcher.score`."""
        idf = self._idf(statistics)
        score = sum(
            FIELD_WEIGHTS[field] * bm25(len(positions), text.norm(field))
            for field, positions in text.field_positions(self.word)
        )
        if stems := text.positions(STEM + self.stem):
            score += STEM_WEIGHT * bm25(stems[0], NAMES_LENGTH_NORM)
        if self.stem != self.word and is_english(text.language):
            score += STEM_WEIGHT * sum(
                FIELD_WEIGHTS[field] * bm25(len(positions), text.norm(field))
                for field, positions in text.field_positions(self.stem)
                if field != "names"
            )
        score *= idf
        for spelling in self.exact_spellings if score else ():
            if counts := text.positions(EXACT + spelling):
                score += (
                    EXACT_WEIGHT
                    * statistics.idf(EXACT + spelling)
                    * bm25(counts[0], NAMES_LENGTH_NORM)
                )
        names = [score_phrase(name, text, statistics) for name in text.joined_names(self.word)]
        return max([score, *names[:MAX_VARIANTS]])

    def _idf(self, statistics: Statistics) -> float:
        if self.word in statistics.frequencies or NAME + self.word in statistics.frequencies:
            return statistics.idf(self.word, NAME + self.word)
        return statistics.idf(self.stem, STEM + self.stem)

    def impacts(self, statistics: Statistics) -> Iterator[tuple[str, float]]:
        """See `Matcher.impacts`."""
        idf = self._idf(statistics) * (BM25_K1 + 1)
        yield quote(HEADLINE + self.word), FIELD_WEIGHTS["headline"] * HEADLINE_SHARE * idf
        yield quote(FREQUENT + self.word), FREQUENT_SHARE * idf


class PhraseMatcher:
    """Words in a row in one field; a name among them may have an apostrophe or none."""

    exact_query = ""

    def __init__(self, words: Phrase) -> None:
        self.words = words
        self.tsquery = any_of(
            all_of(any_of((quote(prefix + word), joined_query(word))) for word in words)
            for prefix in ("", NAME)
        )

    def terms(self) -> Iterable[str]:
        """See `Matcher.terms`."""
        return (prefix + word for word in self.words for prefix in ("", NAME))

    def prefixes(self) -> Iterable[str]:
        """See `Matcher.prefixes`."""
        return ()

    def score(self, text: StoredText, statistics: Statistics) -> float:
        """See `Matcher.score`."""
        phrases = [self.words]
        for index, word in enumerate(self.words):
            phrases += [
                (*self.words[:index], *name, *self.words[index + 1 :])
                for name in text.joined_names(word)
            ]
        return max(score_phrase(words, text, statistics) for words in phrases[: MAX_VARIANTS + 1])

    def impacts(self, statistics: Statistics) -> Iterator[tuple[str, float]]:
        """See `Matcher.impacts`."""
        for word in self.words:
            yield from WordMatcher(word).impacts(statistics)


def score_phrase(words: Phrase, text: StoredText, statistics: Statistics) -> float:
    """Return the score of words in a row, summed over the fields that have them."""
    positions = [dict(text.field_positions(word)) for word in words]
    idf = sum(statistics.idf(word, NAME + word) for word in words)
    score = 0.0
    for field, weight in FIELD_WEIGHTS.items():
        if all(field in fields for fields in positions):
            count = _count_phrase([fields[field] for fields in positions])
            if count:
                score += weight * idf * bm25(count, text.norm(field))
    return score


def _count_phrase(position_lists: Sequence[Sequence[int]]) -> int:
    """Return how often there is a position of each list in a row."""
    starts: set[int] | None = None
    for index, positions in sorted(enumerate(position_lists), key=lambda item: len(item[1])):
        shifted = {position - index for position in positions}
        starts = shifted if starts is None else starts & shifted
        if not starts:
            return 0
    return len(starts or ())


class PrefixMatcher:
    """Any word, or name with an apostrophe, that starts with a prefix."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.tsquery = self.exact_query = any_of(
            quote(kind + prefix, is_prefix=True) for kind in ("", NAME, JOINED)
        )

    def terms(self) -> Iterable[str]:
        """See `Matcher.terms`."""
        return ()

    def prefixes(self) -> Iterable[str]:
        """See `Matcher.prefixes`."""
        return (self.prefix,)

    def score(self, text: StoredText, statistics: Statistics) -> float:
        """See `Matcher.score`."""
        words = dict.fromkeys(
            [*text.with_prefix(self.prefix)]
            + [term.removeprefix(NAME) for term in text.with_prefix(NAME + self.prefix)]
        )
        score = sum(
            FIELD_WEIGHTS[field] * bm25(len(positions), text.norm(field))
            for word in words
            for field, positions in text.field_positions(word)
        )
        if not score and next(text.with_prefix(JOINED + self.prefix), ""):
            score = bm25(1, NAMES_LENGTH_NORM)
        return score * statistics.idf(f"{self.prefix}*")

    def impacts(self, statistics: Statistics) -> Iterator[tuple[str, float]]:
        """See `Matcher.impacts`."""
        idf = statistics.idf(f"{self.prefix}*") * (BM25_K1 + 1)
        for kind, weight in ((HEADLINE, HEADLINE_SHARE * 2.5), (FREQUENT, FREQUENT_SHARE)):
            yield quote(kind + self.prefix, is_prefix=True), weight * idf
