"""Listings: their published stories, their counts, and which of them were ever public."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from spectator.db import Base, UTCDateTime


class ListingRow(Base):
    """A published story in a listing.

    `key` is the id of a section, country, topic or author, or a month like 202611 in the newsroom's
    time zone. The primary key has the order of the listings, so that any page is one range of it.
    """

    __tablename__ = "listed"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own form

    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    key: Mapped[int] = mapped_column(primary_key=True)
    published_at: Mapped[datetime] = mapped_column(UTCDateTime, primary_key=True)
    article_id: Mapped[int] = mapped_column(
        ForeignKey("article.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class ListingCount(Base):
    """The number of published stories in a listing; empty listings have no row."""

    __tablename__ = "story_count"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own form

    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    key: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]


class DerivedTable(Base):
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
