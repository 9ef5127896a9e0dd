"""The state of imported stories at their last import."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from spectator.db import Base, UTCDateTime


class ImportState(Base):
    """The source values of a story at its last import, with the time of that import.

    `source_values` maps each field to its fingerprint or its names; `version` is the story's
    version after the import.
    """

    __tablename__ = "import_state"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own form

    article_id: Mapped[int] = mapped_column(
        ForeignKey("article.id", ondelete="CASCADE"), primary_key=True
    )
    version: Mapped[int]
    imported_at: Mapped[datetime] = mapped_column("taken_at", UTCDateTime)
    source_values: Mapped[dict[str, Any]] = mapped_column("given", JSON)
