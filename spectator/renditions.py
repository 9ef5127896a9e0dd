"""The consumer that makes missing renditions and removes those of withdrawn pictures.

It consumes the revisions, because every save and every action adds one. Its offset is kept only in
memory: the first maintenance round after a start checks every picture.
"""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from spectator import media, queries

log = logging.getLogger(__name__)
UNFINISHED_SECONDS = 3600.0

Fingerprint = tuple[object, ...]


class RenditionConsumer:
    """A consumer that makes the renditions in a media directory match the stories."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.offset: int | None = None
        self.broken: set[str] = set()
        self.failures: Counter[str] = Counter()
        self.repaired_fingerprint: Fingerprint | None = None

    def catch_up(self) -> bool:
        """Check the pictures of stories changed since the last call; return whether any were."""
        if self.offset is None:
            self.offset = queries.newest_revision_id()
        article_ids, last = queries.articles_revised_after(self.offset)
        if last == self.offset:
            return False
        self._sync(queries.picture_states_of_articles(article_ids), time.monotonic() + 1.0)
        self.offset = last
        return True

    def repair(self, seconds: float) -> bool:
        """Check every picture, for at most `seconds`; return whether all were checked."""
        fingerprint = self._fingerprint()
        if fingerprint == self.repaired_fingerprint:
            return True
        is_done, is_whole = self._sync(queries.picture_states(), time.monotonic() + seconds)
        # Renditions made in this pass change the directories, so the next pass runs once more.
        self.repaired_fingerprint = fingerprint if is_done and is_whole else None
        return is_done

    def _sync(self, states: Iterable[queries.PictureState], deadline: float) -> tuple[bool, bool]:
        """Remove or make renditions; return whether all were tried, and whether none failed.

        A missing or damaged original is logged once and skipped until the worker restarts. Any
        other error, of the disk or from a lack of memory, postpones the rest. Pictures that caused
        one come last, so that none can keep the others from their turn for ever.
        """
        for state in sorted(states, key=lambda state: self.failures[state.digest]):
            try:
                if not self._sync_picture(state, deadline):
                    return False, False
            except (media.PictureResourceError, OSError) as error:
                if not isinstance(error, FileNotFoundError):
                    log.error("cannot sync picture %s now, will try again: %s", state.id, error)
                    self.failures[state.digest] += 1
                    return True, False
                self._mark_broken(state, error)
            except media.PictureError as error:
                self._mark_broken(state, error)
        return True, True

    def _sync_picture(self, state: queries.PictureState, deadline: float) -> bool:
        """Remove or make the renditions of a picture; return False if there is no time left."""
        original = state.digest, state.extension, state.width
        if state.is_withdrawn:
            if media.remove_renditions(self.directory, state.digest, state.extension):
                log.info("picture %s: renditions removed; no published story uses it", state.id)
        elif state.digest not in self.broken and media.missing_renditions(
            self.directory, *original
        ):
            if time.monotonic() > deadline:
                return False
            media.make_renditions(self.directory, *original)
        return True

    def _mark_broken(self, state: queries.PictureState, error: Exception) -> None:
        self.broken.add(state.digest)
        log.error("picture %s: cannot restore its renditions: %s", state.id, error)

    def _fingerprint(self) -> Fingerprint:
        """Return a value that changes with every save and every rendition added or removed."""
        times = []
        with suppress(FileNotFoundError), os.scandir(self.directory / "renditions") as entries:
            times = sorted((entry.name, entry.stat().st_mtime_ns) for entry in entries)
        return queries.newest_revision_id(), queries.newest_picture_id(), tuple(times)

    def delete_unfinished(self) -> None:
        """Delete files that a killed process left unfinished an hour ago or earlier."""
        for pattern in (".new-*", "originals/.new-*", "renditions/*/.new-*"):
            for path in self.directory.glob(pattern):
                with suppress(FileNotFoundError):
                    if time.time() - path.stat().st_mtime > UNFINISHED_SECONDS:
                        shutil.rmtree(path) if path.is_dir() else path.unlink()
