"""The same stories and queries in a plain SQLite FTS5 setup, for comparison."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from spectator.db import sqlite
from spectator.search import Document

TABLES = """
CREATE TABLE facet (story INTEGER, name TEXT, value TEXT, PRIMARY KEY (story, name, value))
  WITHOUT ROWID;
CREATE VIRTUAL TABLE story USING fts5
  (headline, body, names, tokenize = 'porter unicode61 remove_diacritics 2', prefix = '2 3');
"""
MATCHING = "FROM story WHERE story MATCH ?"
BEST = f"SELECT rowid {MATCHING} ORDER BY bm25(story, 2.5, 1.0, 1.5) LIMIT 10"
COUNT = f"SELECT count(*) {MATCHING}"
FACETS = (
    f"SELECT name, value, count(*) FROM facet WHERE story IN (SELECT rowid {MATCHING}) "
    "GROUP BY name, value"
)


class Fts5:
    """Stories in FTS5, with stemming, without accents, with our field weights.

    A query matches stories with all its words; if there are none, stories with any of its words.
    """

    def __init__(self, path: Path | str, documents: Iterable[Document] | None = None) -> None:
        """Open an existing database, or build one from documents."""
        self.connection = sqlite.connect(str(path))
        if documents is None:
            return
        self.connection.executescript(TABLES)
        with self.connection:
            for document in documents:
                self._add(document)

    def _add(self, document: Document) -> None:
        texts = document.headline, f"{document.dek}\n{document.body}", document.names
        insert = "INSERT INTO story (rowid, headline, body, names) VALUES (?, ?, ?, ?)"
        self.connection.execute(insert, (document.id, *texts))
        facets = [("section", document.section), ("language", document.language)]
        facets += [("year", str(document.published_at.year))]
        facets += [("country", slug) for slug in document.countries]
        facets += [("topic", slug) for slug in document.topics]
        facets += [("author", slug) for slug in document.authors]
        rows = [(document.id, *facet) for facet in facets]
        self.connection.executemany("INSERT OR IGNORE INTO facet VALUES (?, ?, ?)", rows)

    def best(self, text: str) -> list[int]:
        """Return the ids of the ten best stories for a query."""
        return self._best(text)[0]

    def page(self, text: str) -> tuple[list[int], int, int]:
        """Return the ten best ids, the total and the number of facet values."""
        ids, match = self._best(text)
        total = self.connection.execute(COUNT, (match,)).fetchone()[0]
        return ids, total, len(self.connection.execute(FACETS, (match,)).fetchall())

    def _best(self, text: str) -> tuple[list[int], str]:
        """Return the ten best ids and the FTS5 query that matched them."""
        clauses = match_clauses(text)
        ids: list[int] = []
        for match in (" ".join(clauses), " OR ".join(clauses)):
            ids = [row[0] for row in self.connection.execute(BEST, (match,))]
            if ids:
                break
        return ids, match


def match_clauses(text: str) -> Sequence[str]:
    """Return a query in FTS5 syntax: one "phrase", or a clause for every word or prefix*."""
    if text.startswith('"'):
        return [text]
    return [f'"{word[:-1]}" *' if word.endswith("*") else f'"{word}"' for word in text.split()]
