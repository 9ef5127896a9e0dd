"""This host among the hosts of the site: its reports and its leases."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Lock

from flask import current_app

from spectator.db import StorageError, db
from spectator.db.clock import current_time
from spectator.hosts import leases, registry
from spectator.hosts.shared_settings import find_differences, hash_settings

log = logging.getLogger(__name__)
REPORT_SECONDS = 5.0  # a third of a lease: a report that fails may be repeated in time


class Membership:
    """The worker's membership, for use inside an app context; with SQLite it writes nothing.

    `get_offset` returns the last outbox row that this host has processed, None if it must start
    over.
    """

    def __init__(self, get_offset: Callable[[], int | None]) -> None:
        self.get_offset = get_offset
        self.own_id = registry.host_id(current_app.config["DATA_DIR"])
        self.wanted_leases = {leases.LEADER}
        self.leases: frozenset[str] | None = None  # those of the last report
        self.differences: list[str] = []
        self.lock = Lock()

    def has(self, lease: str) -> bool:
        """Return whether this host held a lease at its last report; without one, report first.

        This may be outdated. Work that two hosts must never do at once must also call
        `leases.require`.
        """
        if registry.is_single_host_site():
            return True
        if self.leases is None:
            self.report()
        return lease in (self.leases or ())

    def take(self, lease: str) -> bool:
        """Take a lease, and renew it until `leave_to_expire`; return whether this host has it."""
        self.wanted_leases.add(lease)
        if not registry.is_single_host_site():
            self.report()
        return self.has(lease)

    def leave_to_expire(self, lease: str) -> None:
        """Stop renewing a lease."""
        self.wanted_leases.discard(lease)

    def report(self) -> None:
        """Store that this host runs, renew its leases, and log settings that differ."""
        with self.lock:
            offset = self.get_offset()
            with db.write() as session:
                now = current_time()
                registry.report(session, offset, now)
                self.leases = frozenset(
                    name
                    for name in tuple(self.wanted_leases)  # other threads change it
                    if leases.take(session, name, self.own_id, now)
                )
            self._compare_settings()

    def _compare_settings(self) -> None:
        others = registry.other_running_hosts()
        differences = find_differences(hash_settings(current_app.config), others)
        for sentence in differences:
            if sentence not in self.differences:
                log.warning("%s", sentence)
        self.differences = differences
        db.session.rollback()

    def sign_off(self) -> None:
        """Let other hosts take over at once, instead of when the leases expire."""
        if registry.is_single_host_site():
            return
        try:
            with db.write() as session:
                registry.own_host(session).live_until = current_time()
                leases.release(session, self.own_id)
        except StorageError as error:
            log.warning("other hosts will take over when the leases expire: %s", error)
