"""Filters from the request and from the query's text, as conditions on documents."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, tzinfo

from spectator.search import FACETS, LanguageTest, SearchRequest
from spectator.search.language.query import Query
from spectator.search.language.slugs import add_pairs, resolve_filters
from spectator.search.postgres.matchers import any_of, quote
from spectator.search.postgres.reader import Reader
from spectator.search.postgres.selection import Selection
from spectator.search.postgres.terms import facet_term, is_indexable
from spectator.times import day_end, day_start

DISTINCT_SLUGS = r"""
SELECT DISTINCT slug FROM {{documents}}, unnest(string_to_array({facet}, E'\t')) AS slug
WHERE article_id = ANY (:ids)
"""
_NO_DOCUMENT = "'#'"  # a term that no document has


@dataclass(slots=True)
class Filters:
    """The conditions of every facet, and the first and last day of publication.

    `unknown` has the (facet, value) pairs of the query that name no value of any indexed story.
    """

    zone: tzinfo
    published_from: date | None = None
    published_to: date | None = None
    included: list[tuple[str, str]] = field(default_factory=list)
    excluded: list[tuple[str, str]] = field(default_factory=list)
    unknown: list[tuple[str, str]] = field(default_factory=list)
    facet_queries: dict[str, list[str]] = field(default_factory=dict)
    excluded_queries: list[str] = field(default_factory=list)
    language_queries: list[str] = field(default_factory=list)

    def apply(self, selection: Selection, skip: str = "") -> Selection:
        """Return the selected documents that pass every filter except those of one facet.

        `skip` may also be "year", for the dates.
        """
        selection = selection.matching(*self.language_queries)
        for name, queries in self.facet_queries.items():
            if name != skip:
                selection = selection.matching(*queries)
        if skip != "year":
            if self.published_from:
                start = day_start(self.published_from, self.zone)
                selection = selection.where("published >= :start", start=start)
            if self.published_to and self.published_to < date.max:
                end = int(day_end(self.published_to, self.zone))
                selection = selection.where("published < :end", end=end)
        return selection.without(self.excluded_queries)

    @property
    def names(self) -> set[str]:
        """The facets that are filtered, and "year" if dates are."""
        has_dates = self.published_from or self.published_to
        return {*self.facet_queries, *(["year"] if has_dates else [])}

    def included_slugs(self, facet: str) -> list[str]:
        """Return the selected values of a facet."""
        return [slug for name, slug in self.included if name == facet and is_indexable(slug)]

    def include(self, name: str, slugs: Sequence[str]) -> None:
        """Require one of these slugs."""
        self.facet_queries.setdefault(name, []).append(_slug_query(name, slugs))
        self.included = add_pairs(self.included, name, slugs)

    def exclude(self, name: str, slugs: Sequence[str]) -> None:
        """Exclude every document with one of these slugs."""
        self.excluded_queries.append(_slug_query(name, slugs))
        self.excluded = add_pairs(self.excluded, name, slugs)


def build_filters(reader: Reader, request: SearchRequest, query: Query) -> Filters:
    """Return the filters of a request and of its query, combined.

    Filters of the query can only name values of the documents that the request is limited to.
    """
    filters = Filters(
        reader.zone,
        max(filter(None, (request.published_from, query.published_from)), default=None),
        min(filter(None, (request.published_to, query.published_to)), default=None),
    )
    for name in FACETS:
        if slug := getattr(request, name):
            filters.include(name, [slug])
    if request.has_language:
        filters.language_queries.append(language_query(reader, request.has_language))
    resolved = resolve_filters(
        query.filters, lambda name: _indexed_slugs(reader, name, request.article_ids)
    )
    for query_filter, slugs, is_cut in resolved:
        reader.is_partial |= is_cut
        if not slugs:
            filters.unknown.append((query_filter.facet, query_filter.value))
        if query_filter.is_excluded:
            filters.exclude(query_filter.facet, slugs)
        else:
            filters.include(query_filter.facet, slugs)
    return filters


def language_query(reader: Reader, has_language: LanguageTest) -> str:
    """Return the `tsquery` of documents whose language passes a test."""
    return _slug_query("language", list(filter(has_language, reader.facet_counts("language"))))


def _indexed_slugs(reader: Reader, name: str, ids: Collection[int] | None) -> set[str]:
    if ids is None:
        return set(reader.facet_counts(name))
    rows = reader.execute(DISTINCT_SLUGS.format(facet=name), {"ids": list(ids)})
    return {slug for (slug,) in rows}


def _slug_query(name: str, slugs: Sequence[str]) -> str:
    """Return the `tsquery` of documents with one of these slugs, which may be hostile."""
    terms = [facet_term(name, slug) for slug in slugs]
    return any_of([quote(term) for term in terms if is_indexable(term)] or [_NO_DOCUMENT])
