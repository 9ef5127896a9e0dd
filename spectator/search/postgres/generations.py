"""The generations of an index: tables of their own for each, and one row that names the current.

A rebuild fills the tables of a new generation beside those in use, then changes the row. So readers
see the old or the new index, and dropping the old tables frees their space at once. The row also
has a lease on the right to rebuild: rebuilds of several hosts would only do the same work.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from spectator.i18n import gettext
from spectator.search import IndexUnavailableError

log = logging.getLogger(__name__)
# Raise this when the terms or the tables change. An index of another format answers until it is
# rebuilt.
FORMAT = 1
LEASE_SECONDS = 30
DROP_LOCK_SECONDS = 2
INDEX_MEMORY = "256MB"

# The expression of the index and of every search; parsers and dictionaries of PostgreSQL, which
# know no African language, take no part.
VECTOR = r"array_to_tsvector(string_to_array(ltrim(terms || E'\n' || tags, E'\n'), E'\n'))"
# The terms are stored apart from the short columns, which most statements read alone. The column
# `documents` is a number: of the documents that have a term, in search_index of all documents.
TABLES = """
DROP TABLE IF EXISTS {documents}, {terms};
CREATE TABLE {documents} (
  article_id bigint PRIMARY KEY, version integer NOT NULL, published bigint NOT NULL,
  headline_length integer NOT NULL, body_length integer NOT NULL,
  section text COLLATE "C" NOT NULL, country text COLLATE "C" NOT NULL,
  topic text COLLATE "C" NOT NULL, author text COLLATE "C" NOT NULL,
  language text COLLATE "C" NOT NULL,
  terms text COLLATE "C" NOT NULL, tags text COLLATE "C" NOT NULL, postings bytea NOT NULL
) WITH (toast_tuple_target = 128);
ALTER TABLE {documents} ALTER section SET STORAGE MAIN, ALTER country SET STORAGE MAIN,
  ALTER topic SET STORAGE MAIN, ALTER author SET STORAGE MAIN, ALTER language SET STORAGE MAIN;
CREATE TABLE {terms} (term text COLLATE "C" PRIMARY KEY, documents integer NOT NULL)
"""
CREATE_GIN_INDEX = f"""
SET LOCAL maintenance_work_mem = '{INDEX_MEMORY}';
CREATE INDEX ON {{documents}} USING gin (({VECTOR})) WITH (fastupdate = off)
"""
CURRENT = """
SELECT generation, format, position, documents FROM search_index
WHERE name = :name AND to_regclass('search_documents_' || name || '_' || generation) IS NOT NULL
"""
ADD_ROW = """
INSERT INTO search_index (name, generation, format, position, documents, newest)
VALUES (:name, 0, 0, 0, 0, 0) ON CONFLICT DO NOTHING
"""
TAKE_LEASE = """
UPDATE search_index SET newest = newest + 1,
  leased_until = clock_timestamp() + make_interval(secs => :seconds)
WHERE name = :name AND (leased_until IS NULL OR leased_until < clock_timestamp())
RETURNING newest
"""
KEEP_LEASE = """
UPDATE search_index SET leased_until = clock_timestamp() + make_interval(secs => :seconds)
WHERE name = :name AND newest = :generation
"""
END_LEASE = (
    "UPDATE search_index SET leased_until = NULL WHERE name = :name AND newest = :generation"
)
SWITCH = """
UPDATE search_index SET generation = :generation, format = :format, position = :offset,
  documents = :documents, leased_until = NULL
WHERE name = :name AND newest = :generation
"""
LIST_TABLES = r"""
SELECT tablename FROM pg_tables WHERE schemaname = ANY (current_schemas(false))
  AND tablename ~ ('^search_(documents|words)_' || :name || '_[0-9]+$')
