"""The number of documents with each value of a facet, and of each year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from spectator.search import FACETS, MAX_FACET_VALUES
from spectator.search.postgres.filters import Filters
from spectator.search.postgres.reader import Reader
from spectator.search.postgres.selection import Selection
from spectator.times import day_start

# Counting takes two microseconds for each document.
MAX_COUNTED = 100_000
YEAR = "year"
HITS = """
WITH hits AS MATERIALIZED (
  SELECT published, section, country, topic, author, language FROM {{documents}}
  WHERE {where} LIMIT :most_counted
)
SELECT '', '', count(*) FROM hits
"""
# Grouped first by the values together: many documents share them.
FACET_VALUES = r"""
UNION ALL (SELECT '{facet}', slug, total FROM (
  SELECT slug, sum(number) AS total, row_number() OVER (ORDER BY sum(number) DESC, slug) AS rank
  FROM (SELECT {facet} AS slugs, count(*) AS number FROM hits GROUP BY {facet}) AS combinations,
    unnest(string_to_array(slugs, E'\t')) AS slug
  GROUP BY slug
) AS ranked WHERE rank <= :most_values OR slug = ANY (:selected_{facet}) ORDER BY rank)
"""
YEARS = """
UNION ALL (SELECT 'year', CAST(:first_year + bucket - 1 AS text), count(*)
  FROM (SELECT width_bucket(published, CAST(:year_starts AS bigint[])) AS bucket FROM hits)
    AS buckets GROUP BY bucket ORDER BY bucket)
"""
COUNT = "SELECT count(*) FROM {{documents}} WHERE {where}"
EXISTS = "SELECT EXISTS (SELECT FROM {{documents}} WHERE {where})"


@dataclass(frozen=True, slots=True)
class Counts:
    """The number of documents, of those with each slug of each facet, and of those of each year."""

    total: int
    facets: dict[str, list[tuple[str, int]]]
    years: list[tuple[int, int]]


def count_documents(reader: Reader, selection: Selection) -> int:
    """Return the number of documents in a selection."""
    where, values = selection.sql()
    return int(reader.execute(COUNT.format(where=where), values)[0][0])


def has_documents(reader: Reader, selection: Selection) -> bool:
    """Return whether there is a document in a selection."""
    where, values = selection.sql()
    return bool(reader.execute(EXISTS.format(where=where), values)[0][0])


def count_values(reader: Reader, matches: Selection, filters: Filters) -> Counts:
    """Return the number of documents that match and pass the filters, and their facets.

    A facet is counted without its own filter, so that its other values can still be selected.
    Beyond `MAX_COUNTED` documents, the values of some of them are counted.
    """
    names = [*FACETS, YEAR]
    allowed = filters.apply(matches)
    total, counts = _count(reader, allowed, filters, [n for n in names if n not in filters.names])
    if total == MAX_COUNTED:
        total, reader.is_partial = count_documents(reader, allowed), True
    for name in filters.names:
        counts |= _count(reader, filters.apply(matches, skip=name), filters, [name])[1]
    years = [(int(year), number) for year, number in counts.pop(YEAR)]
    return Counts(total, {name: counts[name] for name in FACETS}, years)


def _count(
    reader: Reader, selection: Selection, filters: Filters, names: Sequence[str]
) -> tuple[int, dict[str, list[tuple[str, int]]]]:
    where, values = selection.sql()
    sql, values = HITS.format(where=where), values | {"most_counted": MAX_COUNTED}
    for name in names:
        if name == YEAR:
            sql += YEARS
            values |= _year_bounds(reader)
        else:
            sql += FACET_VALUES.format(facet=name)
            values |= {f"selected_{name}": filters.included_slugs(name)}
            values |= {"most_values": MAX_FACET_VALUES}
    counts: dict[str, list[tuple[str, int]]] = {name: [] for name in ("", *names)}
    for name, value, number in reader.execute(sql, values):
        counts[name].append((value, int(number)))
    [(_, total)] = counts.pop("")
    return total, counts


def _year_bounds(reader: Reader) -> dict[str, object]:
    """Return the seconds at which years begin in the reader's zone, and the first of them."""
    years = reader.years() or [1970]
    first, last = max(years[0] - 1, 1), min(years[-1] + 1, date.max.year)
    starts = [day_start(date(year, 1, 1), reader.zone) for year in range(first, last + 1)]
    return {"first_year": first, "year_starts": starts}
