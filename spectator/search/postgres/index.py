"""The index in PostgreSQL: one for all hosts, read in transactions that see one state of it."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, tzinfo
from typing import TypeVar

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from spectator.i18n import gettext
from spectator.search import (
    Document,
    IndexBusyError,
    IndexUnavailableError,
    LanguageTest,
    SearchRequest,
    SearchResults,
    SimilarArticle,
    Suggestions,
)
from spectator.search.language.key_terms import count_words
from spectator.search.language.suggestions import suggest
from spectator.search.postgres.generations import (
    FORMAT,
    Database,
    Generation,
    abandon,
    begin_rebuild,
    current_generation,
    drop_unused,
    hold_lease,
    switch,
)
from spectator.search.postgres.lexicon import DatabaseLexicon
from spectator.search.postgres.more_like_this import more_like_this
from spectator.search.postgres.reader import QUERY_CANCELED, Reader
from spectator.search.postgres.searcher import search
from spectator.search.postgres.writer import apply_changes, build, make_rows

log = logging.getLogger(__name__)
# How many searches of readers and of editors a process runs at once, so that costly ones cannot
# block every thread, nor editors readers. Others wait this long. Editors wait for longer than a
# search of a colleague may take: a process runs one of each person.
MAX_SEARCHES, MAX_EDITORS_SEARCHES = 2, 1
SLOT_TIMEOUT_SECONDS, EDITORS_TIMEOUT_SECONDS = 1.0, 6.0
T = TypeVar("T")
VERSIONS = "SELECT article_id, version FROM {documents}"
SIZE = """
SELECT CAST(sum(pg_total_relation_size(to_regclass(name))) AS bigint)
FROM unnest(CAST(:names AS text[])) AS name
"""
UNDEFINED_TABLE, LOCK_NOT_AVAILABLE = "42P01", "55P03"


class PostgresIndex:
    """An implementation of `spectator.search.Index`, which documents its methods.

    `name` distinguishes the indexes in a database: a word of lower-case letters.
    """

    def __init__(self, database: Database, name: str, zone: tzinfo = UTC) -> None:
        self._database = database
        self._name = name
        self._zone = zone
        self._last_offset: int | None = None
        self._process_id, self._slots = os.getpid(), _new_slots()

    def find(self, request: SearchRequest) -> SearchResults:
        """See `Index.find`."""
        return self._read(lambda reader: search(reader, request), request.is_for_editors)

    def suggest(
        self, text: str, limit: int = 5, has_language: LanguageTest | None = None
    ) -> Suggestions:
        """See `Index.suggest`."""
        return self._read(
            lambda reader: suggest(DatabaseLexicon(reader, has_language), text, limit)
        )

    def more_like_this(self, document: Document, limit: int = 30) -> list[SimilarArticle]:
        """See `Index.more_like_this`."""
        words = count_words(document)  # before a transaction: a long text takes half a second
        return self._read(
            lambda reader: more_like_this(reader, document.id, words, limit), is_for_editors=True
        )

    def versions(self) -> dict[int, int]:
        """See `Index.versions`."""
        rows = self._read_generation(
            lambda connection, generation: connection.execute(generation.sql(VERSIONS)).all()
        )
        return {row.article_id: row.version for row in rows}

    def offset(self) -> int | None:
        """See `Index.offset`. While the database does not answer, the last known offset."""
        try:
            with self._database.reading() as connection:
                generation = current_generation(connection, self._name)
        except SQLAlchemyError:
            log.warning("the offset of the search index cannot be read", exc_info=True)
            return self._last_offset
        self._last_offset = generation.offset if generation else None
        return self._last_offset

    def apply(
        self,
        changes: Mapping[int, Document | None],
        offset: int,
        *,
        expected_offset: int | None = None,
    ) -> None:
        """See `Index.apply`."""
        # Before the row is locked: long texts take seconds.
        rows = list(make_rows(document for document in changes.values() if document))
        with self._database.writing() as connection:
            generation = self._lock(connection)
            if generation is None:
                raise IndexUnavailableError(
                    gettext("there is no search index to change; rebuild it")
                )
            if generation.format != FORMAT:
                raise IndexUnavailableError(
                    gettext(
                        "the search index has the format of another release and must be rebuilt"
                    )
                )
            if expected_offset is not None and generation.offset != expected_offset:
                raise IndexUnavailableError(
                    gettext(
                        "the search index is at offset %(offset)s, not %(expected)s",
                        offset=generation.offset,
                        expected=expected_offset,
                    )
                )
            apply_changes(connection, generation, changes, rows, offset)

    def rebuild(
        self,
        documents: Iterable[Document],
        offset: int,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """See `Index.rebuild`."""
        generation = begin_rebuild(self._database, self._name)
        try:
            with hold_lease(self._database, generation):
                number = build(self._database, generation, documents, progress)
            switch(self._database, generation, offset, number)
        except BaseException as error:
            abandon(self._database, generation)
            if _sqlstate(error) == UNDEFINED_TABLE:
                raise IndexUnavailableError(
                    gettext("another process has begun to rebuild it")
                ) from error
            raise
        drop_unused(self._database, self._name)

    def is_outdated(self) -> bool:
        """See `Index.is_outdated`."""
        try:
            with self._database.reading() as connection:
                generation = current_generation(connection, self._name)
        except SQLAlchemyError:
            return False
        return generation is not None and generation.format != FORMAT

    def delete_unused(self) -> None:
        """See `Index.delete_unused`."""
        drop_unused(self._database, self._name)

    def is_fragmented(self) -> bool:
        """See `Index.is_fragmented`. PostgreSQL tidies up by itself."""
        return False

    def size(self) -> int:
        """See `Index.size`."""
        with self._database.reading() as connection:
            generation = current_generation(connection, self._name)
            if generation is None:
                return 0
            names = [generation.documents, generation.terms]
            return int(connection.scalar(text(SIZE), {"names": names}) or 0)

    def close(self) -> None:
        """See `Index.close`. Connections belong to the caller."""

    def _lock(self, connection: Connection) -> Generation | None:
        """Return the current generation, whose row is locked until the transaction ends."""
        try:
            return current_generation(connection, self._name, for_update=True)
        except DBAPIError as error:
            if _sqlstate(error) != LOCK_NOT_AVAILABLE:
                raise
            raise IndexBusyError("another process is changing the search index") from error

    def _read(self, read: Callable[[Reader], T], is_for_editors: bool = False) -> T:
        """Return the result of a search, within its limits."""
        with self._slot(is_for_editors):
            return self._read_generation(
                lambda connection, generation: read(Reader(connection, generation, self._zone))
            )

    def _read_generation(self, read: Callable[[Connection, Generation], T]) -> T:
        """Return the result of `read`; once more if a rebuild has replaced the tables meanwhile."""
        try:
            return self._read_once(read)
        except DBAPIError as error:
            if _sqlstate(error) != UNDEFINED_TABLE:
                raise _search_error(error) from error
        try:
            return self._read_once(read)
        except DBAPIError as error:
            raise _search_error(error) from error

    @contextmanager
    def _slot(self, is_for_editors: bool = False) -> Iterator[None]:
        """Hold one of the process's slots. Raises IndexBusyError if all are taken for long."""
        if self._process_id != os.getpid():  # the parent's threads do not exist here
            self._process_id, self._slots = os.getpid(), _new_slots()
        slots = self._slots[is_for_editors]
        seconds = EDITORS_TIMEOUT_SECONDS if is_for_editors else SLOT_TIMEOUT_SECONDS
        if not slots.acquire(timeout=seconds):
            raise IndexBusyError("the search index is busy with other searches")
        try:
            yield
        finally:
            slots.release()

    def _read_once(self, read: Callable[[Connection, Generation], T]) -> T:
        with self._database.reading() as connection:
            generation = current_generation(connection, self._name)
            if generation is None:
                raise IndexUnavailableError(gettext("there is no search index"))
            return read(connection, generation)


def _new_slots() -> tuple[threading.Semaphore, threading.Semaphore]:
    """Return the free slots of readers' and of editors' searches."""
    return threading.Semaphore(MAX_SEARCHES), threading.Semaphore(MAX_EDITORS_SEARCHES)


def _sqlstate(error: BaseException) -> str | None:
    return getattr(getattr(error, "orig", error), "sqlstate", None)


def _search_error(error: DBAPIError) -> IndexUnavailableError:
    if _sqlstate(error) == QUERY_CANCELED:
        return IndexBusyError("a search takes too long")
    return IndexUnavailableError(
        gettext("the search index cannot be read: %(error)s", error=repr(error.orig))
    )
