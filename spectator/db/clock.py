"""The clock that all hosts share: the server's with PostgreSQL, this machine's with SQLite."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from spectator.db import db
from spectator.db.poller import PollError, PollingConnection

READ_SECONDS = 1.0


def current_time() -> datetime:
    """Return the time to compare with moments that other hosts have stored."""
    if db.engine.dialect.name == "sqlite":
        return datetime.now(UTC)
    moment: datetime = db.session.scalars(select(func.clock_timestamp())).one()
    return moment.astimezone(UTC)


class SharedClock:
    """The shared clock for a loop: with PostgreSQL it is read once a second, by one thread."""

    def __init__(self, connection: PollingConnection) -> None:
        self.connection = connection
        self.difference = timedelta(0)  # between the server's and the monotonic clock
        self.next_read_at = 0.0

    def now(self) -> datetime:
        """Return the time; while the server does not answer, by this machine's monotonic clock."""
        if not self.connection.is_postgresql:
            return datetime.now(UTC)
        if time.monotonic() >= self.next_read_at:
            self._read()
        return datetime.fromtimestamp(time.monotonic(), UTC) + self.difference

    def _read(self) -> None:
        try:
            ((moment,),) = self.connection.fetch("SELECT clock_timestamp()")
        except PollError:
            return
        self.difference = moment - datetime.fromtimestamp(time.monotonic(), UTC)
        self.next_read_at = time.monotonic() + READ_SECONDS
