"""The search index on Whoosh: one searcher per process, one commit at a time, rebuilt beside the live one."""

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

from spectator.search import (
    Document,
    IndexBusyError,
    IndexUnavailableError,
    SearchRequest,
    SearchResults,
    SimilarArticle,
    Suggestions,
)
from spectator.search.language.suggestions import suggest
from spectator.search.whoosh.generations import Generation, Generations, write_offset
from spectator.search.whoosh.more_like_this import more_like_this
from spectator.search.whoosh.schema import FORMAT
from spectator.search.whoosh.searcher import search
from spectator.search.whoosh.snapshot import Snapshot, open_snapshot
from spectator.search.whoosh.writer import build, commit

log = logging.getLogger(__name__)
T = TypeVar("T")

_MAX_SEGMENTS = 12  # of some 14 files each, which every process holds open
LOCK_TIMEOUT_SECONDS = 1.0

# Wants of the moment, which say nothing about the index.
_RESOURCE_ERRNOS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})


class _ReaderState:
    """What one process reads with: a snapshot, and the lock without which two threads would mix up their reads.

    One search at a time, then, and the others wait for a second at most: costly searches never hold every thread of a
    process from its other pages.
    """

    def __init__(self) -> None:
        self.process_id = os.getpid()
        self.lock = threading.Lock()
        self.snapshot: Snapshot | None = None
        self.unusable_generation: Generation | None = None

    def close_snapshot(self) -> None:
        """Close the snapshot. Closing damaged files may fail, which must not hide why they are being closed."""
        snapshot, self.snapshot = self.snapshot, None
        if snapshot:
            with contextlib.suppress(Exception):
                snapshot.close()


class WhooshIndex:
    """`spectator.search.Index` on Whoosh; what its methods promise is said there."""

    # Kept for ever: to close what a parent process opened would move the file positions that the parent reads at.
    _inherited: ClassVar[list[_ReaderState]] = []

    def __init__(self, directory: Path, zone: tzinfo = UTC) -> None:
        self._generations = Generations(directory)
        self._zone = zone
        self._reader_state = _ReaderState()

    def find(self, request: SearchRequest) -> SearchResults:
        """See `Index.find`."""
        return self._run(lambda snapshot: search(snapshot, request))

    def suggest(self, text: str, limit: int = 5) -> Suggestions:
        """See `Index.suggest`."""
        return self._run(lambda snapshot: suggest(snapshot, text, limit))

    def more_like_this(self, document: Document, limit: int = 30) -> list[SimilarArticle]:
        """See `Index.similar`."""
        return self._run(lambda snapshot: more_like_this(snapshot, document, limit))

    def versions(self) -> dict[int, int]:
        """See `Index.versions`."""
        return self._run(lambda snapshot: snapshot.versions())

    def offset(self) -> int | None:
        """See `Index.position`."""
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
        with self._generations.lock("switch", wait=True):
            generation = self._generations.current()
            if generation is None or generation.is_damaged:
                raise IndexUnavailableError("there is no search index to change")
            if generation.format != FORMAT:
                raise IndexUnavailableError(
                    "the search index has another format and waits to be rebuilt"
                )
            if expected_offset is not None and generation.offset != expected_offset:
                raise IndexUnavailableError(
                    f"the search index stands at {generation.offset} and not at {expected_offset}"
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

    def is_fragmented(self) -> bool:
        """See `Index.is_scattered`."""
        return self._run(lambda snapshot: snapshot.segment_count > _MAX_SEGMENTS)

    def close(self) -> None:
        """See `Index.close`."""
        with self._locked_reader() as reading:
            reading.close_snapshot()

    def _run(self, question: Callable[[Snapshot], T]) -> T:
        """The answer from the current snapshot; after a fault once more from files opened anew."""
        with self._locked_reader() as reading:
            try:
                return question(self._current_snapshot(reading))
            except IndexUnavailableError:
                raise
            except Exception:
                log.warning("the search index is opened anew after a fault", exc_info=True)
                reading.close_snapshot()
            snapshot = self._current_snapshot(reading)
            try:
                return question(snapshot)
            except Exception as error:
                reading.close_snapshot()
                raise _unavailable_error(snapshot.generation, error) from error

    @contextlib.contextmanager
    def _locked_reader(self) -> Iterator[_ReaderState]:
        if self._reader_state.process_id != os.getpid():
            self._inherited.append(self._reader_state)
            self._reader_state = _ReaderState()
        reading = self._reader_state
        if not reading.lock.acquire(timeout=LOCK_TIMEOUT_SECONDS):
            raise IndexBusyError("other searches hold the index")
        try:
            yield reading
        finally:
            reading.lock.release()

    def _current_snapshot(self, state: _ReaderState) -> Snapshot:
        """The snapshot of the newest commit, opened when there is a newer one than we hold."""
        generation = self._generations.current()
        held = state.snapshot
        # Files that we hold open still answer while the directory is gone.
        if held and generation in (None, held.generation):
            try:
                held.generation.check_files()
            except ValueError as error:
                state.close_snapshot()
                raise _unavailable_error(held.generation, error) from error
            return held
        if generation and generation == state.unusable_generation:
            raise IndexUnavailableError("the search index is damaged and waits to be rebuilt")
        try:
            fresh = open_snapshot(self._generations, held, self._zone)
        except IndexUnavailableError:
            raise
        except Exception as error:
            if generation is None:
                raise IndexUnavailableError("there is no search index") from error
            if not _is_resource_shortage(error):
                state.unusable_generation = generation
            raise _unavailable_error(generation, error) from error
        state.close_snapshot()
        state.snapshot = fresh
        return fresh


def _commit_or_mark_damaged(generation: Generation, changes: Mapping[int, Document | None]) -> None:
    """Commit; a generation that cannot even be read for that is marked, or its follower would fail for ever."""
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
    return IndexUnavailableError(f"the search index cannot be read: {error!r}")


def _is_resource_shortage(error: Exception) -> bool:
    return isinstance(error, MemoryError) or (
        isinstance(error, OSError) and error.errno in _RESOURCE_ERRNOS
    )
