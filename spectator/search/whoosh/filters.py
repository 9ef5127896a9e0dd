"""The filters in force, from the address and from the text, as tests on documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial

from spectator.search import FACETS, SearchRequest
from spectator.search.language.query import Query
from spectator.search.whoosh.facets import Predicate
from spectator.search.whoosh.snapshot import Snapshot
from spectator.text.places.gazetteer import find_country
from spectator.times import day_end, day_start


@dataclass(slots=True)
class Filters:
    """Filters: for each facet one or more tests, and a stretch of time, both ends inclusive.

    `unknown` are the (facet, value) pairs that were typed and name nothing that a story is filed under.
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
        """Every test that a document has to pass, but those of one facet (or of the date)."""
        if skip != "date":
            yield from self.date_predicates
        yield from self.exclusion_predicates
        for name, tests in self.facet_predicates.items():
            if name != skip:
                yield from tests

    def included_slugs(self, facet: str) -> frozenset[str]:
        """The chosen values of a facet."""
        return frozenset(slug for name, slug in self.included if name == facet)


def build_filters(
    snapshot: Snapshot,
    request: SearchRequest,
    query: Query,
    candidates: Sequence[int] | None = None,
) -> Filters:
    """The filters of a request and of its text together; typed ones name what `candidates` are filed under."""
    found = Filters(
        max(filter(None, (request.published_from, query.published_from)), default=None),
        min(filter(None, (request.published_to, query.published_to)), default=None),
    )
    for name in FACETS:
        if slug := getattr(request, name):
            _include(found, snapshot, name, [slug])
    for typed in query.filters:
        facet = snapshot.facets[typed.facet]
        known = (
            _all_slugs(facet.combinations)
            if candidates is None
            else frozenset(facet.count_slugs(candidates))
        )
        slugs = _resolve_slugs(typed.facet, known, typed.words)
        if not slugs:
            found.unknown.append((typed.facet, typed.value))
        if typed.is_excluded:
            _exclude(found, snapshot, typed.facet, slugs)
        else:
            _include(found, snapshot, typed.facet, slugs)
    if found.published_from or found.published_to:
        start = (
            day_start(found.published_from, snapshot.zone)
            if found.published_from
            else float("-inf")
        )
        end = day_end(found.published_to, snapshot.zone) if found.published_to else float("inf")
        found.date_predicates.append(
            lambda document: start <= snapshot.published_at[document] < end
        )
    return found


def _include(filters: Filters, snapshot: Snapshot, name: str, slugs: Sequence[str]) -> None:
    """Narrow to the stories that are filed under one of these slugs."""
    facet = snapshot.facets[name]
    filters.facet_predicates.setdefault(name, []).append(
        partial(_has_code, facet.codes, facet.codes_with_any(slugs))
    )
    filters.included += [(name, slug) for slug in slugs if (name, slug) not in filters.included]


def _exclude(filters: Filters, snapshot: Snapshot, name: str, slugs: Sequence[str]) -> None:
    """Narrow to the stories that are filed under none of these slugs."""
    facet = snapshot.facets[name]
    codes, unwanted = facet.codes, facet.codes_with_any(slugs)
    filters.exclusion_predicates.append(lambda document: codes[document] not in unwanted)
    filters.excluded += [(name, slug) for slug in slugs if (name, slug) not in filters.excluded]


def _has_code(codes: Sequence[int], allowed: frozenset[int], document: int) -> bool:
    return codes[document] in allowed


def _resolve_slugs(name: str, indexed_slugs: frozenset[str], words: Sequence[str]) -> list[str]:
    """The slugs that typed words name: the very one, or all that have every word among theirs.

    A slug has no apostrophe: "N'Golo" is "ngolo" there. It may have been typed with one or without.
    """
    country = find_country(" ".join(words)) if name == "country" else None
    for slug in ("-".join(words), country.slug if country else "", "".join(words)):
        if slug in indexed_slugs:
            return [slug]
    return sorted(slug for slug in indexed_slugs if slug_matches(slug, words))


def slug_matches(slug: str, words: Sequence[str]) -> bool:
    """Whether a slug has each of these words, or two that follow each other as one."""
    parts = frozenset(slug.lower().split("-"))
    return all(
        word in parts
        or "".join(words[place : place + 2]) in parts
        or (place > 0 and "".join(words[place - 1 : place + 1]) in parts)
        for place, word in enumerate(words)
    )


def _all_slugs(combinations: Iterable[tuple[str, ...]]) -> frozenset[str]:
    return frozenset(slug for slugs in combinations for slug in slugs)
