"""The rows of the hosts: who runs, and how far each host has followed the outbox."""

from __future__ import annotations

import hashlib
import logging
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
LIVE_TIME = timedelta(seconds=30)  # without a report
# A host that is away for longer rebuilds its index, and its nginx cache must be emptied.
RETENTION = timedelta(days=7)


def is_single_host_site() -> bool:
    """Return whether the site can have only one host, because its database is a file."""
    return db.engine.dialect.name == "sqlite"


def host_name(data_dir: Path) -> str:
    """Return what people call a host: its machine and its data directory."""
    return f"{socket.gethostname()}:{data_dir}"[-255:]


def host_id(data_dir: Path) -> str:
    """Return the id of a host. No file holds it, since a copied directory would copy it too."""
    return hashlib.sha256(host_name(data_dir).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def own_host(session: Session) -> Host:
    """Return the row of this host inside the caller's `db.write()`; create it if it is missing."""
    data_dir: Path = current_app.config["DATA_DIR"]
    host = session.get(Host, host_id(data_dir))
    if host is None:
        host = Host(
            id=host_id(data_dir), name=host_name(data_dir), searches_counted=0, settings={}
        )
        host.live_until = current_time()
        session.add(host)
    return host


def find_own_host() -> Host | None:
    """Return the row of this host, None if it has never reported."""
    return db.session.get(Host, host_id(current_app.config["DATA_DIR"]))


def other_hosts(now: datetime | None = None) -> Sequence[Host]:
    """Return the other hosts; with `now`, those that run then."""
    query = select(Host).where(Host.id != host_id(current_app.config["DATA_DIR"]))
    if now is not None:
        query = query.where(Host.live_until > now)
    return db.session.scalars(query.order_by(Host.name)).all()


def running_hosts() -> Sequence[Host]:
    """Return the other hosts that run now; none with SQLite."""
    return [] if is_single_host_site() else other_hosts(current_time())


def report(session: Session, offset: int | None, now: datetime) -> None:
    """Store that this host runs, and its offset, inside the caller's `db.write()`."""
    host = own_host(session)
    host.outbox_offset, host.live_until = offset, now + LIVE_TIME
    host.settings = hash_settings(current_app.config)


def lowest_offset() -> int | None:
    """Return the lowest offset of the other hosts, None if none of them needs the outbox."""
    own_id = host_id(current_app.config["DATA_DIR"])
    return db.session.scalar(select(func.min(Host.outbox_offset)).where(Host.id != own_id))


def prune() -> None:
    """Forget other hosts that have not reported for a week; a container may change its name."""
    is_other = Host.id != host_id(current_app.config["DATA_DIR"])
    is_forgotten = is_other & (Host.live_until < current_time() - RETENTION)
    if db.session.scalar(select(Host.id).where(is_forgotten).limit(1)) is not None:
        with db.write() as session:
            session.execute(delete(Host).where(is_forgotten))


def find_setting_differences() -> list[str]:
    """Return a sentence for each setting that differs from that of another running host."""
    return find_differences(hash_settings(current_app.config), running_hosts())


def warn_of_differences() -> None:
    """Log the settings that differ from those of another running host."""
    for sentence in find_setting_differences():
        log.warning("%s", sentence)
