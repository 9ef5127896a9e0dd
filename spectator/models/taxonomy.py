"""The taxonomy of stories: sections, topics, countries."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from spectator.db import Base


class Section(Base):
    """A section of the site; every story belongs to exactly one."""

    __tablename__ = "section"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(String(300), default="", server_default="")
    position: Mapped[int] = mapped_column(default=0)


class Topic(Base):
    """A subject of stories in any section, identified by its exact spelling."""

    __tablename__ = "topic"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(120), unique=True, index=True)
    # Forms that similar names share; publishing.names compares them.
    ascii_form: Mapped[str] = mapped_column(String(80), default="", server_default="", index=True)
    folded_form: Mapped[str] = mapped_column(
        String(240), default="", server_default="", index=True
    )


class NameTranslation(Base):
    """What a section or topic is called in another language, with a section's description.

    `kind` is "section" or "topic". An empty name or description stands for the original one.
    `words` are the folded words of the name, with single spaces, by which searches find topics.
    """

    __tablename__ = "name_translation"
    __table_args__ = (
        CheckConstraint("kind in ('section', 'topic')", name="kind"),
        {"sqlite_with_rowid": False},
    )

    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    owner_id: Mapped[int] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(120), default="", server_default="")
    description: Mapped[str] = mapped_column(String(300), default="", server_default="")
    words: Mapped[str] = mapped_column(String(240), default="", server_default="", index=True)


class Country(Base):
    """A country of ISO 3166; `code` is its alpha-2 code."""

    __tablename__ = "country"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(2), unique=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(120))
