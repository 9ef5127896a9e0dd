"""The filters in force, from the address and from the text, as tests on documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial

from spectator.search import FACETS, Request
from spectator.search.facets import Test
from spectator.search.query import Query
from spectator.search.snapshot import Snapshot
from spectator.text.gazetteer import country_named
from spectator.times import day_end, day_start


@dataclass(slots=True)
class Narrowing:
    """Filters: for each facet one or more tests, and a stretch of time, both ends inclusive.

    `unknown` are the (facet, value) pairs that were typed and name nothing that a story is filed under.
    """

    published_from: date | None = None
    published_to: date | None = None
    chosen: list[tuple[str, str]] = field(default_factory=list)
    excluded: list[tuple[str, str]] = field(default_factory=list)
    unknown: list[tuple[str, str]] = field(default_factory=list)
    by_facet: dict[str, list[Test]] = field(default_factory=dict)
    by_exclusion: list[Test] = field(default_factory=list)
    by_date: list[Test] = field(default_factory=list)

    def tests(self, but: str = "") -> Iterator[Test]:
        """Every test that a document has to pass, but those of one facet (or of the date)."""
        if but != "date":
            yield from self.by_date
        yield from self.by_exclusion
        for name, tests in self.by_facet.items():
            if name != but:
                yield from tests

    def slugs(self, facet: str) -> frozenset[str]:
        """The chosen values of a facet."""
        return frozenset(slug for name, slug in self.chosen if name == facet)


def narrowing_of(
    snapshot: Snapshot, request: Request, query: Query, candidates: Sequence[int] | None = None
) -> Narrowing:
    """The filters of a request and of its text together; typed ones name what `candidates` are filed under."""
    found = Narrowing(
        max(filter(None, (request.published_from, query.published_from)), default=None),
        min(filter(None, (request.published_to, query.published_to)), default=None),
    )
    for name in FACETS:
        if slug := getattr(request, name):
            _want(found, snapshot, name, [slug])
    for typed in query.filters:
        facet = snapshot.facets[typed.facet]
        known = _known(facet.combinations) if candidates is None else frozenset(facet.counts(candidates))
        slugs = _slugs_like(typed.facet, known, typed.words)
        if not slugs:
            found.unknown.append((typed.facet, typed.value))
        if typed.is_excluded:
            _exclude(found, snapshot, typed.facet, slugs)
        else:
            _want(found, snapshot, typed.facet, slugs)
    if found.published_from or found.published_to:
        start = day_start(found.published_from, snapshot.zone) if found.published_from else float("-inf")
        end = day_end(found.published_to, snapshot.zone) if found.published_to else float("inf")
        found.by_date.append(lambda document: start <= snapshot.published[document] < end)
    return found


def _want(narrowing: Narrowing, snapshot: Snapshot, name: str, slugs: Sequence[str]) -> None:
    """Narrow to the stories that are filed under one of these slugs."""
    facet = snapshot.facets[name]
    narrowing.by_facet.setdefault(name, []).append(partial(_is_filed, facet.codes, facet.with_any(slugs)))
    narrowing.chosen += [(name, slug) for slug in slugs if (name, slug) not in narrowing.chosen]


def _exclude(narrowing: Narrowing, snapshot: Snapshot, name: str, slugs: Sequence[str]) -> None:
    """Narrow to the stories that are filed under none of these slugs."""
    facet = snapshot.facets[name]
    codes, unwanted = facet.codes, facet.with_any(slugs)
    narrowing.by_exclusion.append(lambda document: codes[document] not in unwanted)
    narrowing.excluded += [(name, slug) for slug in slugs if (name, slug) not in narrowing.excluded]


def _is_filed(codes: Sequence[int], allowed: frozenset[int], document: int) -> bool:
    return codes[document] in allowed


def _slugs_like(name: str, known: frozenset[str], words: Sequence[str]) -> list[str]:
    """The slugs that typed words name: the very one, or all that have every word among theirs.

    A slug has no apostrophe: "N'Golo" is "ngolo" there. It may have been typed with one or without.
    """
    country = country_named(" ".join(words)) if name == "country" else None
    for slug in ("-".join(words), country.slug if country else "", "".join(words)):
        if slug in known:
            return [slug]
    return sorted(slug for slug in known if is_named(slug, words))


def is_named(slug: str, words: Sequence[str]) -> bool:
    """Whether a slug has each of these words, or two that follow each other as one."""
    parts = frozenset(slug.lower().split("-"))
    return all(
        word in parts
        or "".join(words[place : place + 2]) in parts
        or (place > 0 and "".join(words[place - 1 : place + 1]) in parts)
        for place, word in enumerate(words)
    )


def _known(combinations: Iterable[tuple[str, ...]]) -> frozenset[str]:
    return frozenset(slug for slugs in combinations for slug in slugs)
