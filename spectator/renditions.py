"""The renditions of pictures as they should be: there for readers, gone where the picture is withdrawn.

A consumer of the revisions, since every save and every act leaves one; where it stands is in memory alone, because the
first round of tidying after a start looks at every picture.
"""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from spectator import media, queries

log = logging.getLogger(__name__)
UNFINISHED_SECONDS = 3600.0

Fingerprint = tuple[object, ...]


class RenditionConsumer:
    """Keeps a media directory in step with the stories."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.offset: int | None = None
        self.broken: set[str] = set()
        self.repaired_fingerprint: Fingerprint | None = None

    def catch_up(self) -> bool:
        """Settle the pictures of the stories that were saved or acted on since; return whether there were any."""
        if self.offset is None:
            self.offset = queries.newest_revision_id()
        article_ids, last = queries.articles_revised_after(self.offset)
        if last == self.offset:
            return False
        self._sync(queries.picture_states_of_articles(article_ids), time.monotonic() + 1.0)
        self.offset = last
        return True

    def repair(self, seconds: float) -> bool:
        """Settle every picture, for that long at most; return whether all of it is done."""
        fingerprint = self._fingerprint()
        if fingerprint == self.repaired_fingerprint:
            return True
        is_done, is_whole = self._sync(queries.picture_states(), time.monotonic() + seconds)
        # what this pass has cut itself has changed the directories: the next one finds nothing to do and settles
        self.repaired_fingerprint = fingerprint if is_done and is_whole else None
        return is_done

    def _sync(self, states: Iterable[queries.PictureState], until: float) -> tuple[bool, bool]:
        """Remove or cut renditions; return whether none is left to do now, and whether nothing was in the way.

        An original that is gone or damaged is told once and left alone until the worker starts anew; after any other
        fault, of the disk or for want of memory, the rest waits.
        """
        for state in states:
            if state.is_withdrawn:
                if media.remove_renditions(self.directory, state.digest, state.extension):
                    log.info(
                        "picture %s: renditions removed, no published story shows it any more",
                        state.id,
                    )
                continue
            names = state.digest, state.extension, state.width
            if state.digest in self.broken or not media.missing_renditions(self.directory, *names):
                continue
            if time.monotonic() > until:
                return False, False
            try:
                media.make_renditions(self.directory, *names)
            except (media.PictureResourceError, OSError) as error:
                if not isinstance(error, FileNotFoundError):
                    log.error("renditions cannot be made now: %s", error)
                    return True, False
                self._mark_broken(state, error)
            except media.PictureError as error:
                self._mark_broken(state, error)
        return True, True

    def _mark_broken(self, state: queries.PictureState, error: Exception) -> None:
        self.broken.add(state.digest)
        log.error(
            "picture %s has lost its renditions and cannot get them back: %s", state.id, error
        )

    def _fingerprint(self) -> Fingerprint:
        """Return what changes with every save and with every file of a rendition that comes or goes."""
        times = []
        with suppress(FileNotFoundError), os.scandir(self.directory / "renditions") as entries:
            times = sorted((entry.name, entry.stat().st_mtime_ns) for entry in entries)
        return queries.newest_revision_id(), queries.newest_picture_id(), tuple(times)

    def delete_unfinished(self) -> None:
        """Delete what a process was writing when it was killed, an hour ago or more."""
        for pattern in (".new-*", "originals/.new-*", "renditions/*/.new-*"):
            for path in self.directory.glob(pattern):
                with suppress(FileNotFoundError):
                    if time.time() - path.stat().st_mtime > UNFINISHED_SECONDS:
                        shutil.rmtree(path) if path.is_dir() else path.unlink()
