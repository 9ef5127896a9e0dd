"""Autosaved forms, the presence of editors, and preview links."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, query_expression, relationship

from spectator.db import Base, UTCDateTime
from spectator.models.people import User


class Autosave(Base):
    """The unsaved values of a person's open form, identified by `form_id`.

    `article_id` is None for a new story; `version` is the story's version when the form was opened;
    `values` maps field names to values. `discarded_at` is set on discarded text, which can still be
    restored. `values` may have megabytes, so lists load only its `headline`.
    """

    __tablename__ = "autosave"
    __table_args__ = (
        Index(None, "user_id", "copy", unique=True),
        Index(None, "user_id", "article_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    article_id: Mapped[int | None] = mapped_column(
        ForeignKey("article.id", ondelete="CASCADE"), index=True
    )
    form_id: Mapped[str] = mapped_column("copy", String(40))
    version: Mapped[int]
    values: Mapped[dict[str, Any]] = mapped_column(JSON)
    saved_at: Mapped[datetime] = mapped_column(UTCDateTime)
    discarded_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    headline: Mapped[str | None] = query_expression()


class Presence(Base):
    """A person who has a story's form open; `seen_at` is the time of the last report."""

    __tablename__ = "presence"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own form

    article_id: Mapped[int] = mapped_column(
        ForeignKey("article.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[int] = mapped_column(
        ForeignKey("user.id", ondelete="CASCADE"), primary_key=True
    )
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime)

    user: Mapped[User] = relationship(lazy="raise_on_sql")


class PreviewLink(Base):
    """A link to a story's preview for people without an account.

    Its URL ends in a random token, of which only the SHA-256 is stored. The page that lists a
    story's links recreates the token from `nonce` and the secret key.
    """

    __tablename__ = "preview_link"

    id: Mapped[int] = mapped_column(primary_key=True)
    article_id: Mapped[int] = mapped_column(
        ForeignKey("article.id", ondelete="CASCADE"), index=True
    )
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    nonce: Mapped[str] = mapped_column(String(43))
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    made_by: Mapped[User | None] = relationship(lazy="raise_on_sql")
