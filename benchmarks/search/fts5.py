"""The same stories and the same questions in SQLite FTS5, as plainly as one would set it up, to know the distance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from spectator.db import sqlite
from spectator.search import Document

TABLES = """
CREATE TABLE facet (story INTEGER, name TEXT, value TEXT, PRIMARY KEY (story, name, value)) WITHOUT ROWID;
CREATE VIRTUAL TABLE story USING fts5
  (headline, body, names, tokenize = 'porter unicode61 remove_diacritics 2', prefix = '2 3');
"""
MATCHING = "FROM story WHERE story MATCH ?"
BEST = f"SELECT rowid {MATCHING} ORDER BY bm25(story, 2.5, 1.0, 1.5) LIMIT 10"
COUNT = f"SELECT count(*) {MATCHING}"
FACETS = f"SELECT name, value, count(*) FROM facet WHERE story IN (SELECT rowid {MATCHING}) GROUP BY name, value"


class Fts5:
    """Stories in FTS5: words stemmed and without accents, weighed as ours are; all words, else any."""

    def __init__(self, path: Path | str, documents: Iterable[Document] | None = None) -> None:
        """Open what an earlier one has made, or make it of documents."""
        self.connection = sqlite.connect(str(path))
        if documents is None:
            return
        self.connection.executescript(TABLES)
        with self.connection:
            for each in documents:
                self._add(each)

    def _add(self, document: Document) -> None:
        texts = document.headline, f"{document.dek}\n{document.body}", document.names
        insert = "INSERT INTO story (rowid, headline, body, names) VALUES (?, ?, ?, ?)"
        self.connection.execute(insert, (document.id, *texts))
        filed = [("section", document.section), ("language", document.language)]
        filed += [("year", str(document.published_at.year))]
        filed += [("country", slug) for slug in document.countries]
        filed += [("topic", slug) for slug in document.topics]
        filed += [("author", slug) for slug in document.authors]
        rows = [(document.id, *row) for row in filed]
        self.connection.executemany("INSERT OR IGNORE INTO facet VALUES (?, ?, ?)", rows)

    def best(self, text: str) -> list[int]:
        """Return the ten best stories for a text as readers type it."""
        return self._best(text)[0]

    def page(self, text: str) -> tuple[list[int], int, int]:
        """Return the ten best, the number of all, and that of facet values: what a page of results asks for."""
        ids, match = self._best(text)
        total = self.connection.execute(COUNT, (match,)).fetchone()[0]
        return ids, total, len(self.connection.execute(FACETS, (match,)).fetchall())

    def _best(self, text: str) -> tuple[list[int], str]:
        """Return the ten best, and the question that found them."""
        ids: list[int] = []
        for match in (" ".join(parts := match_clauses(text)), " OR ".join(parts)):
            ids = [row[0] for row in self.connection.execute(BEST, (match,))]
            if ids:
                break
        return ids, match


def match_clauses(text: str) -> Sequence[str]:
    """Return the clauses of "a phrase", of words, or of prefix* in FTS5's own writing."""
    if text.startswith('"'):
        return [text]
    return [f'"{word[:-1]}" *' if word.endswith("*") else f'"{word}"' for word in text.split()]
