"""The worker's maintenance: expired data, nightly repairs and backups.

A host maintains what is its own; the shared database is maintained by the host with the lease.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from threading import Thread
from zoneinfo import ZoneInfo

from flask import Flask

from spectator import (
    accounts,
    autosaves,
    indexing,
    outbox,
    presence,
    preview_links,
    publishing,
    queries,
    related,
    search_log,
)
from spectator.db import db
from spectator.hosts import leases, registry
from spectator.hosts.membership import Membership
from spectator.operations import nightly_backup
from spectator.operations.traffic import TrafficRecorder
from spectator.proxy_cache import ProxyCacheRefresher
from spectator.renditions import RenditionConsumer
from spectator.search import IndexUnavailableError

log = logging.getLogger(__name__)
REPAIR_BUDGET_SECONDS = 1.0  # for one round of restoring renditions
BACKUP_RETRY_SECONDS = 3600.0
NIGHTLY_HOUR = 3  # in the newsroom's time zone


class Maintenance:
    """The maintenance of a host; `attempt` runs a step and records its error."""

    def __init__(
        self,
        app: Flask,
        attempt: Callable[[Callable[[], object]], bool],
        proxy_cache: ProxyCacheRefresher,
        renditions: RenditionConsumer,
    ) -> None:
        self.app = app
        self.data_dir: Path = app.config["DATA_DIR"]
        self.attempt = attempt
        self.proxy_cache = proxy_cache
        self.renditions = renditions
        self.traffic = TrafficRecorder(self.data_dir)
        self.number_without_index: int | None = None
        with app.app_context():
            self.membership = Membership(self.own_offset)
        self.last_nightly_run: date | None = None
        self.backup_thread: Thread | None = None
        self.next_backup_at = 0.0

    def run(self) -> bool:
        """Run every step that is due; return whether no rendition is missing."""
        if self.attempt(lambda: self.membership.has(leases.LEADER)):
            for step in (
                self.apply_time_zone,
                accounts.delete_expired,
                autosaves.prune,
                presence.prune,
                preview_links.prune,
                registry.prune,
            ):
                self.attempt(step)
        for step in (
            lambda: search_log.aggregate(self.data_dir),
            self.traffic.record_if_due,
            self.run_nightly_if_due,
            self.start_backup_if_due,
            self.prune_outbox,
            self.renditions.delete_unfinished,
        ):
            self.attempt(step)
        is_done = self.renditions.directory is None or self.attempt(
            lambda: self.renditions.repair(REPAIR_BUDGET_SECONDS)
        )
        db.session.rollback()
        return is_done

    def apply_time_zone(self) -> None:
        """Rebuild story lists and counts after a change of the newsroom's time zone."""
        if publishing.apply_time_zone():
            log.warning(
                "rebuilt story lists and counts for the time zone %s",
                self.app.config["TIMEZONE"],
            )

    def own_offset(self) -> int:
        """Return the last outbox row that this host's own consumers have processed.

        While the index must be rebuilt, this is the outbox's newest row from before the build: the
        later rows are needed when the build ends.
        """
        offset = indexing.open_public_index(self.data_dir).offset()
        if offset is None:
            if self.number_without_index is None:
                self.number_without_index = outbox.newest_number()
            offset = self.number_without_index
        else:
            self.number_without_index = None
        return self.proxy_cache.prunable_through(offset)

    def prune_outbox(self) -> None:
        """Delete the rows that every consumer of every host has processed."""
        if not self.membership.has(leases.LEADER):
            return
        index = indexing.open_public_index(self.data_dir)
        offset = min(index.offset() or 0, queries.consumer_offset(related.CONSUMER) or 0)
        offset = min(offset, self.proxy_cache.prunable_through(offset))
        others = registry.lowest_offset_of_others()
        offset = offset if others is None else min(offset, others)
        if offset and outbox.oldest_number() < offset:
            outbox.prune(offset)

    def run_nightly_if_due(self) -> None:
        """Run the nightly maintenance once in its hour."""
        local_time = datetime.now(ZoneInfo(self.app.config["TIMEZONE"]))
        if local_time.hour == NIGHTLY_HOUR:
            self.run_nightly(local_time.date())

    def run_nightly(self, day: date) -> None:
        """Once a night, compact and repair the indexes; one host also repairs what is shared."""
        # Also in the database: a worker that starts in this hour does not begin again.
        host = registry.find_own_host()
        if day not in (self.last_nightly_run, host.repaired_on if host else None):
            self.repair_indexes()
            self.last_nightly_run = day
            with db.write() as session:
                registry.own_host(session).repaired_on = day
        is_due = queries.consumer_offset(related.NIGHTLY_PASS) != day.toordinal()
        if is_due and self.membership.has(leases.LEADER):
            if publishing.repair_listings():
                log.warning("rebuilt story lists and counts that did not match the stories")
            related.start_full_pass(day)

    def repair_indexes(self) -> None:
        """Compact and repair this host's indexes; one host does it if they are in PostgreSQL."""
        is_shared = self.app.config["SEARCH"] == "postgres"
        if is_shared and not self.membership.has(leases.LEADER):
            return
        for index, source in indexing.open_indexes(self.data_dir):
            indexing.compact(index, source)
            with suppress(IndexUnavailableError):  # The next round rebuilds it.
                stale, orphaned = indexing.repair(index, source)
                if stale or orphaned:
                    log.warning(
                        "%s: repaired %s stories, dropped %s",
                        source.directory,
                        len(stale),
                        len(orphaned),
                    )

    def start_backup_if_due(self) -> None:
        """Make the day's backup in a thread of its own; try again an hour after a failure.

        Hosts with the same directory of backups make one; hosts take turns.
        """
        local_time = datetime.now(ZoneInfo(self.app.config["TIMEZONE"]))
        if self.backup_thread is not None and self.backup_thread.is_alive():
            return
        self.membership.leave_to_expire(leases.BACKUP)
        if local_time.hour < NIGHTLY_HOUR or time.monotonic() < self.next_backup_at:
            return
        arguments = (self.app.config, local_time.date())
        if not nightly_backup.is_missing(*arguments) or not self.membership.take(leases.BACKUP):
            return
        if nightly_backup.is_missing(*arguments):  # another host may have made it meanwhile
            self.next_backup_at = time.monotonic() + BACKUP_RETRY_SECONDS
            self.backup_thread = Thread(target=nightly_backup.make, args=arguments, daemon=True)
            self.backup_thread.start()
