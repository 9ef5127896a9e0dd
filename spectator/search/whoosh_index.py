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

from spectator.search import Document, Found, IndexBusy, IndexUnavailable, Request, Similar, Suggested
from spectator.search.generations import Generation, Generations, write_position
from spectator.search.searching import search
from spectator.search.similarity import similar
from spectator.search.snapshot import Snapshot, open_snapshot
from spectator.search.suggesting import suggest
from spectator.search.whoosh_schema import FORMAT
from spectator.search.whoosh_writing import build, commit

log = logging.getLogger(__name__)
T = TypeVar("T")

_MANY_SEGMENTS = 12  # of some 14 files each, which every process holds open
WAIT_SECONDS = 1.0

# Wants of the moment, which say nothing about the index.
_SCARCITY = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})


class _Reading:
    """What one process reads with: a snapshot, and the lock without which two threads would mix up their reads.

    One search at a time, then, and the others wait for a second at most: costly searches never hold every thread of a
    process from its other pages.
    """

    def __init__(self) -> None:
        self.process_id = os.getpid()
        self.lock = threading.Lock()
        self.snapshot: Snapshot | None = None
        self.unusable: Generation | None = None

    def drop(self) -> None:
        """Close the snapshot. Closing damaged files may fail, which must not hide why they are being closed."""
        snapshot, self.snapshot = self.snapshot, None
        if snapshot:
            with contextlib.suppress(Exception):
                snapshot.close()


class WhooshIndex:
    """`spectator.search.Index` on Whoosh; what its methods promise is said there."""

    # Kept for ever: to close what a parent process opened would move the file positions that the parent reads at.
    _inherited: ClassVar[list[_Reading]] = []

    def __init__(self, directory: Path, zone: tzinfo = UTC) -> None:
        self._generations = Generations(directory)
        self._zone = zone
        self._reading = _Reading()

    def find(self, request: Request) -> Found:
        """See `Index.find`."""
        return self._answer(lambda snapshot: search(snapshot, request))

    def suggest(self, text: str, limit: int = 5) -> Suggested:
        """See `Index.suggest`."""
        return self._answer(lambda snapshot: suggest(snapshot, text, limit))

    def similar(self, document: Document, limit: int = 30) -> list[Similar]:
        """See `Index.similar`."""
        return self._answer(lambda snapshot: similar(snapshot, document, limit))

    def versions(self) -> dict[int, int]:
        """See `Index.versions`."""
        return self._answer(lambda snapshot: snapshot.versions())

    def position(self) -> int | None:
        """See `Index.position`."""
        generation = self._generations.current()
        if generation is None or generation.is_damaged:
            return None
        try:
            return self._answer(lambda snapshot: snapshot.generation.position)
        except IndexBusy:
            return generation.position
        except IndexUnavailable:
            return None

    def apply(self, changes: Mapping[int, Document | None], position: int, *, after: int | None = None) -> None:
        """See `Index.apply`."""
        with self._generations.locked("switch", is_patient=True):
            generation = self._generations.current()
            if generation is None or generation.is_damaged:
                raise IndexUnavailable("there is no search index to change")
            if generation.format != FORMAT:
                raise IndexUnavailable("the search index has another format and waits to be rebuilt")
            if after is not None and generation.position != after:
                raise IndexUnavailable(f"the search index stands at {generation.position} and not at {after}")
            _commit_or_mark(generation, changes)
            write_position(generation.path, position)

    def rebuild(
        self, documents: Iterable[Document], position: int, progress: Callable[[int], None] | None = None
    ) -> None:
        """See `Index.rebuild`."""
        with self._generations.locked("rebuild", is_patient=False):
            self._generations.remove_others()
            path = self._generations.create()
            try:
                build(path, documents, progress)
                write_position(path, position)
            except BaseException:
                shutil.rmtree(path, ignore_errors=True)
                raise
            with self._generations.locked("switch", is_patient=True):
                self._generations.switch(path)
            self._generations.remove_others()

    def is_outdated(self) -> bool:
        """See `Index.is_outdated`."""
        generation = self._generations.current()
        return generation is not None and generation.format != FORMAT

    def is_scattered(self) -> bool:
        """See `Index.is_scattered`."""
        return self._answer(lambda snapshot: snapshot.segment_count > _MANY_SEGMENTS)

    def close(self) -> None:
        """See `Index.close`."""
        with self._own_reading() as reading:
            reading.drop()

    def _answer(self, question: Callable[[Snapshot], T]) -> T:
        """The answer from the current snapshot; after a fault once more from files opened anew."""
        with self._own_reading() as reading:
            try:
                return question(self._current(reading))
            except IndexUnavailable:
                raise
            except Exception:
                log.warning("the search index is opened anew after a fault", exc_info=True)
                reading.drop()
            snapshot = self._current(reading)
            try:
                return question(snapshot)
            except Exception as error:
                reading.drop()
                raise _unavailable(snapshot.generation, error) from error

    @contextlib.contextmanager
    def _own_reading(self) -> Iterator[_Reading]:
        if self._reading.process_id != os.getpid():
            self._inherited.append(self._reading)
            self._reading = _Reading()
        reading = self._reading
        if not reading.lock.acquire(timeout=WAIT_SECONDS):
            raise IndexBusy("other searches hold the index")
        try:
            yield reading
        finally:
            reading.lock.release()

    def _current(self, reading: _Reading) -> Snapshot:
        """The snapshot of the newest commit, opened when there is a newer one than we hold."""
        generation = self._generations.current()
        held = reading.snapshot
        # Files that we hold open still answer while the directory is gone.
        if held and generation in (None, held.generation):
            try:
                held.generation.check_files()
            except ValueError as error:
                reading.drop()
                raise _unavailable(held.generation, error) from error
            return held
        if generation and generation == reading.unusable:
            raise IndexUnavailable("the search index is damaged and waits to be rebuilt")
        try:
            fresh = open_snapshot(self._generations, held, self._zone)
        except IndexUnavailable:
            raise
        except Exception as error:
            if generation is None:
                raise IndexUnavailable("there is no search index") from error
            if not _is_scarcity(error):
                reading.unusable = generation
            raise _unavailable(generation, error) from error
        reading.drop()
        reading.snapshot = fresh
        return fresh


def _commit_or_mark(generation: Generation, changes: Mapping[int, Document | None]) -> None:
    """Commit; a generation that cannot even be read for that is marked, or its follower would fail for ever."""
    try:
        generation.check_files()
        if changes:
            commit(generation.path, changes)
    except IndexUnavailable:
        raise
    except Exception as error:
        if not isinstance(error, OSError) or isinstance(error, FileNotFoundError):
            generation.mark_damaged()
        raise


def _unavailable(generation: Generation, error: Exception) -> IndexUnavailable:
    if not _is_scarcity(error):
        generation.mark_damaged()
    return IndexUnavailable(f"the search index cannot be read: {error!r}")


def _is_scarcity(error: Exception) -> bool:
    return isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in _SCARCITY)
