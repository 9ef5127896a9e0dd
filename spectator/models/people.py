"""People: authors in bylines, and users who log in; a person may be one or both."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from spectator.db import Base, UTCDateTime

ROLES = ("author", "editor", "admin")


class Author(Base):
    """A name in bylines, identified by its exact spelling; it needs no account."""

    __tablename__ = "author"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(120), unique=True, index=True)
    # Forms that similar names share; publishing.names compares them.
    ascii_form: Mapped[str] = mapped_column(String(80), default="", server_default="", index=True)
    folded_form: Mapped[str] = mapped_column(
        String(240), default="", server_default="", index=True
    )


class User(Base):
    """A person with an account; `email` is stored in lower case.

    `failed_logins` counts attempts since the last login; the next login shows those by others.
    `language` and `time_zone` are of the newsroom's pages for this person; "" is the site's.
    """

    __tablename__ = "user"
    __table_args__ = (CheckConstraint("role in ('author', 'editor', 'admin')", name="role"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(String(10))
    password_hash: Mapped[str] = mapped_column(String(200))
    is_active: Mapped[bool] = mapped_column(default=True)
    failed_logins: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    language: Mapped[str] = mapped_column(String(35), default="", server_default="")
    time_zone: Mapped[str] = mapped_column(String(60), default="", server_default="")