"""
IS_UNUSED = """
substring(tablename FROM '[0-9]+$') NOT IN (
  SELECT CAST(generation AS text) FROM search_index WHERE name = :name
  UNION SELECT CAST(newest AS text) FROM search_index
    WHERE name = :name AND leased_until > clock_timestamp()
)
"""


class Database(Protocol):
    """Connections to the database, which the caller provides."""

    def reading(self) -> AbstractContextManager[Connection]:
        """Return a context with a connection in a read-only transaction that sees one state."""

    def writing(self) -> AbstractContextManager[Connection]:
        """Return a context that commits what was written at its end, without other locks."""


@dataclass(frozen=True, slots=True)
class Generation:
    """A generation of an index and its state: its outbox offset and its number of documents."""

    name: str
    number: int
    format: int = FORMAT
    offset: int = 0
    document_count: int = 0

    @property
    def documents(self) -> str:
        """The table of documents."""
        return f"search_documents_{self.name}_{self.number}"

    @property
    def terms(self) -> str:
        """The table of the terms with their document frequencies."""
        return f"search_words_{self.name}_{self.number}"

    def sql(self, template: str) -> Any:
        """Return a statement with the names of the tables and the expression of the index."""
        return text(template.format(documents=self.documents, terms=self.terms, vector=VECTOR))


def current_generation(
    connection: Connection, name: str, *, for_update: bool = False
) -> Generation | None:
    """Return the generation that readers should use, or None; `for_update` locks its row."""
    query = CURRENT + (" FOR UPDATE" if for_update else "")
    row = connection.execute(text(query), {"name": name}).first()
    return Generation(name, *row) if row else None


def begin_rebuild(database: Database, name: str) -> Generation:
    """Take the lease and create the tables of a new generation.

    Raises IndexUnavailableError while another process has the lease.
    """
    with database.writing() as connection:
        connection.execute(text(ADD_ROW), {"name": name})
        number = connection.scalar(text(TAKE_LEASE), {"name": name, "seconds": LEASE_SECONDS})
        if number is None:
            raise IndexUnavailableError(gettext("another process is rebuilding the search index"))
        generation = Generation(name, number)
        connection.execute(generation.sql(TABLES))
    return generation


@contextmanager
def hold_lease(database: Database, generation: Generation) -> Iterator[None]:
    """Extend the lease from a thread: building the index of a million stories takes minutes.

    A process that is ended or frozen loses the lease after `LEASE_SECONDS`.
    """
    stop_event = threading.Event()

    def extend() -> None:
        while not stop_event.wait(LEASE_SECONDS / 4):
            try:
                with database.writing() as connection:
                    values = {"name": generation.name, "generation": generation.number}
                    connection.execute(text(KEEP_LEASE), values | {"seconds": LEASE_SECONDS})
            except Exception:  # also one of the driver: the thread must go on
                log.warning("the lease of a rebuild could not be extended", exc_info=True)

    thread = threading.Thread(target=extend, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop_event.set()
        thread.join()


def switch(database: Database, generation: Generation, offset: int, documents: int) -> None:
    """Make a complete generation the current one. Raises IndexUnavailableError without a lease."""
    values = {"name": generation.name, "generation": generation.number, "format": FORMAT}
    values |= {"offset": offset, "documents": documents}
    with database.writing() as connection:
        if connection.execute(text(SWITCH), values).rowcount == 0:
            raise IndexUnavailableError(
                gettext("another process has begun to rebuild the search index")
            )


def abandon(database: Database, generation: Generation) -> None:
    """Drop a generation and end its lease, unless it is the current one.

    A switch that failed for its caller may still have been committed.
    """
    with database.writing() as connection:
        current = current_generation(connection, generation.name, for_update=True)
        if current and current.number == generation.number:
            return
        connection.execute(generation.sql("DROP TABLE IF EXISTS {documents}, {terms}"))
        values = {"name": generation.name, "generation": generation.number}
        connection.execute(text(END_LEASE), values)


def drop_unused(database: Database, name: str) -> None:
    """Drop the tables of all generations but the current and the one that is being built.

    Those that somebody reads are left for the next time. Errors are logged.
    """
    try:
        with database.reading() as connection:
            tables = connection.scalars(
                text(f"{LIST_TABLES} AND {IS_UNUSED}"), {"name": name}
            ).all()
        for table in tables:
            _drop(database, table)
    except SQLAlchemyError:
        log.warning("old tables of a search index were not dropped", exc_info=True)


def _drop(database: Database, table: str) -> None:
    try:
        with database.writing() as connection:
            connection.execute(text(f"SET LOCAL lock_timeout = '{DROP_LOCK_SECONDS}s'"))
            connection.execute(text(f"DROP TABLE IF EXISTS {table}"))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != "55P03":  # lock_not_available
            raise
