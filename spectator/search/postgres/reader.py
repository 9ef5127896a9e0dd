"""One read of a generation: its statements, within limits on their number and their time."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import tzinfo
from typing import Any

from sqlalchemy import Connection, text

from spectator.search import IndexBusyError
from spectator.search.postgres.generations import Generation
from spectator.search.postgres.terms import StoredText, facet_term

# In seconds: of one statement, and of all statements of one search.
MAX_STATEMENT_SECONDS, MAX_SECONDS = 3.0, 5.0
# Texts that one search may read to see whether words are in a row: some 0.3 s of CPU.
MAX_VERIFIED = 3_000
# Of the stored texts that are in memory at once, and of all that one search reads. Unpacking a text
# of one megabyte takes up to six.
MAX_BATCH_BYTES, MAX_TEXT_BYTES = 8_000_000, 100_000_000
# Otherwise PostgreSQL compiles costly plans and divides them among processes, which takes longer
# than running them. A scan without the GIN index would unpack the terms of every document, which
# the planner underestimates. It still scans if there are no conditions on terms.
LIMITS = f"""
SET LOCAL statement_timeout = '{int(MAX_STATEMENT_SECONDS * 1000)}ms';
SET LOCAL jit = off;
SET LOCAL max_parallel_workers_per_gather = 0;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_indexscan = off
"""
FREQUENCIES = "SELECT term, documents FROM {terms} WHERE term = ANY (:terms)"
RANGE = """
SELECT term, documents FROM {terms} WHERE term >= :start AND term < :end AND documents > 0
"""
RANGE_SUM = """
SELECT coalesce(sum(documents), 0) FROM {terms} WHERE term >= :start AND term < :end
"""
SIZES = """
SELECT article_id, octet_length(terms) + 2 * octet_length(postings) AS size
FROM {documents} WHERE article_id = ANY (:ids)
"""
TEXTS = """
SELECT article_id, published, headline_length, body_length, language, terms, postings
FROM {documents} WHERE article_id = ANY (:ids)
"""
QUERY_CANCELED = "57014"  # the error code of a statement that took too long
_LAST_CHARACTER = "\U0010ffff"


class Reader:
    """A generation that one transaction reads. Days and years are those of `zone`."""

    def __init__(self, connection: Connection, generation: Generation, zone: tzinfo) -> None:
        self.connection = connection
        self.generation = generation
        self.zone = zone
        self.deadline = time.monotonic() + MAX_SECONDS
        self.is_partial = False
        self.verifiable = MAX_VERIFIED  # how many texts this search may still verify
        self.readable_bytes = MAX_TEXT_BYTES
        connection.execute(text(LIMITS))

    def execute(self, template: str, values: Mapping[str, Any]) -> Sequence[Any]:
        """Return the rows of a statement. Raises IndexBusyError when the time is over."""
        remaining = self.deadline - time.monotonic()
        if remaining <= 0:
            raise IndexBusyError("a search takes too long")
        if remaining < MAX_STATEMENT_SECONDS:
            milliseconds = int(remaining * 1000) + 1  # 0 would mean without a limit
            self.connection.execute(text(f"SET LOCAL statement_timeout = {milliseconds}"))
        return self.connection.execute(self.generation.sql(template), values).all()

    def end_by(self, seconds: float) -> None:
        """Leave the search at most that many more seconds."""
        self.deadline = min(self.deadline, time.monotonic() + seconds)

    def is_late(self) -> bool:
        """Return whether the search has used its time."""
        return time.monotonic() > self.deadline

    def document_frequencies(self, terms: Collection[str]) -> dict[str, int]:
        """Return in how many documents each of these terms occurs, if in any."""
        rows = self.execute(FREQUENCIES, {"terms": list(terms)})
        return {row.term: row.documents for row in rows}

    def terms_with_prefix(self, prefix: str) -> dict[str, int]:
        """Return the terms that start with a prefix, with their document frequencies."""
        bounds = {"start": prefix, "end": prefix + _LAST_CHARACTER}
        return {row.term: row.documents for row in self.execute(RANGE, bounds)}

    def prefix_frequency(self, prefix: str) -> int:
        """Return the sum of the document frequencies of the terms with a prefix."""
        bounds = {"start": prefix, "end": prefix + _LAST_CHARACTER}
        return int(self.execute(RANGE_SUM, bounds)[0][0])

    def facet_counts(self, name: str) -> dict[str, int]:
        """Return the number of documents with each value of a facet."""
        prefix = facet_term(name, "")
        return {
            term.removeprefix(prefix): count
            for term, count in self.terms_with_prefix(prefix).items()
        }

    def years(self) -> list[int]:
        """Return the years, in UTC, of which there are documents."""
        return sorted(map(int, self.facet_counts("year")))

    def texts(self, ids: Iterable[int]) -> Iterator[StoredText]:
        """Yield the stored texts of documents, in any order, as far as the limits allow.

        Few are in memory at once if the caller keeps none.
        """
        for batch in self._batches(list(ids)):
            for row in self.execute(TEXTS, {"ids": batch}):
                if self.is_late():
                    self.is_partial = True
                    return
                yield StoredText(row)

    def _batches(self, ids: Sequence[int]) -> Iterator[list[int]]:
        """Yield the ids in groups whose texts may be in memory together."""
        batch, size = list[int](), 0
        for row in self.execute(SIZES, {"ids": ids}):
            if self.readable_bytes < row.size:
                self.is_partial = True
                break
            self.readable_bytes -= row.size
            if batch and size + row.size > MAX_BATCH_BYTES:
                yield batch
                batch, size = [], 0
            batch.append(row.article_id)
            size += row.size
        if batch:
            yield batch
