"""The consumer that makes missing renditions and removes those of withdrawn pictures.

It consumes the revisions of stories and pages, because every save and every action adds one. Its
offsets are kept only in memory: the first maintenance round after a start checks every picture.
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

from spectator import media, publishing, queries
from spectator.db import db, suppress_busy_errors

log = logging.getLogger(__name__)
UNFINISHED_SECONDS = 3600.0
REPAIR_SECONDS = 60.0  # the pause between repairs of a bucket, and the longest one

Fingerprint = tuple[object, ...]


class RenditionConsumer:
    """A consumer that makes the renditions in a store of pictures match the stories.

    Several hosts may do so in one store: each makes what is missing, and if two make the same file,
    their bytes are equal.
    """

    def __init__(self, location: media.Location) -> None:
        self.location = location
        self.directory = location if isinstance(location, Path) else None
        self.offset: int | None = None
        self.page_offset: int | None = None  # in the revisions of standing pages
        self.broken: set[str] = set()
        self.failures: Counter[str] = Counter()
        self.repaired_fingerprint: Fingerprint | None = None
        self.repaired_hour = 0
        self.next_repair_at = 0.0
        self.repaired_states: set[queries.PictureState] = set()

    def catch_up(self) -> bool:
        """Check the pictures of what was changed since the last call; return whether any was."""
        if self.offset is None or self.page_offset is None:
            self.offset = queries.newest_revision_id()
            self.page_offset = queries.newest_page_revision_id()
        article_ids, last = queries.articles_revised_after(self.offset)
        page_ids, last_of_pages = queries.pages_revised_after(self.page_offset)
        if not article_ids and not page_ids:
            return False
        states = {*queries.picture_states_of_articles(article_ids)}
        states |= {*queries.picture_states_of_pages(page_ids)}
        self._sync(states, time.monotonic() + 1.0)
        self.offset, self.page_offset = last, last_of_pages
        return True

    def repair(self, seconds: float) -> bool:
        """Check every picture, for at most `seconds`; return whether all were checked.

        In a bucket, pictures that have not changed since the last pass are checked once an hour.
        """
        fingerprint = self._fingerprint()
        if fingerprint == self.repaired_fingerprint:
            return True
        states, hour = queries.picture_states(), _hour()
        if self.directory or self.repaired_hour != hour:
            self.repaired_states.clear()
        changed = [state for state in states if state not in self.repaired_states]
        is_done, is_whole = self._sync(changed, time.monotonic() + seconds)
        # Renditions made in this pass change the directories, so the next pass runs once more.
        self.repaired_fingerprint = fingerprint if is_done and is_whole else None
        if is_done and is_whole and not self.directory:
            self.repaired_states, self.repaired_hour = set(states), hour
        return is_done

    def sync(self) -> bool:
        """Catch up, and once a minute repair; return whether there may be more to do."""
        has_more = False
        with suppress_busy_errors():
            has_more = self.catch_up()
            if time.monotonic() >= self.next_repair_at:
                has_more |= not self.repair(REPAIR_SECONDS)
                self.next_repair_at = time.monotonic() + REPAIR_SECONDS * (not has_more)
        db.session.rollback()
        return has_more

    def _sync(self, states: Iterable[queries.PictureState], deadline: float) -> tuple[bool, bool]:
        """Remove or make renditions; return whether all were tried, and whether none failed.

        A missing or damaged original is logged once and skipped until the worker restarts. Any
        other error, of the disk or from a lack of memory, postpones the rest. Pictures that caused
        one come last, so that they do not block the others.
        """
        stored = media.StoredRenditions(self.location)
        for state in sorted(states, key=lambda state: self.failures[state.digest]):
            try:
                if not self._sync_picture(state, stored.names(state.digest), deadline):
                    return False, False
            except (media.PictureResourceError, media.StoreError, OSError) as error:
                if not isinstance(error, FileNotFoundError):
                    log.error("cannot sync picture %s now, will try again: %s", state.id, error)
                    self.failures[state.digest] += 1
                    return True, False
                self._mark_broken(state, error)
            except media.PictureError as error:
                self._mark_broken(state, error)
        return True, True

    def _sync_picture(
        self, state: queries.PictureState, stored: set[str], deadline: float
    ) -> bool:
        """Remove or make the renditions of a picture; return False if there is no time left.

        `stored` has the names of the renditions that exist.
        """
        original = state.digest, state.extension, state.width
        if state.is_withdrawn:
            if stored and media.remove_renditions(self.location, state.digest):
                log.info("picture %s: renditions removed; no published story uses it", state.id)
            stored = set()
        elif state.digest not in self.broken and not stored.issuperset(
            name for name, _ in media.rendition_names(*original)
        ):
            if time.monotonic() > deadline:
                return False
            media.make_renditions(self.location, *original)
        if state.has_avif and not stored.issuperset(
            name for name, _ in media.avif_names(state.digest, state.width, state.height)
        ):
            # Until `avif` has made them again, pages do not name them.
            with db.write() as session:
                publishing.set_has_avif(session, state.digest, False, not state.is_withdrawn)
        return True

    def _mark_broken(self, state: queries.PictureState, error: Exception) -> None:
        self.broken.add(state.digest)
        log.error("picture %s: cannot restore its renditions: %s", state.id, error)

    def _fingerprint(self) -> Fingerprint:
        """Return a value that changes with every save and every rendition added or removed.

        In a bucket, renditions that others add or remove change it within the hour.
        """
        times: object = _hour()
        if self.directory:
            times = _modification_times(self.directory / "renditions")
        revisions = queries.newest_revision_id(), queries.newest_page_revision_id()
        return *revisions, queries.newest_picture_id(), times

    def delete_unfinished(self) -> None:
        """Delete files that a killed process left unfinished an hour ago or earlier."""
        if self.directory is None:
            return
        for pattern in (".new-*", "originals/.new-*", "renditions/*/.new-*"):
            for path in self.directory.glob(pattern):
                with suppress(FileNotFoundError):
                    if time.time() - path.stat().st_mtime > UNFINISHED_SECONDS:
                        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _modification_times(directory: Path) -> tuple[tuple[str, int], ...]:
    """Return the modification time of each directory in a directory, in nanoseconds."""
    with suppress(FileNotFoundError), os.scandir(directory) as entries:
        return tuple(sorted((entry.name, entry.stat().st_mtime_ns) for entry in entries))
    return ()


def _hour() -> int:
    return int(time.time() // 3600)
