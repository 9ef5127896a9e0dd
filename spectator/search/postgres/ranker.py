"""The order of results: BM25 and nearness for the best documents, after a rough choice of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spectator.search.language.query import Query
from spectator.search.postgres.matchers import Matcher, Statistics
from spectator.search.postgres.reader import Reader
from spectator.search.postgres.selection import Selection
from spectator.search.postgres.terms import StoredText
from spectator.search.relevance import (
    MAX_BOOST,
    MAX_POSITIONS,
    RERANK_DEPTH,
    proximity_boost,
)

# How many documents get exact scores. Reading the text of one takes 50 microseconds.
MAX_SCORED = 300
# Longer texts, of some 20,000 words, are not kept in memory to see how close together words are.
MAX_KEPT_SIZE = 100_000
BY_DATE = """
SELECT article_id FROM {{documents}} WHERE {where}
ORDER BY published {order}, article_id {order} LIMIT :count OFFSET :offset
"""
# A document's rough score is the sum of what each condition that it matches adds.
BY_IMPACT = """
SELECT article_id FROM ({parts}) AS parts GROUP BY article_id, published
ORDER BY sum(impact) DESC, published DESC, article_id DESC LIMIT :count OFFSET :offset
"""
PART = """
SELECT article_id, published, CAST(:{prefix}impact AS double precision) AS impact
FROM {{documents}} WHERE {where}
"""


@dataclass(frozen=True, slots=True)
class Scorer:
    """The score of texts for a query, as the sum of its matchers.

    If `is_any` is set, texts match some of them, and the share of those counts.
    """

    matchers: Sequence[Matcher]
    statistics: Statistics
    is_any: bool = False

    def score(self, text: StoredText) -> float:
        """Return the score of a text."""
        scores = [matcher.score(text, self.statistics) for matcher in self.matchers]
        share = sum(score > 0 for score in scores) / len(scores)
        return sum(scores) * (share**2 if self.is_any else 1.0)


def sort_by_date(
    reader: Reader,
    selection: Selection,
    count: int,
    offset: int = 0,
    *,
    oldest_first: bool = False,
) -> list[int]:
    """Return the ids of `count` documents after `offset`, the newest or oldest first."""
    where, values = selection.sql()
    sql = BY_DATE.format(where=where, order="ASC" if oldest_first else "DESC")
    return [key for (key,) in reader.execute(sql, values | {"count": count, "offset": offset})]


def sort_by_relevance(
    reader: Reader, selection: Selection, query: Query, scorer: Scorer, page: slice
) -> list[int]:
    """Return the ids of one page of the selected documents, best first."""
    ids = sort_by_date(reader, selection, MAX_SCORED + 1)
    has_more = len(ids) > MAX_SCORED
    if has_more and page.start >= MAX_SCORED:
        return _sort_by_impact(reader, selection, scorer, page.stop - page.start, page.start)
    if has_more:
        ids = _sort_by_impact(reader, selection, scorer, max(MAX_SCORED, page.stop))
    first, rest = ids[:MAX_SCORED], ids[MAX_SCORED:]
    texts, ranks = dict[int, StoredText](), dict[int, tuple[float, int, int]]()
    for text in reader.texts(first):
        ranks[text.article_id] = scorer.score(text), text.published, text.article_id
        if text.size <= MAX_KEPT_SIZE:
            texts[text.article_id] = text
    ranked = sorted(ranks, key=ranks.__getitem__, reverse=True)
    clauses = [clause for clause in query.included if not clause.is_prefix]
    words = list(dict.fromkeys(word for clause in clauses for word in clause.words))
    if len(words) > 1 and not scorer.is_any:
        scores = {key: score for key, (score, *_) in ranks.items()}
        ranked = _rerank(ranked, scores, texts, words)
    return [*ranked, *rest][page]


def _sort_by_impact(
    reader: Reader, selection: Selection, scorer: Scorer, count: int, offset: int = 0
) -> list[int]:
    """Return the ids of documents by their rough scores."""
    impacts = [
        (impact, selection.matching(query))
        for matcher in scorer.matchers
        for query, impact in matcher.impacts(scorer.statistics)
    ]
    ids = sum_impacts(reader, impacts, count, offset)
    if len(ids) == count:
        return ids
    return sum_impacts(reader, [*impacts, (0.0, selection)], count, offset)


def sum_impacts(
    reader: Reader, impacts: Sequence[tuple[float, Selection]], count: int, offset: int
) -> list[int]:
    """Return the ids of `count` documents after `offset`, those with the highest sums first."""
    parts, values = [], {"count": count, "offset": offset}
    for number, (impact, selection) in enumerate(impacts):
        prefix = f"part_{number}_"
        where, part_values = selection.sql(prefix)
        parts.append(PART.format(prefix=prefix, where=where))
        values |= part_values | {f"{prefix}impact": impact}
    rows = reader.execute(BY_IMPACT.format(parts=" UNION ALL ".join(parts)), values)
    return [key for (key,) in rows]


def _rerank(
    ranked: Sequence[int],
    scores: dict[int, float],
    texts: dict[int, StoredText],
    words: Sequence[str],
) -> list[int]:
    """Return `ranked` with its first 100 documents reranked by how close together the words are."""
    first, rest = list(ranked[:RERANK_DEPTH]), list(ranked[RERANK_DEPTH:])
    boosts = {key: _boost(texts[key], words) if key in texts else 1.0 for key in first}
    first.sort(key=lambda key: -scores[key] * boosts[key])
    return first + rest


def _boost(text: StoredText, words: Sequence[str]) -> float:
    boost = 1.0
    fields = [dict(text.field_positions(word)) for word in words]
    for field in MAX_BOOST:
        if all(field in positions for positions in fields):
            boost += proximity_boost(field, [row[field][:MAX_POSITIONS] for row in fields])
    return boost
