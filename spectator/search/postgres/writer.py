"""Writing to the tables of a generation: documents, and for each term how many have it."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Connection, text

from spectator.search import Document
from spectator.search.postgres.generations import CREATE_GIN_INDEX, Database, Generation
from spectator.search.postgres.terms import SEPARATOR, DocumentRow, document_row

log = logging.getLogger(__name__)
BATCH_DOCUMENTS, BATCH_BYTES = 200, 4_000_000
MAX_COUNTED_TERMS = 1_000_000  # in memory, during a rebuild

# `tags` are terms without positions: see DocumentRow.
DELETE_DOCUMENTS = "DELETE FROM {documents} WHERE article_id = ANY (:ids) RETURNING terms, tags"
# In {terms}, the column `documents` is the number of documents that have a term.
COUNT_TERMS = """
INSERT INTO {terms} AS stored SELECT * FROM unnest(CAST(:terms AS text[]), CAST(:counts AS int[]))
ON CONFLICT (term) DO UPDATE SET documents = stored.documents + excluded.documents
"""
DELETE_UNUSED = "DELETE FROM {terms} WHERE term = ANY (:terms) AND documents <= 0"
# Here `documents` is the number of all documents, and `position` the offset.
SET_OFFSET = """
UPDATE search_index SET position = :offset, documents = documents + :change WHERE name = :name
"""
COPY = f"COPY {{documents}} ({', '.join(DocumentRow._fields)}) FROM STDIN"


def apply_changes(
    connection: Connection,
    generation: Generation,
    ids: Collection[int],
    rows: Sequence[DocumentRow],
    offset: int,
) -> None:
    """Delete the documents with `ids` and insert `rows`, in the caller's transaction.

    The caller has locked the generation's row in search_index.
    """
    frequencies: Counter[str] = Counter()
    removed = connection.execute(generation.sql(DELETE_DOCUMENTS), {"ids": list(ids)}).all()
    for terms, tags in removed:
        frequencies.subtract(_split(terms, tags))
    for row in rows:
        frequencies.update(_split(row.terms, row.tags))
    _copy(connection, generation, rows)
    _add_frequencies(connection, generation, frequencies)
    values = {"name": generation.name, "offset": offset, "change": len(rows) - len(removed)}
    connection.execute(text(SET_OFFSET), values)


def build(
    database: Database,
    generation: Generation,
    documents: Iterable[Document],
    progress: Callable[[int], None] | None,
) -> int:
    """Fill the tables of a new generation; return the number of documents."""
    frequencies: Counter[str] = Counter()
    done = 0
    for batch in _batches(make_rows(documents)):
        for row in batch:
            frequencies.update(_split(row.terms, row.tags))
            done += 1
            if progress:
                progress(done)
        with database.writing() as connection:
            _copy(connection, generation, batch)
            if len(frequencies) > MAX_COUNTED_TERMS:
                _add_frequencies(connection, generation, frequencies)
                frequencies.clear()
    with database.writing() as connection:
        _add_frequencies(connection, generation, frequencies)
        connection.execute(generation.sql(CREATE_GIN_INDEX))
    with database.writing() as connection:
        connection.execute(generation.sql("ANALYZE {documents}, {terms}"))
    return done


def make_rows(documents: Iterable[Document]) -> Iterator[DocumentRow]:
    """Yield the rows of documents; one whose text causes an error is logged and left out."""
    for document in documents:
        try:
            yield document_row(document)
        except Exception:
            log.exception("story %s cannot be indexed", document.id)


def _batches(rows: Iterator[DocumentRow]) -> Iterator[list[DocumentRow]]:
    """Yield lists of at most `BATCH_DOCUMENTS` rows and not much more than `BATCH_BYTES`."""
    batch: list[DocumentRow] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += _byte_size(row)
        if len(batch) == BATCH_DOCUMENTS or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _byte_size(row: DocumentRow) -> int:
    return len(row.terms.encode()) + len(row.tags.encode()) + len(row.postings)


def _split(terms: str, tags: str) -> list[str]:
    """Return all terms of a document: those with positions, and its tags, which have none."""
    columns = [column for column in (terms, tags) if column]
    return [term for column in columns for term in column.split(SEPARATOR)]


def _copy(connection: Connection, generation: Generation, rows: Iterable[DocumentRow]) -> None:
    driver: Any = connection.connection.dbapi_connection
    statement = COPY.format(documents=generation.documents)
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _add_frequencies(
    connection: Connection, generation: Generation, frequencies: Counter[str]
) -> None:
    """Add to the document frequencies, in the order of the primary key, which is faster."""
    changed = iter(sorted((term, count) for term, count in frequencies.items() if count))
    while batch := list(islice(changed, 50_000)):
        terms, counts = (list(column) for column in zip(*batch, strict=True))
        connection.execute(generation.sql(COUNT_TERMS), {"terms": terms, "counts": counts})
        decreased = [term for term, count in batch if count < 0]
        if decreased:
            connection.execute(generation.sql(DELETE_UNUSED), {"terms": decreased})
