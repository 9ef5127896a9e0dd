"""The matchers of whole clauses: several conditions, of which all or any must be true."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from spectator.search.language.query import Clause, Phrase
from spectator.search.postgres.matchers import (
    Matcher,
    PhraseMatcher,
    PrefixMatcher,
    Statistics,
    WordMatcher,
    all_of,
    any_of,
)
from spectator.search.postgres.terms import StoredText
from spectator.search.relevance import TRANSLATED_WEIGHT


class AllMatcher:
    """Every one of several conditions, whose scores are added."""

    def __init__(self, matchers: Sequence[Matcher]) -> None:
        self.matchers = matchers
        self.tsquery = all_of(matcher.tsquery for matcher in matchers)
        exact_queries = [matcher.exact_query for matcher in matchers]
        self.exact_query = all_of(exact_queries) if all(exact_queries) else ""

    def terms(self) -> Iterable[str]:
        """See `Matcher.terms`."""
        return (term for matcher in self.matchers for term in matcher.terms())

    def prefixes(self) -> Iterable[str]:
        """See `Matcher.prefixes`."""
        return (prefix for matcher in self.matchers for prefix in matcher.prefixes())

    def score(self, text: StoredText, statistics: Statistics) -> float:
        """See `Matcher.score`."""
        scores = [matcher.score(text, statistics) for matcher in self.matchers]
        return sum(scores) if all(scores) else 0.0

    def impacts(self, statistics: Statistics) -> Iterator[tuple[str, float]]:
        """See `Matcher.impacts`."""
        for matcher in self.matchers:
            yield from matcher.impacts(statistics)


class WeightedMatcher(AllMatcher):
    """A condition whose score is multiplied by a weight."""

    def __init__(self, matcher: Matcher, weight: float) -> None:
        super().__init__([matcher])
        self.weight = weight

    def score(self, text: StoredText, statistics: Statistics) -> float:
        """See `Matcher.score`."""
        return self.weight * super().score(text, statistics)

    def impacts(self, statistics: Statistics) -> Iterator[tuple[str, float]]:
        """See `Matcher.impacts`."""
        for query, impact in super().impacts(statistics):
            yield query, self.weight * impact


class AnyMatcher(AllMatcher):
    """Any of several conditions; the best score counts."""

    def __init__(self, matchers: Sequence[Matcher]) -> None:
        super().__init__(matchers)
        self.tsquery = any_of(matcher.tsquery for matcher in matchers)
        exact_queries = [matcher.exact_query for matcher in matchers if matcher.exact_query]
        self.exact_query = any_of(exact_queries) if exact_queries else ""

    def score(self, text: StoredText, statistics: Statistics) -> float:
        """See `Matcher.score`."""
        return max(matcher.score(text, statistics) for matcher in self.matchers)


def clause_matcher(clause: Clause) -> Matcher:
    """Return the matcher of a clause."""
    if clause.is_prefix:
        return PrefixMatcher(clause.words[0])
    if clause.alternative_names:
        words = [
            WordMatcher(word, clause.exact_spellings if index == 0 else ())
            for index, word in enumerate(clause.words)
        ]
        names: list[Matcher] = list(map(_words_matcher, clause.alternative_names))
        if clause.is_translated:
            names = [WeightedMatcher(name, TRANSLATED_WEIGHT) for name in names]
        return AnyMatcher([AllMatcher(words), *names])
    matcher = _words_matcher(clause.words, clause.exact_spellings)
    variants = [_words_matcher(row) for row in clause.variants]
    return AnyMatcher([matcher, *variants]) if variants else matcher


def _words_matcher(words: Phrase, exact_spellings: Sequence[str] = ()) -> Matcher:
    return PhraseMatcher(words) if len(words) > 1 else WordMatcher(words[0], exact_spellings)
