"""What is derived for finding stories: which go together, what readers searched for, how far each follower has come."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import REAL, CheckConstraint, Date, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from spectator.db import Base, UTCDateTime


class Consumer(Base):
    """The number that something derived and kept in this database has reached, stored together with it."""

    __tablename__ = "follower"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own form

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    offset: Mapped[int] = mapped_column("position")


class Related(Base):
    """A story that goes with another, in its place; positions start at 0. Derived: may be emptied at any moment."""

    __tablename__ = "related"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own form

    article_id: Mapped[int] = mapped_column(
        ForeignKey("article.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    related_id: Mapped[int] = mapped_column(
        ForeignKey("article.id", ondelete="CASCADE"), index=True
    )
    score: Mapped[float] = mapped_column(REAL)


class RelatedOverride(Base):
    """What an editor has decided on a pair: `pin` shows the other story first, `forbid` never."""

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


class SearchCount(Base):
    """How often readers searched for something on a day (UTC): `text` without case, spaces collapsed.

    `hits` is what the last of these searches found; `milliseconds` adds up what all of them took.
    """

    __tablename__ = "search_count"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own form

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    text: Mapped[str] = mapped_column(String(200), primary_key=True)
    times: Mapped[int]
    hits: Mapped[int]
    milliseconds: Mapped[int]
