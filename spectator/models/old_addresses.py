"""Addresses of an older site, and the missing pages that readers ask for."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, String, false
from sqlalchemy.orm import Mapped, mapped_column

from spectator.db import Base, UTCDateTime


class OldAddress(Base):
    """An address that a page had on an older site, in its stored form, and what it leads to now.

    `kind` is "article", "page", "section", "topic", "author", "country" or "month", with the id in
    `target_id` (a month is 202405); "media" (a file) or "path" with its name or path in `target`;
    "gone", with the reason in `target`; or "ignored", of which imports must add nothing more.
    `is_manual`: somebody in the newsroom has decided, so imports leave it as it is.
    """

    __tablename__ = "old_address"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own form

    address: Mapped[str] = mapped_column(String(500), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    # Without a foreign key, since the targets are in several tables. None is ever deleted.
    target_id: Mapped[int] = mapped_column(default=0, server_default="0")
    target: Mapped[str] = mapped_column(String(500), default="", server_default="")
    is_manual: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class MissingPage(Base):
    """How often readers asked on a day (UTC) for a path that has no page."""

    __tablename__ = "missing_page"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own form

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    path: Mapped[str] = mapped_column(String(200), primary_key=True)
    times: Mapped[int]
