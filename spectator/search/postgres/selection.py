"""Conditions on documents, from which the `WHERE` of every statement is made."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from spectator.search.postgres.matchers import all_of, any_of

MATCHES = "{{vector}} @@ CAST(:{name} AS tsquery)"
# Of any size: NOT IN compares row by row where the list of ids does not fit into memory.
EXCLUDED = f"""NOT EXISTS (
  SELECT FROM {{{{documents}}}} AS other
  WHERE other.article_id = {{{{documents}}}}.article_id AND {MATCHES}
)"""


@dataclass(frozen=True, slots=True)
class Selection:
    """The documents that match all `queries` and `conditions`, and none of the excluded queries.

    Queries are `tsquery` texts, conditions are SQL with `values` for its parameters.
    """

    queries: tuple[str, ...] = ()
    excluded_queries: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)

    def matching(self, *queries: str) -> Selection:
        """Return the documents of this selection that match every query."""
        return replace(self, queries=self.queries + queries)

    def without(self, queries: Iterable[str]) -> Selection:
        """Return the documents of this selection that match none of the queries."""
        return replace(self, excluded_queries=(*self.excluded_queries, *queries))

    def where(self, condition: str, **values: object) -> Selection:
        """Return the documents of this selection for which an SQL condition is true."""
        values = _add(self.values, values)
        return replace(self, conditions=(*self.conditions, condition), values=values)

    def among(self, name: str, ids: Collection[int]) -> Selection:
        """Return the documents of this selection that are among some; `name` is a parameter."""
        return self.where(f"article_id = ANY (:{name})", **{name: list(ids)})

    def matching_or_among(self, queries: Iterable[str], ids: Collection[int]) -> Selection:
        """Return the documents of this selection that match a query or are among some."""
        alternatives = list(queries)
        matches = MATCHES.format(name="any_query")
        if not alternatives:
            return self.among("any_ids", ids)
        if not ids:
            return self.matching(any_of(alternatives))
        condition = f"({matches} OR article_id = ANY (:any_ids))"
        return self.where(condition, any_query=any_of(alternatives), any_ids=list(ids))

    def nothing(self) -> Selection:
        """Return the selection of no documents."""
        return self.where("false")

    def sql(self, prefix: str = "") -> tuple[str, dict[str, Any]]:
        """Return an SQL condition and its parameters, whose queries have names with the prefix."""
        conditions, values = list(self.conditions), dict(self.values)
        if self.queries:
            excluded = (f"!{query}" for query in self.excluded_queries)
            name = f"{prefix}query"
            values = _add(values, {name: all_of((*self.queries, *excluded))})
            conditions.append(MATCHES.format(name=name))
        elif self.excluded_queries:
            # The index finds what matches, never what does not.
            name = f"{prefix}excluded_query"
            values = _add(values, {name: any_of(self.excluded_queries)})
            conditions.append(EXCLUDED.format(name=name))
        return " AND ".join(conditions) or "true", values


def _add(values: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Return all values. Raises ValueError if a name is used twice."""
    if twice := values.keys() & more.keys():
        raise ValueError(f"parameters with two values: {sorted(twice)}")
    return {**values, **more}
