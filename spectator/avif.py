"""The background task that makes the AVIF renditions of pictures that have none.

An upload stores its own. This task makes those of pictures from older versions, and those that were
removed with a withdrawn story or deleted. A page names AVIF renditions only if `Picture.has_avif`
is set, which happens after all are stored. Cached pages are rendered again when none is left to
do, and before that every few minutes.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable

from spectator import media, publishing, queries
from spectator.db import db, suppress_busy_errors

log = logging.getLogger(__name__)
CHECK_SECONDS = 60.0  # between looks for pictures, and after an error of the disk or the store
RENEWAL_SECONDS = 600.0  # between renewals of the cached pages while there is more to do
PAUSE_FACTOR = 2.0  # a pause is this many times as long as the work before it


class AvifMaker:
    """A task that makes the renditions of one picture at a time, the newest first.

    `may_run` says whether this host has the task. Damaged pictures are skipped until a restart;
    those that caused another error come last, so that they do not block the others.
    """

    def __init__(self, location: media.Location, may_run: Callable[[], bool]) -> None:
        self.location = location
        self.may_run = may_run
        self.next_at = 0.0
        self.next_renewal_at = 0.0
        self.pending: list[queries.PictureState] = []
        self.broken: set[str] = set()
        self.failures: Counter[str] = Counter()

    def make_next(self) -> bool:
        """Make the renditions of the next picture if it is time; return False: a pause follows."""
        started = time.monotonic()
        if started < self.next_at:
            return False
        pause = CHECK_SECONDS
        with suppress_busy_errors():
            if self.may_run() and (picture := self._next_picture()):
                pause = self._make(picture) or PAUSE_FACTOR * (time.monotonic() - started)
        db.session.rollback()
        self.next_at = time.monotonic() + pause
        return False

    def _next_picture(self) -> queries.PictureState | None:
        """Return the next picture to work on, None if all have AVIF renditions."""
        if not self.pending:
            self.pending = [
                state
                for state in queries.pictures_without_avif()
                if state.digest not in self.broken
                and media.avif_names(state.digest, state.width, state.height)
            ]
            if self.pending:
                log.info("%s pictures have no AVIF renditions yet", len(self.pending))
            # The last one is next.
            self.pending.reverse()
            self.pending.sort(key=lambda state: -self.failures[state.digest])
        return self.pending.pop() if self.pending else None

    def _make(self, picture: queries.PictureState) -> float:
        """Make and record the renditions of a picture; return the pause if an error needs one."""
        digest = picture.digest
        try:
            media.make_avif(
                self.location, digest, picture.extension, picture.width, picture.height
            )
            self._record(picture)
        except FileNotFoundError as error:
            self._skip(picture, error)
        except (media.PictureResourceError, media.StoreError, OSError) as error:
            log.error("picture %s: no AVIF now, will try again: %s", picture.id, error)
            self.failures[digest] += 1
            self.pending.clear()
            return CHECK_SECONDS
        except media.PictureError as error:
            self._skip(picture, error)
        return 0.0

    def _skip(self, picture: queries.PictureState, error: Exception) -> None:
        self.broken.add(picture.digest)
        log.error("picture %s: cannot make its AVIF renditions: %s", picture.id, error)

    def _record(self, picture: queries.PictureState) -> None:
        """Set `has_avif`, or remove the renditions of a picture withdrawn in the meantime."""
        renews_pages = not self.pending or time.monotonic() >= self.next_renewal_at
        with db.write() as session:
            state = queries.picture_state(picture.digest)
            is_visible = state is not None and not state.is_withdrawn
            if is_visible:
                publishing.set_has_avif(session, picture.digest, True, renews_pages)
        if not is_visible:
            media.remove_renditions(self.location, picture.digest)
        elif renews_pages:
            self.next_renewal_at = time.monotonic() + RENEWAL_SECONDS
