"""Derived data: related stories, counts of searches and requests, and offsets of consumers."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    REAL,
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    Double,
    ForeignKey,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from spectator.db import Base, UTCDateTime


class Consumer(Base):
    """The outbox offset of a consumer, written in the same transaction as its data."""

    __tablename__ = "follower"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own form

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    offset: Mapped[int] = mapped_column("position")


class Related(Base):
    """A story related to another; positions start at 0. The table may be emptied at any time."""

    __tablename__ = "related"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own form

    article_id: Mapped[int] = mapped_column(
        ForeignKey("article.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    related_id: Mapped[int] = mapped_column(
        ForeignKey("article.id", ondelete="CASCADE"), index=True
    )
    score: Mapped[float] = mapped_column(REAL().with_variant(Double, "postgresql"))


class RelatedOverride(Base):
    """An editor's decision about a pair: `pin` shows the other story first, `forbid` never."""

    __tablename__ = "related_choice"
    __table_args__ = (
        CheckConstraint("kind in ('pin', 'forbid')", name="kind"),
        {"sqlite_with_rowid": False},
    )

    article_id: Mapped[int] = mapped_column(
        ForeignKey("article.id", ondelete="CASCADE"), primary_key=True
    )
    related_id: Mapped[int] = mapped_column(
        ForeignKey("article.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    kind: Mapped[str] = mapped_column(String(6))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))


class SearchIndex(Base):
    """A search index in PostgreSQL: its current generation, and its offset (`position`).

    `spectator.search.postgres` creates and drops the tables of the generations, which are numbered
    up to `newest`, and is the only user of this table.
    """

    __tablename__ = "search_index"
    __table_args__ = {"sqlite_with_rowid": False, "info": {"is_derived": True}}  # noqa: RUF012

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    generation: Mapped[int]
    format: Mapped[int]
    position: Mapped[int] = mapped_column(BigInteger)
    documents: Mapped[int]
    newest: Mapped[int]
    leased_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class SearchCount(Base):
    """The number of searches for a text on a day (UTC); `text` is case-folded.

    `times` is that number, `hits` is the number of results of the last search, `milliseconds` the
    total time of all searches.
    """

    __tablename__ = "search_count"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own form

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    text: Mapped[str] = mapped_column(String(200), primary_key=True)
    times: Mapped[int]
    hits: Mapped[int]
    milliseconds: Mapped[int]


class TrafficHour(Base):
    """Requests in an hour (UTC) on all hosts, for the charts of the newsroom's status page.

    `errors` are those answered with 5xx, `slow` those that took over a second.
    """

    __tablename__ = "traffic_hour"

    hour: Mapped[datetime] = mapped_column(UTCDateTime, primary_key=True)
    requests: Mapped[int] = mapped_column(BigInteger)
    errors: Mapped[int] = mapped_column(BigInteger)
    slow: Mapped[int] = mapped_column(BigInteger)
