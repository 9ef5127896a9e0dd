"""Corrects the listings of stories that code of another version changed; consumes the outbox.

Publishing updates the listings itself. Between `spectator init` and the last reload, though,
processes of the previous version publish too, and they do not know a listing that is new.
"""

from __future__ import annotations

import logging

from spectator import outbox, publishing

log = logging.getLogger(__name__)


class ListingConsumer:
    """A consumer whose offset is only in memory: each worker begins with a check of all stories."""

    def __init__(self) -> None:
        self.offset: int | None = None

    def catch_up(self) -> bool:
        """Check the stories of the next rows, or all; return whether any listing was corrected."""
        newest = outbox.newest_number()
        if self.offset is None or not outbox.oldest_number() - 1 <= self.offset <= newest:
            has_corrected = publishing.repair_listings()
            self.offset = newest
        else:
            ids, self.offset = outbox.articles_changed_after(self.offset)
            has_corrected = bool(ids) and publishing.correct_listings(ids)
        if has_corrected:
            log.warning("corrected listings that did not match the stories")
        return has_corrected
