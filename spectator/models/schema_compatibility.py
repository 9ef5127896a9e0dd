"""Which older code may use the schema of the database."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from spectator.db import Base


class SchemaCompatibility(Base):
    """One row: the schema version, and the schema of the oldest code that may use it.

    Each migration writes it (`migrations/env.py`). Code reads it if it does not know the database's
    schema, because a newer version of the site upgraded it.
    """

    __tablename__ = "schema_support"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own form

    version: Mapped[str] = mapped_column(String(32), primary_key=True)
    oldest_code: Mapped[str] = mapped_column(String(32))
