"""Filters from the request and from the query's text, as predicates on documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from spectator.search import FACETS, LanguageTest, SearchRequest
from spectator.search.language.query import Query
from spectator.search.language.slugs import add_pairs, resolve_filters
from spectator.search.whoosh.facets import Facet, Predicate
from spectator.search.whoosh.snapshot import Snapshot
from spectator.times import day_end, day_start


@dataclass(slots=True)
class Filters:
    """The predicates of every facet, and the first and last day of publication.

    `unknown` has the (facet, value) pairs of the query that name no value of any indexed story.
    """

    published_from: date | None = None
    published_to: date | None = None
    included: list[tuple[str, str]] = field(default_factory=list)
    excluded: list[tuple[str, str]] = field(default_factory=list)
    unknown: list[tuple[str, str]] = field(default_factory=list)
    facet_predicates: dict[str, list[Predicate]] = field(default_factory=dict)
    exclusion_predicates: list[Predicate] = field(default_factory=list)
    date_predicates: list[Predicate] = field(default_factory=list)

    def predicates(self, skip: str = "") -> Iterator[Predicate]:
        """Yield every predicate except those of one facet, or of the date."""
        if skip != "date":
            yield from self.date_predicates
        yield from self.exclusion_predicates
        for name, tests in self.facet_predicates.items():
            if name != skip:
                yield from tests

    def included_slugs(self, facet: str) -> frozenset[str]:
        """Return the selected values of a facet."""
        return frozenset(slug for name, slug in self.included if name == facet)


def build_filters(
    snapshot: Snapshot,
    request: SearchRequest,
    query: Query,
    candidates: Sequence[int] | None = None,
) -> Filters:
    """Return the filters of a request and of its query, combined.

    Filters of the query can only name values that `candidates` have.
    """
    filters = Filters(
        max(filter(None, (request.published_from, query.published_from)), default=None),
        min(filter(None, (request.published_to, query.published_to)), default=None),
    )
    for name in FACETS:
        if slug := getattr(request, name):
            _include(filters, snapshot, name, [slug])
    resolved = resolve_filters(
        query.filters, lambda name: _indexed_slugs(snapshot.facets[name], candidates)
    )
    for query_filter, slugs, is_cut in resolved:
        snapshot.budget.is_cut |= is_cut
        if not slugs:
            filters.unknown.append((query_filter.facet, query_filter.value))
        if query_filter.is_excluded:
            _exclude(filters, snapshot, query_filter.facet, slugs)
        else:
            _include(filters, snapshot, query_filter.facet, slugs)
    if request.has_language:
        filters.exclusion_predicates.append(language_predicate(snapshot, request.has_language))
    first, last = filters.published_from, filters.published_to
    if first or last:
        start = day_start(first, snapshot.zone) if first else float("-inf")
        end = day_end(last, snapshot.zone) if last else float("inf")
        filters.date_predicates.append(
            lambda document: start <= snapshot.published_at[document] < end
        )
    return filters


def language_predicate(snapshot: Snapshot, has_language: LanguageTest) -> Predicate:
    """Return the predicate of documents whose language passes a test."""
    facet = snapshot.facets["language"]
    allowed = frozenset(
        code for code, tags in enumerate(facet.combinations) if any(map(has_language, tags))
    )
    codes = facet.codes
    return lambda document: codes[document] in allowed


def _include(filters: Filters, snapshot: Snapshot, name: str, slugs: Sequence[str]) -> None:
    """Require one of these slugs."""
    facet = snapshot.facets[name]
    codes, allowed = facet.codes, facet.codes_with_any(slugs)
    predicates = filters.facet_predicates.setdefault(name, [])
    predicates.append(lambda document: codes[document] in allowed)
    filters.included = add_pairs(filters.included, name, slugs)


def _exclude(filters: Filters, snapshot: Snapshot, name: str, slugs: Sequence[str]) -> None:
    """Exclude every document with one of these slugs."""
    facet = snapshot.facets[name]
    codes, unwanted = facet.codes, facet.codes_with_any(slugs)
    filters.exclusion_predicates.append(lambda document: codes[document] not in unwanted)
    filters.excluded = add_pairs(filters.excluded, name, slugs)


def _indexed_slugs(facet: Facet, candidates: Sequence[int] | None) -> frozenset[str]:
    if candidates is None:
        return frozenset(slug for slugs in facet.combinations for slug in slugs)
    return frozenset(facet.count_slugs(candidates))
