"""Conditions that a `tsquery` cannot decide: words in a row. The texts of candidates are read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from spectator.search.postgres.filters import Filters
from spectator.search.postgres.matchers import Matcher, Statistics, all_of
from spectator.search.postgres.ranker import sort_by_date
from spectator.search.postgres.reader import Reader
from spectator.search.postgres.selection import Selection

# Of one reading, so that the texts of a search's other readings are not used up.
MAX_READ = 1_500


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
        parts = any_verified(self.verify_each(selection, matchers, statistics))
        selection = selection.without(parts.queries)
        if not parts.ids:
            return selection
        return selection.where("article_id <> ALL (:excluded_ids)", excluded_ids=list(parts.ids))

    def verify_each(
        self, selection: Selection, matchers: Sequence[Matcher], statistics: Statistics
    ) -> list[Verified]:
        """Return the selected documents that match each matcher; each may read as many texts."""
        return [
            self.verify(selection, [matcher], statistics, share=len(matchers) - number)
            for number, matcher in enumerate(matchers)
        ]

    def verify(
        self,
        selection: Selection,
        matchers: Sequence[Matcher],
        statistics: Statistics,
        share: int = 1,
    ) -> Verified:
        """Return the selected documents that match every matcher, as far as the limits allow.

        It reads one `share`-th of the texts that the search may still read.
        """
        exact_queries = [matcher.exact_query for matcher in matchers]
        queries = (all_of(exact_queries),) if all(exact_queries) else ()
        if all(matcher.exact_query == matcher.tsquery for matcher in matchers):
            return Verified(queries, frozenset())
        candidates = selection.matching(*(matcher.tsquery for matcher in matchers))
        candidates = candidates.without(queries)
        wanted = self.filters.apply(candidates)
        is_filtered = wanted != candidates
        limit = min(MAX_READ, self.reader.verifiable // share // (2 if is_filtered else 1))
        ids = self._read(wanted, matchers, statistics, limit, are_results=True)
        if is_filtered:  # for the counts of facets without their own filter
            ids |= self._read(candidates, matchers, statistics, limit)
        return Verified(queries, frozenset(ids))

    def _read(
        self,
        candidates: Selection,
        matchers: Sequence[Matcher],
        statistics: Statistics,
        limit: int,
        are_results: bool = False,
    ) -> set[int]:
        """Return the candidates whose texts match every matcher, of the first `limit`."""
        reader, oldest = self.reader, self.is_oldest_first
        ids = sort_by_date(reader, candidates, limit + 1, oldest_first=oldest)
        if are_results and len(ids) > limit:
            reader.is_partial = True
        del ids[limit:]
        reader.verifiable -= len(ids)
        return {
            text.article_id
            for text in reader.texts(ids)
            if all(matcher.score(text, statistics) for matcher in matchers)
        }
