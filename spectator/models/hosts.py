"""The hosts of a site, and the leases that give a task to one of them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import JSON, Date, String
from sqlalchemy.orm import Mapped, mapped_column

from spectator.db import Base, UTCDateTime


class Host(Base):
    """A data directory on a machine, as its worker reports it.

    It counts as running until `live_until`, which each report moves on. `outbox_offset` is the last
    row of the outbox that its own consumers have processed, None if they must start over;
    `last_counted_log` the number of its last counted log of searches; `repaired_on` the day of the
    last nightly repair of its indexes; `settings` the hashes of the settings that must be the same
    on all hosts.
    """

    __tablename__ = "host"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own form

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    live_until: Mapped[datetime] = mapped_column(UTCDateTime)
    outbox_offset: Mapped[int | None]
    last_counted_log: Mapped[int] = mapped_column("searches_counted")
    repaired_on: Mapped[date | None] = mapped_column(Date)
    settings: Mapped[dict[str, str]] = mapped_column(JSON)


class Lease(Base):
    """The host that has a task until `expires_at`, unless it takes the lease again."""

    __tablename__ = "lease"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own form

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    host_id: Mapped[str] = mapped_column(String(16))
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
