"""The Whoosh index: one searcher per process, one commit at a time, rebuilds in parallel."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, tzinfo
from pathlib import Path
from typing import ClassVar, TypeVar

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
from spectator.search.whoosh.budget import Budget
from spectator.search.whoosh.generations import Generation, Generations, write_offset
from spectator.search.whoosh.internals import check_layout
from spectator.search.whoosh.lexicon import SnapshotLexicon
from spectator.search.whoosh.more_like_this import more_like_this
from spectator.search.whoosh.schema import FORMAT
from spectator.search.whoosh.searcher import search
from spectator.search.whoosh.snapshot import Snapshot, open_snapshot
from spectator.search.whoosh.writer import build, commit

log = logging.getLogger(__name__)
T = TypeVar("T")

_MAX_SEGMENTS = 12  # every process keeps about 14 files of each open
LOCK_TIMEOUT_SECONDS = 1.0
# For an editor's search to wait for those of colleagues. A process runs one of each person.
EDITORS_TIMEOUT_SECONDS = 6.0

# Temporary shortages of the process, which do not mean that the index is damaged.
_RESOURCE_ERRNOS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})


class _ReaderState:
    """The snapshot of one process, and the lock that keeps two threads from mixing up their reads.

    Other searches wait at most `LOCK_TIMEOUT_SECONDS`, so that costly ones cannot block every
    thread.
    """

    def __init__(self) -> None:
        self.process_id = os.getpid()
        self.lock = threading.Lock()
        self.editors_turn = threading.Lock()
        self.snapshot: Snapshot | None = None
        self.unusable_generation: Generation | None = None

    def close_snapshot(self) -> None:
        """Close the snapshot. Its errors would hide why a damaged index is closed."""
        snapshot, self.snapshot = self.snapshot, None
        if snapshot:
            with contextlib.suppress(Exception):
                snapshot.close()


class WhooshIndex:
    """An implementation of `spectator.search.Index`, which documents its methods."""

    # Never closed: closing files of the parent process would move its read positions.
    _inherited: ClassVar[list[_ReaderState]] = []

    def __init__(self, directory: Path, zone: tzinfo = UTC) -> None:
        self._generations = Generations(directory)
        self._zone = zone
        self._reader_state = _ReaderState()

    def find(self, request: SearchRequest) -> SearchResults:
        """See `Index.find`."""
        return self._run(lambda snapshot: search(snapshot, request), request.is_for_editors)

    def suggest(
        self, text: str, limit: int = 5, has_language: LanguageTest | None = None
    ) -> Suggestions:
        """See `Index.suggest`."""
        return self._run(
            lambda snapshot: suggest(SnapshotLexicon(snapshot, has_language), text, limit)
        )

    def more_like_this(self, document: Document, limit: int = 30) -> list[SimilarArticle]:
        """See `Index.more_like_this`."""
        words = count_words(document)  # without the lock: a long text takes half a second
        return self._run(
            lambda snapshot: more_like_this(snapshot, document.id, words, limit),
            is_for_editors=True,
        )

    def versions(self) -> dict[int, int]:
        """See `Index.versions`."""
        return self._run(lambda snapshot: snapshot.versions())

    def offset(self) -> int | None:
        """See `Index.offset`."""
        generation = self._generations.current()
        if generation is None or generation.is_damaged:
            return None
        try:
            return self._run(lambda snapshot: snapshot.generation.offset)
        except IndexBusyError:
            return generation.offset
        except IndexUnavailableError:
            return None

    def apply(
        self,
        changes: Mapping[int, Document | None],
        offset: int,
        *,
        expected_offset: int | None = None,
    ) -> None:
        """See `Index.apply`."""
        check_layout()
        with self._generations.lock("switch", wait=True):
            generation = self._generations.current()
            if generation is None or generation.is_damaged:
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
            _commit_or_mark_damaged(generation, changes)
            write_offset(generation.path, offset)

    def rebuild(
        self,
        documents: Iterable[Document],
        offset: int,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """See `Index.rebuild`."""
        check_layout()
        with self._generations.lock("rebuild", wait=False):
            self._generations.remove_others()
            path = self._generations.create()
            try:
                build(path, documents, progress)
                write_offset(path, offset)
            except BaseException:
                shutil.rmtree(path, ignore_errors=True)
                raise
            with self._generations.lock("switch", wait=True):
                self._generations.switch(path)
            self._generations.remove_others()

    def is_outdated(self) -> bool:
        """See `Index.is_outdated`."""
        generation = self._generations.current()
        return generation is not None and generation.format != FORMAT

    def delete_unused(self) -> None:
        """See `Index.delete_unused`. Rebuilds and commits do it."""

    def is_fragmented(self) -> bool:
        """See `Index.is_fragmented`."""
        return self._run(lambda snapshot: len(snapshot.leaves) > _MAX_SEGMENTS)

    def size(self) -> int:
        """See `Index.size`."""
        return self._generations.size()

    def close(self) -> None:
        """See `Index.close`."""
        with self._locked_state() as state:
            state.close_snapshot()

    def _run(self, read: Callable[[Snapshot], T], is_for_editors: bool = False) -> T:
        """Return the result of `read` on the current snapshot; after a fault, reopen it once."""
        turn = self._editors_turn() if is_for_editors else contextlib.nullcontext()
        with turn, self._locked_state() as state:
            try:
                return read(self._current_snapshot(state))
            except IndexUnavailableError:
                raise
            except Exception:
                log.warning("reopening the search index after a fault", exc_info=True)
                state.close_snapshot()
            snapshot = self._current_snapshot(state)
            try:
                return read(snapshot)
            except Exception as error:
                state.close_snapshot()
                raise _unavailable_error(snapshot.generation, error) from error

    @contextlib.contextmanager
    def _editors_turn(self) -> Iterator[None]:
        """Let only one editor's search at a time wait for the lock beside those of readers."""
        turn = self._current_state().editors_turn
        if not turn.acquire(timeout=EDITORS_TIMEOUT_SECONDS):
            raise IndexBusyError("the search index is busy with other searches")
        try:
            yield
        finally:
            turn.release()

    def _current_state(self) -> _ReaderState:
        """Return the state of this process; a forked one gets its own."""
        if self._reader_state.process_id != os.getpid():
            self._inherited.append(self._reader_state)
            self._reader_state = _ReaderState()
        return self._reader_state

    @contextlib.contextmanager
    def _locked_state(self) -> Iterator[_ReaderState]:
        state = self._current_state()
        if not state.lock.acquire(timeout=LOCK_TIMEOUT_SECONDS):
            raise IndexBusyError("the search index is busy with other searches")
        try:
            yield state
        finally:
            state.lock.release()

    def _current_snapshot(self, state: _ReaderState) -> Snapshot:
        """Return the snapshot of the newest commit, opening it if the current one is older."""
        generation = self._generations.current()
        snapshot = state.snapshot
        # Open files can still be read if the directory is gone.
        if snapshot and generation in (None, snapshot.generation):
            try:
                snapshot.generation.check_files()
            except ValueError as error:
                state.close_snapshot()
                raise _unavailable_error(snapshot.generation, error) from error
            snapshot.budget = Budget()  # each read has its own
            return snapshot
        if generation and generation == state.unusable_generation:
            raise IndexUnavailableError(
                gettext("the search index is damaged and must be rebuilt")
            )
        try:
            new_snapshot = open_snapshot(self._generations, snapshot, self._zone)
        except IndexUnavailableError:
            raise
        except Exception as error:
            if generation is None:
                raise IndexUnavailableError(gettext("there is no search index")) from error
            if not _is_resource_shortage(error):
                state.unusable_generation = generation
            raise _unavailable_error(generation, error) from error
        state.close_snapshot()
        state.snapshot = new_snapshot
        return new_snapshot


def _commit_or_mark_damaged(
    generation: Generation, changes: Mapping[int, Document | None]
) -> None:
    """Commit the changes.

    If the generation is unreadable, it is marked for a rebuild: its consumer would fail for ever.
    """
    try:
        generation.check_files()
        if changes:
            commit(generation.path, changes)
    except IndexUnavailableError:
        raise
    except Exception as error:
        if not isinstance(error, OSError) or isinstance(error, FileNotFoundError):
            generation.mark_damaged()
        raise


def _unavailable_error(generation: Generation, error: Exception) -> IndexUnavailableError:
    if not _is_resource_shortage(error):
        generation.mark_damaged()
    return IndexUnavailableError(
        gettext("the search index cannot be read: %(error)s", error=repr(error))
    )


def _is_resource_shortage(error: Exception) -> bool:
    return isinstance(error, MemoryError) or (
        isinstance(error, OSError) and error.errno in _RESOURCE_ERRNOS
    )
