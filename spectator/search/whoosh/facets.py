"""Facet values in compact arrays, so that filters and counts do not need Whoosh."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from spectator.search import FACETS, MAX_FACET_VALUES
from spectator.search.whoosh.schema import FACET_SEPARATOR, VALUE_SEPARATOR

Combination = tuple[str, ...]


@dataclass(slots=True)
class Facet:
    """One facet of the documents.

    `combinations` has the different combinations of slugs; `codes[document]` is the index of the
    document's combination.
    """

    codes: array[int] = field(default_factory=lambda: array("I"))
    combinations: list[Combination] = field(default_factory=list)

    def extend(self, other: Facet) -> None:
        """Append the documents of another segment's facet."""
        shift = len(self.combinations)
        self.combinations += other.combinations
        self.codes.extend([code + shift for code in other.codes] if shift else other.codes)

    def codes_with_any(self, slugs: Collection[str]) -> frozenset[int]:
        """Return the codes whose combination has at least one of these slugs."""
        wanted = frozenset(slugs)
        return frozenset(
            code
            for code, combination in enumerate(self.combinations)
            if not wanted.isdisjoint(combination)
        )

    def count_slugs(self, documents: Iterable[int]) -> Counter[str]:
        """Return the number of these documents under each slug."""
        counts: Counter[str] = Counter()
        for code, number in Counter(map(self.codes.__getitem__, documents)).items():
            for slug in self.combinations[code]:
                counts[slug] += number
        return counts


Facets = dict[str, Facet]


def read_facets(rows: Iterable[bytes]) -> Facets:
    """Return the facets of a segment from its column, which has one row for each document."""
    facets = {name: Facet() for name in FACETS}
    codes_by_facet: dict[str, dict[str, int]] = {name: {} for name in FACETS}
    for row in rows:
        for name, joined in zip(FACETS, row.decode().split(FACET_SEPARATOR), strict=True):
            facet, codes = facets[name], codes_by_facet[name]
            code = codes.get(joined)
            if code is None:
                code = codes[joined] = len(facet.combinations)
                facet.combinations.append(tuple(joined.split(VALUE_SEPARATOR)) if joined else ())
            facet.codes.append(code)
    return facets


def concatenate_facets(segments: Iterable[Facets]) -> Facets:
    """Return the facets of several segments, in their order."""
    combined = {name: Facet() for name in FACETS}
    for facets in segments:
        for name, facet in facets.items():
            combined[name].extend(facet)
    return combined


Predicate = Callable[[int], bool]


def filter_documents(documents: Sequence[int], predicates: Iterable[Predicate]) -> Sequence[int]:
    """Return the documents that pass every predicate, in their order."""
    for predicate in predicates:
        documents = [document for document in documents if predicate(document)]
    return documents


def top_values(counts: Counter[str], selected: Collection[str]) -> list[tuple[str, int]]:
    """Return the `MAX_FACET_VALUES` most frequent slugs, then the other selected slugs."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    top, rest = ranked[:MAX_FACET_VALUES], ranked[MAX_FACET_VALUES:]
    return top + [(slug, count) for slug, count in rest if slug in selected]
