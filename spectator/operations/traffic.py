"""The traffic of each hour, stored by the worker for the charts of the newsroom's status page."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

from sqlalchemy import delete

from spectator import metrics
from spectator.db import db
from spectator.db.clock import current_time
from spectator.db.functions import insert
from spectator.models import TrafficHour

INTERVAL_SECONDS = 600.0
RETENTION = timedelta(days=14)


class TrafficRecorder:
    """Adds the requests of this host's web processes to the row of the hour."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.totals: metrics.RequestTotals | None = None  # the last that were read
        self.next_record_at = 0.0

    def record_if_due(self) -> None:
        """Store the requests since the last record, at most once every ten minutes."""
        if time.monotonic() >= self.next_record_at:
            self.next_record_at = time.monotonic() + INTERVAL_SECONDS
            self.record()

    def record(self) -> None:
        """Store the requests since the last record; the first call only reads the counts."""
        previous, totals = self.totals, metrics.read_totals(self.data_dir)
        if previous is None or totals == previous:
            self.totals = totals
            return
        now, current = current_time(), totals._asdict()
        values = {name: current[name] - getattr(previous, name) for name in current}
        if min(values.values()) < 0:  # the site was restarted, so its counts began again at 0
            values = current
        hour = now.replace(minute=0, second=0, microsecond=0)
        statement = insert(TrafficHour).values(hour=hour, **values)
        sums = {name: getattr(TrafficHour, name) + statement.excluded[name] for name in values}
        with db.write() as session:
            session.execute(statement.on_conflict_do_update(index_elements=["hour"], set_=sums))
            session.execute(delete(TrafficHour).where(TrafficHour.hour < now - RETENTION))
        self.totals = totals  # after the commit: what could not be stored is stored the next time
