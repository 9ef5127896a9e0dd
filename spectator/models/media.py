"""Uploaded pictures."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, false
from sqlalchemy.orm import Mapped, mapped_column

from spectator.db import Base, UTCDateTime


class Picture(Base):
    """An uploaded picture; its files are named after `digest`. Sizes are in pixels and bytes.

    `was_public`: a story with the picture is or was public. Readers may then see the picture only
    while a published story shows it. `has_avif`: all its AVIF renditions are stored.
    """

    __tablename__ = "picture"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    extension: Mapped[str] = mapped_column(String(5))
    width: Mapped[int]
    height: Mapped[int]
    byte_size: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    was_public: Mapped[bool] = mapped_column(default=False, server_default=false())
    has_avif: Mapped[bool] = mapped_column(default=False, server_default=false())


class PictureUse(Base):
    """A story that shows a picture, as its lead or in its text; `publishing` derives the rows."""

    __tablename__ = "picture_use"
    __table_args__ = ({"sqlite_with_rowid": False},)

    article_id: Mapped[int] = mapped_column(
        ForeignKey("article.id", ondelete="CASCADE"), primary_key=True
    )
    picture_id: Mapped[int] = mapped_column(
        ForeignKey("picture.id", ondelete="CASCADE"), primary_key=True, index=True
    )
