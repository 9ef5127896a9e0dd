"""The same queries on our index with Whoosh's own matchers, for comparison."""

from __future__ import annotations

from pathlib import Path

from whoosh.index import open_dir
from whoosh.query import And, Or, Phrase, Prefix, Query, Term
from whoosh.scoring import BM25F

from spectator.search.whoosh.schema import TEXT_FIELDS
from spectator.text.words.folding import tokens


class WhooshMatchers:
    """Whoosh's own searcher on our index, without stems and facets.

    A query matches stories with all its words; if there are none, stories with any of its words.
    """

    def __init__(self, directory: Path) -> None:
        self.searcher = open_dir(str(directory)).searcher(weighting=BM25F())
        self.article_ids = self.searcher.reader().column_reader("article")

    def page(self, text: str) -> tuple[list[int], int]:
        """Return the ids of the ten best stories and the exact total."""
        clauses = [_any_field(clause) for clause in _split(text)]
        for query in (And(clauses), Or(clauses)):
            results = self.searcher.search(query, limit=10)
            if len(results):
                break
        return [int(self.article_ids[hit.docnum]) for hit in results], len(results)


def _split(text: str) -> list[str]:
    return [text] if text.startswith('"') else text.split()


def _any_field(clause: str) -> Query:
    """Return the query for a word, "a phrase" or a prefix* in any field, with our field weights."""
    words = [token.text for token in tokens(clause)]
    return Or([_in_field(clause, words, field, boost) for field, boost in TEXT_FIELDS.items()])


def _in_field(clause: str, words: list[str], field: str, boost: float) -> Query:
    if clause.startswith('"'):
        return Phrase(field, words, boost=boost)
    return (Prefix if clause.endswith("*") else Term)(field, words[0], boost=boost)
