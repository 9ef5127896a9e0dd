"""What every document of an index is filed under, in compact arrays: filters and counts never ask the engine."""

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
    """Of one facet: each document's code, and for each code the slugs that it stands for."""

    codes: array[int] = field(default_factory=lambda: array("I"))
    combinations: list[Combination] = field(default_factory=list)

    def extend(self, other: Facet) -> None:
        """Append another's documents."""
        first = len(self.combinations)
        self.combinations += other.combinations
        self.codes.extend(other.codes if not first else [code + first for code in other.codes])

    def codes_with_any(self, slugs: Collection[str]) -> frozenset[int]:
        """The codes of documents that are filed under one of these slugs."""
        wanted = frozenset(slugs)
        return frozenset(
            code for code, slugs in enumerate(self.combinations) if not wanted.isdisjoint(slugs)
        )

    def count_slugs(self, documents: Iterable[int]) -> Counter[str]:
        """How many of the documents are filed under each slug."""
        found: Counter[str] = Counter()
        for code, number in Counter(map(self.codes.__getitem__, documents)).items():
            for slug in self.combinations[code]:
                found[slug] += number
        return found


Facets = dict[str, Facet]


def read_facets(rows: Iterable[bytes]) -> Facets:
    """The facets of a segment from its column, a row a document."""
    found = {name: Facet() for name in FACETS}
    known: dict[str, dict[str, int]] = {name: {} for name in FACETS}
    for row in rows:
        for name, joined in zip(FACETS, row.decode().split(FACET_SEPARATOR), strict=True):
            facet, codes = found[name], known[name]
            code = codes.get(joined)
            if code is None:
                code = codes[joined] = len(facet.combinations)
                facet.combinations.append(tuple(joined.split(VALUE_SEPARATOR)) if joined else ())
            facet.codes.append(code)
    return found


def concatenate_facets(parts: Iterable[Facets]) -> Facets:
    """The facets of several segments, one after the other."""
    whole = {name: Facet() for name in FACETS}
    for part in parts:
        for name, facet in part.items():
            whole[name].extend(facet)
    return whole


Predicate = Callable[[int], bool]


def filter_documents(documents: Sequence[int], tests: Iterable[Predicate]) -> Sequence[int]:
    """The documents that pass every test, in their order."""
    for test in tests:
        documents = [each for each in documents if test(each)]
    return documents


def top_values(counts: Counter[str], chosen: Collection[str]) -> list[tuple[str, int]]:
    """The slugs with the most documents, at most `MAX_VALUES`, and those that are chosen whatever their number."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    first = ranked[:MAX_FACET_VALUES]
    return first + [item for item in ranked[MAX_FACET_VALUES:] if item[0] in chosen]
