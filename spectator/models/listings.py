"""In which lists published stories stand, how many in each, and which lists readers have seen."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from spectator.db import Base, UTCDateTime


class ListingRow(Base):
    """A published story in a list. `key` is the id of a section, country, topic or author, or a month as 202611.

    Months are those of the newsroom's time zone.

    The primary key is the order of the lists, so that a page of one is a stretch of it, wherever it starts.
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
    """How many published stories stand in a list; lists without any have no row."""

    __tablename__ = "story_count"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own form

    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    key: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]


class DerivedTable(Base):
    """What a derived table was made with, so that a change of the setting is noticed; without a row it was UTC."""

    __tablename__ = "derivation"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own form

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    zone: Mapped[str] = mapped_column(String(64))


class PublicListing(Base):
    """A list that readers have been able to see: it keeps its address when its last story leaves.

    Written with the first published story and never deleted. Lists of what only drafts carry have no row, so that
    their names stay in the newsroom.
    """

    __tablename__ = "opened_list"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own form

    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    key: Mapped[int] = mapped_column(primary_key=True)
