"""Former names and slugs of authors and topics."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from spectator.db import Base


class FormerName(Base):
    """A name or slug that an author or topic had before it was renamed.

    `kind` is "author" or "topic", `part` is "name" or "slug". Former names resolve to the current
    name, former slugs redirect to the current slug.
    """

    __tablename__ = "former_name"
    __table_args__ = (
        CheckConstraint("kind in ('author', 'topic')", name="kind"),
        CheckConstraint("part in ('name', 'slug')", name="part"),
        {"sqlite_with_rowid": False},
    )

    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    part: Mapped[str] = mapped_column(String(4), primary_key=True)
    value: Mapped[str] = mapped_column(String(120), primary_key=True)
    owner_id: Mapped[int]
