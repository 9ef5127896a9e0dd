"""The outbox."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from spectator.db import Base, UTCDateTime


class Outbox(Base):
    """The change log: a row for every action that changes what the public may see.

    Numbers are never reused. `page_id` is the standing page that changed, `request_id` the request
    that took the action, "" for others.
    """

    __tablename__ = "outbox"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - SQLAlchemy's own form

    seq: Mapped[int] = mapped_column(primary_key=True)
    article_id: Mapped[int | None]
    action: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    page_id: Mapped[int | None]
    request_id: Mapped[str] = mapped_column(String(64), default="", server_default="")
