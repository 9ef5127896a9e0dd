"""Standing pages, such as “About”, with their revisions and redirects, and the menus."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from spectator.db import Base, UTCDateTime
from spectator.models.people import User

PAGE_STATUSES = ("draft", "published", "withdrawn")
MENUS = ("header", "footer")


class Page(Base):
    """A standing page at `/<path>`; `path` is its slug or, below a parent, `parent/slug`.

    `status` alone decides whether it is public; `version` counts saves and prevents lost updates.
    `form_id` is the form that created it.
    """

    __tablename__ = "page"
    __table_args__ = (
        CheckConstraint("status in ('draft', 'published', 'withdrawn')", name="status"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    external_id: Mapped[str | None] = mapped_column(String(200), unique=True)
    form_id: Mapped[str | None] = mapped_column(String(40), unique=True)
    # Without a foreign key, since pages are copied to other databases in the order of their ids.
    parent_id: Mapped[int | None] = mapped_column(index=True)
    path: Mapped[str] = mapped_column(String(250), unique=True)
    title: Mapped[str] = mapped_column(String(300))
    description: Mapped[str] = mapped_column(Text, default="")
    language: Mapped[str] = mapped_column(String(35))
    status: Mapped[str] = mapped_column(String(10), default="draft")
    version: Mapped[int] = mapped_column()
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    saved_at: Mapped[datetime] = mapped_column(UTCDateTime)
    published_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # what readers see as “Updated”
    updated_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    withdrawn_reason: Mapped[str] = mapped_column(Text, default="")
    body: Mapped[str] = mapped_column(Text, deferred=True, deferred_raiseload=True)

    parent: Mapped[Page | None] = relationship(
        primaryjoin="foreign(Page.parent_id) == remote(Page.id)", lazy="raise_on_sql"
    )

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own form

    @property
    def slug(self) -> str:
        """Return the last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def is_public(self) -> bool:
        """Return whether readers may see the page."""
        return self.status == "published"


class PageRevision(Base):
    """A page after an action; `content` holds every field of the draft, `note` the reason."""

    __tablename__ = "page_revision"
    __table_args__ = (Index(None, "page_id", "number", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    page_id: Mapped[int] = mapped_column(ForeignKey("page.id", ondelete="CASCADE"))
    number: Mapped[int]
    version: Mapped[int]
    action: Mapped[str] = mapped_column(String(20))
    note: Mapped[str] = mapped_column(Text, default="")
    content: Mapped[dict[str, Any]] = mapped_column(JSON().with_variant(JSONB, "postgresql"))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))

    made_by: Mapped[User | None] = relationship(lazy="raise_on_sql")


class PageRedirect(Base):
    """A former path of a public page; it leads to the page, so several renames need one hop."""

    __tablename__ = "page_redirect"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own form

    path: Mapped[str] = mapped_column(String(250), primary_key=True)
    page_id: Mapped[int] = mapped_column(ForeignKey("page.id", ondelete="CASCADE"), index=True)


class PagePicture(Base):
    """A picture in the text of a page; `publishing` derives the rows."""

    __tablename__ = "page_picture"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own form

    page_id: Mapped[int] = mapped_column(
        ForeignKey("page.id", ondelete="CASCADE"), primary_key=True
    )
    picture_id: Mapped[int] = mapped_column(
        ForeignKey("picture.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class MenuEntry(Base):
    """A page in a menu, under `label` or, if that is empty, its title; positions are in order."""

    __tablename__ = "menu_entry"
    __table_args__ = (
        CheckConstraint("menu in ('header', 'footer')", name="menu"),
        {"sqlite_with_rowid": False},
    )

    menu: Mapped[str] = mapped_column(String(6), primary_key=True)
    page_id: Mapped[int] = mapped_column(
        ForeignKey("page.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    position: Mapped[int]
    label: Mapped[str] = mapped_column(String(60), default="")

    page: Mapped[Page] = relationship(lazy="raise_on_sql")


class PageImport(Base):
    """The source values of a page at its last import: a fingerprint of each field."""

    __tablename__ = "page_import"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own form

    page_id: Mapped[int] = mapped_column(
        ForeignKey("page.id", ondelete="CASCADE"), primary_key=True
    )
    imported_at: Mapped[datetime] = mapped_column(UTCDateTime)
    source_values: Mapped[dict[str, Any]] = mapped_column(JSON)
