"""Our query tree as Whoosh query objects. A reader's text never meets Whoosh's own parser."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import Any

from whoosh.query import Or, Phrase, Term

from spectator.search.query import Clause
from spectator.search.whoosh_schema import TEXT_FIELDS

# For all prefixes of a query together: each word found costs a list of postings in every field.
MOST_EXPANSIONS = 50
MOST_CANDIDATES = 400


def trees(clauses: Sequence[Clause], reader: Any) -> list[Any]:
    """For each clause a Whoosh query that looks in all text fields."""
    share = max(1, sum(clause.is_prefix for clause in clauses))
    return [_tree(clause, reader, share) for clause in clauses]


def _tree(clause: Clause, reader: Any, share: int) -> Any:
    if clause.is_prefix:
        return _any_of(expansions(reader, clause.words[0], share))
    if len(clause.words) > 1:
        return Or([Phrase(field, list(clause.words), boost=boost) for field, boost in TEXT_FIELDS.items()])
    return _any_of(clause.words)


def _any_of(words: Sequence[str]) -> Any:
    return Or([Term(field, word, boost=boost) for field, boost in TEXT_FIELDS.items() for word in words])


def expansions(reader: Any, prefix: str, share: int = 1) -> list[str]:
    """The indexed words that begin so: the 50 most frequent among each field's first 400, by the `share` less."""
    frequency: Counter[str] = Counter()
    for field in TEXT_FIELDS:
        for term in islice(reader.expand_prefix(field, prefix), MOST_CANDIDATES // share):
            frequency[term.decode()] += reader.doc_frequency(field, term)
    return [word for word, _ in frequency.most_common(MOST_EXPANSIONS // share)]
