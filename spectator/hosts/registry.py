"""The rows of the hosts: which of them run, and the last outbox row that each has processed."""

from __future__ import annotations

import hashlib
import logging
import os
import socket
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from flask import current_app
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from spectator.db import db
from spectator.db.clock import current_time
from spectator.hosts.shared_settings import find_differences, hash_settings
from spectator.models import Host

log = logging.getLogger(__name__)
LIVE_TIME = timedelta(seconds=30)  # how long after its last report a host counts as running
# How long the row of a host that does not run is kept, and with it the outbox rows that the host
# has missed. A host that comes back later rebuilds its index, and the operator must empty its nginx
# cache.
HOST_RETENTION = timedelta(days=7)


def is_single_host_site() -> bool:
    """Return whether the site can have only one host, because its database is a file."""
    return db.engine.dialect.name == "sqlite"


def host_name(data_dir: Path) -> str:
    """Return what people call a host: its machine and its data directory."""
    return _address(data_dir).decode("utf-8", "replace")[:255]


def host_id(data_dir: Path) -> str:
    """Return the id of a host.

    It is not stored in a file, because a copy of the data directory would then have the same id.
    """
    return hashlib.sha256(_address(data_dir)).hexdigest()[:16]


def _address(data_dir: Path) -> bytes:
    return os.fsencode(f"{socket.gethostname()}:{data_dir}")  # a path may be invalid as UTF-8


def own_host(session: Session) -> Host:
    """Return the row of this host inside the caller's `db.write()`; create it if it is missing."""
    data_dir: Path = current_app.config["DATA_DIR"]
    host = session.get(Host, host_id(data_dir))
    if host is None:
        host = Host(
            id=host_id(data_dir),
            name=host_name(data_dir),
            live_until=current_time(),  # it does not count as running until it reports
            last_counted_log=0,  # of searches
            settings={},
        )
        session.add(host)
    return host


def find_own_host() -> Host | None:
    """Return the row of this host, None if it has never reported."""
    return db.session.get(Host, host_id(current_app.config["DATA_DIR"]))


def other_hosts(live_at: datetime | None = None) -> Sequence[Host]:
    """Return the other hosts, or only those that run at `live_at`."""
    query = select(Host).where(Host.id != host_id(current_app.config["DATA_DIR"]))
    if live_at is not None:
        query = query.where(Host.live_until > live_at)
    return db.session.scalars(query.order_by(Host.name)).all()


def other_running_hosts() -> Sequence[Host]:
    """Return the other hosts that run now; none with SQLite."""
    return [] if is_single_host_site() else other_hosts(current_time())


def report(session: Session, offset: int | None, now: datetime) -> None:
    """Store that this host runs, and its offset, inside the caller's `db.write()`.

    The offset is None if the host must start over.
    """
    host = own_host(session)
    host.outbox_offset, host.live_until = offset, now + LIVE_TIME
    host.settings = hash_settings(current_app.config)


def lowest_offset_of_others() -> int | None:
    """Return the lowest offset of the other hosts, None if none of them has one."""
    own_id = host_id(current_app.config["DATA_DIR"])
    return db.session.scalar(select(func.min(Host.outbox_offset)).where(Host.id != own_id))


def prune() -> None:
    """Delete the rows of other hosts that have not reported for a week.

    Some of these never come back: a container that gets a new name leaves its old row behind.
    """
    is_other = Host.id != host_id(current_app.config["DATA_DIR"])
    is_outdated = is_other & (Host.live_until < current_time() - HOST_RETENTION)
    if db.session.scalar(select(Host.id).where(is_outdated).limit(1)) is not None:
        with db.write() as session:
            session.execute(delete(Host).where(is_outdated))


def find_setting_differences() -> list[str]:
    """Return a sentence for each setting that differs from that of another running host."""
    return find_differences(hash_settings(current_app.config), other_running_hosts())


def warn_of_differences() -> None:
    """Log the settings that differ from those of another running host."""
    for sentence in find_setting_differences():
        log.warning("%s", sentence)
