"""Conditions that a `tsquery` cannot decide: words in a row. The texts of candidates are read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from spectator.search.postgres.filters import Filters
from spectator.search.postgres.matchers import Matcher, Statistics, all_of
from spectator.search.postgres.ranker import sort_by_date
from spectator.search.postgres.reader import Reader
from spectator.search.postgres.selection import Selection

# How many texts are read at once to see whether words are in a row.
MAX_VERIFIED = 1_500


@dataclass(frozen=True, slots=True)
class Verified:
    """The documents that match one of the `tsquery` texts, and further ones by their ids."""

    queries: tuple[str, ...]
    ids: frozenset[int]

    def restrict(self, selection: Selection) -> Selection:
        """Return the documents of a selection that are among these."""
        return selection.matching_or_among(self.queries, self.ids)


def any_verified(parts: Iterable[Verified]) -> Verified:
    """Return the documents that are in any of these."""
    parts = list(parts)
    queries = tuple(query for part in parts for query in part.queries)
    return Verified(queries, frozenset().union(*(part.ids for part in parts)))


@dataclass(frozen=True, slots=True)
class Verifier:
    """Verification for one search; candidates that pass its filters are read before others."""

    reader: Reader
    filters: Filters
    is_oldest_first: bool = False

    def select(
        self, scope: Selection, matchers: Sequence[Matcher], statistics: Statistics
    ) -> Selection:
        """Return the documents in scope that match every matcher."""
        exact = [matcher for matcher in matchers if matcher.exact_query == matcher.tsquery]
        inexact = [matcher for matcher in matchers if matcher not in exact]
        selection = scope.matching(*(matcher.tsquery for matcher in exact))
        if not inexact:
            return selection
        return self.verify(selection, inexact, statistics).restrict(selection)

    def exclude(
        self, selection: Selection, matchers: Sequence[Matcher], statistics: Statistics
    ) -> Selection:
        """Return the selected documents that match none of the matchers."""
        parts = any_verified(
            self.verify(selection, [matcher], statistics) for matcher in matchers
        )
        selection = selection.without(parts.queries)
        if not parts.ids:
            return selection
        return selection.where("article_id <> ALL (:excluded_ids)", excluded_ids=list(parts.ids))

    def verify(
        self, selection: Selection, matchers: Sequence[Matcher], statistics: Statistics
    ) -> Verified:
        """Return the selected documents that match every matcher, as far as the limits allow."""
        exact_queries = [matcher.exact_query for matcher in matchers]
        queries = (all_of(exact_queries),) if all(exact_queries) else ()
        if all(matcher.exact_query == matcher.tsquery for matcher in matchers):
            return Verified(queries, frozenset())
        candidates = selection.matching(*(matcher.tsquery for matcher in matchers))
        candidates = candidates.without(queries)
        wanted = self.filters.apply(candidates)
        ids = self._read(wanted, matchers, statistics, are_results=True)
        if wanted != candidates:  # for the counts of facets without their own filter
            ids |= self._read(candidates, matchers, statistics)
        return Verified(queries, frozenset(ids))

    def _read(
        self,
        candidates: Selection,
        matchers: Sequence[Matcher],
        statistics: Statistics,
        are_results: bool = False,
    ) -> set[int]:
        """Return the candidates whose texts match every matcher, of the first `MAX_VERIFIED`."""
        reader, oldest = self.reader, self.is_oldest_first
        ids = sort_by_date(reader, candidates, MAX_VERIFIED + 1, oldest=oldest)
        if are_results and len(ids) > MAX_VERIFIED:
            reader.is_partial = True
        return {
            text.article_id
            for text in reader.texts(ids[:MAX_VERIFIED])
            if all(matcher.score(text, statistics) for matcher in matchers)
        }
