"""Listings: their published stories, their counts, and which of them were ever public."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from spectator.db import Base, UTCDateTime

_IN_A_MONTH: dict[str, Any] = {
    name: text("kind = 'month'") for name in ("sqlite_where", "postgresql_where")
}


class ListingRow(Base):
    """A published story in a listing.

    `key` is the id of a section, country, topic or author, or a month like 202611 in the newsroom's
    time zone. `language` is that of the story, without region. The
    primary key has the order of the listings, so that any page is one range of it, and the index
    that of the listings of a language.
    """

    __tablename__ = "listed"
    __table_args__ = (
        Index("ix_listed_language", "kind", "key", "language", "published_at", "article_id"),
        # A story is in one month, so these are the latest stories of all, and of a language.
        Index("ix_latest", "kind", "published_at", "article_id", "language", **_IN_A_MONTH),
        Index(
            "ix_latest_language", "kind", "language", "published_at", "article_id", **_IN_A_MONTH
        ),
        {"sqlite_with_rowid": False},
    )

    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    key: Mapped[int] = mapped_column(primary_key=True)
    published_at: Mapped[datetime] = mapped_column(UTCDateTime, primary_key=True)
    article_id: Mapped[int] = mapped_column(
        ForeignKey("article.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    language: Mapped[str] = mapped_column(String(8), server_default="")


class ListingCount(Base):
    """The number of published stories in a listing; empty listings have no row."""

    __tablename__ = "story_count"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own form

    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    key: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]


class LanguageCount(Base):
    """The number of published stories of a language in a listing; there is no row for none."""

    __tablename__ = "language_count"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own form

    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    key: Mapped[int] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(String(8), primary_key=True)
    number: Mapped[int]


class TableTimeZone(Base):
    """The time zone with which a derived table was built, to detect changes; UTC without a row."""

    __tablename__ = "derivation"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own form

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    zone: Mapped[str] = mapped_column(String(64))


class PublicListing(Base):
    """A listing that is or was public; it keeps its URL even without stories.

    The row is added with the first published story and never deleted. Names that only drafts use
    have no row, so that readers cannot discover them.
    """

    __tablename__ = "opened_list"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own form

    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    key: Mapped[int] = mapped_column(primary_key=True)
