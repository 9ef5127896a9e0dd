"""Leases: a task of the shared database belongs to one host at a time.

A lease is a row that expires, because PgBouncer leaves no lock to a session. A host that was
suspended may believe that it still has a lease that another host has taken. So it checks its lease
(`require`) in the transaction that writes, of which there is one at a time.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import delete
from sqlalchemy.orm import Session

from spectator.hosts.registry import host_id, is_single_host_site
from spectator.models import Lease

LEADER, BACKUP = "leader", "backup"
LEASE_TIME = timedelta(seconds=15)


class LeaseLostError(Exception):
    """Another host has the task now."""


def take(session: Session, name: str, own_id: str, now: datetime) -> bool:
    """Take or renew a lease inside the caller's `db.write()`; return whether this host has it."""
    lease = session.get(Lease, name)
    if lease is not None and lease.host_id != own_id and lease.expires_at > now:
        return False
    session.merge(Lease(name=name, host_id=own_id, expires_at=now + LEASE_TIME))
    return True


def require(session: Session, name: str) -> None:
    """Raise LeaseLostError inside the caller's `db.write()` if another host has taken a lease."""
    lease = None if is_single_host_site() else session.get(Lease, name)
    if lease is not None and lease.host_id != host_id(current_app.config["DATA_DIR"]):
        raise LeaseLostError(name)


def release(session: Session, own_id: str) -> None:
    """Give the leases of a host back inside the caller's `db.write()`."""
    session.execute(delete(Lease).where(Lease.host_id == own_id))
