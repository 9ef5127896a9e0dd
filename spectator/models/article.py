"""The article with its byline, taxonomy, notes to readers, revisions and redirects."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    String,
    Table,
    Text,
    false,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, query_expression, relationship

from spectator.db import Base, UTCDateTime
from spectator.i18n import lazy_pgettext
from spectator.models.media import Picture
from spectator.models.people import Author, User
from spectator.models.taxonomy import Country, Section, Topic

NOTE_KINDS = ("update", "clarification", "correction")
# The kinds of a story and their labels.
STORY_KINDS = {
    "news": lazy_pgettext("kind of story", "News"),
    "analysis": lazy_pgettext("kind of story", "Analysis"),
    "opinion": lazy_pgettext("kind of story", "Opinion"),
    "interview": lazy_pgettext("kind of story", "Interview"),
    "explainer": lazy_pgettext("kind of story", "Explainer"),
    "obituary": lazy_pgettext("kind of story", "Obituary"),
}
DEFAULT_STORY_KIND = "news"
# Statuses of stories that readers have seen. Only they and redirects reserve a slug, so that a
# public URL never reveals that somebody is writing a story with the same headline.
EVER_PUBLIC_STATUSES = ("published", "withdrawn")
ARTICLE_STATUSES = ("draft", "review", "scheduled", "published", "withdrawn")


def new_feed_id() -> str:
    """Return a globally unique id for a story in feeds."""
    return f"urn:uuid:{uuid4()}"


def _association_table(name: str, other: str) -> Table:
    return Table(
        name,
        Base.metadata,
        Column("article_id", ForeignKey("article.id", ondelete="CASCADE"), primary_key=True),
        Column(f"{other}_id", ForeignKey(f"{other}.id"), primary_key=True, index=True),
        sqlite_with_rowid=False,
    )


article_topic = _association_table("article_topic", "topic")
article_country = _association_table("article_country", "country")


class ArticleAuthor(Base):
    """One name of a story's byline; positions start at 0."""

    __tablename__ = "article_author"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own form

    article_id: Mapped[int] = mapped_column(
        ForeignKey("article.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("author.id"), index=True)


class ReaderNote(Base):
    """A dated note to readers below the story: an update, a clarification or a correction."""

    __tablename__ = "correction"
    __table_args__ = (
        CheckConstraint("kind in ('update', 'clarification', 'correction')", name="kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    article_id: Mapped[int] = mapped_column(
        ForeignKey("article.id", ondelete="CASCADE"), index=True
    )
    text: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    kind: Mapped[str] = mapped_column(
        String(20), default="correction", server_default="correction"
    )


class Revision(Base):
    """A story after an action of a person or an import; `content` holds every field of the draft.

    `version` is the article's version after the action (None in revisions older than the column),
    `note` the note, reason or remark given with it. `is_copy` says that the text was copied from an
    earlier revision, not sent by the person; `publishing` limits how much each person copies.
    """

    __tablename__ = "revision"
    __table_args__ = (
        Index(None, "article_id", "number", unique=True),
        # Everything that is asked about many revisions, whose rows are as long as their texts.
        Index("ix_revision_actions", "article_id", "version", "action", "number", "made_at"),
        Index(
            "ix_revision_copies",
            "made_by_id",
            "made_at",
            sqlite_where=text("is_copy"),
            postgresql_where=text("is_copy"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"))
    number: Mapped[int]
    action: Mapped[str] = mapped_column(String(20))
    content: Mapped[dict[str, Any]] = mapped_column(JSON().with_variant(JSONB, "postgresql"))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    version: Mapped[int | None]
    note: Mapped[str] = mapped_column(Text, default="", server_default="")
    is_copy: Mapped[bool] = mapped_column(default=False, server_default=false())

    made_by: Mapped[User | None] = relationship(lazy="raise_on_sql")


class Redirect(Base):
    """A former slug of a public story; it points to the story, so several renames need one hop."""

    __tablename__ = "redirect"

    slug: Mapped[str] = mapped_column(String(120), primary_key=True)
    article_id: Mapped[int] = mapped_column(
        ForeignKey("article.id", ondelete="CASCADE"), index=True
    )


EVER_PUBLIC_SQL = text("status IN ('published', 'withdrawn')")


class Article(Base):
    """A story.

    `status` alone decides whether it is public; `version` counts saves and prevents lost updates.
    """

    __tablename__ = "article"
    __table_args__ = (
        CheckConstraint(
            "status in ('draft', 'review', 'scheduled', 'published', 'withdrawn')", name="status"
        ),
        Index(
            "ix_article_seen_slug",
            "slug",
            unique=True,
            sqlite_where=EVER_PUBLIC_SQL,
            postgresql_where=EVER_PUBLIC_SQL,
        ),
        Index("ix_article_stream", "status", "published_at", "id"),
        Index("ix_article_section_stream", "section_id", "status", "published_at", "id"),
        Index("ix_article_feed_id", "feed_id", unique=True),
        Index(
            "ix_article_translation_of_id",
            "translation_of_id",
            sqlite_where=text("translation_of_id IS NOT NULL"),
            postgresql_where=text("translation_of_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    external_id: Mapped[str | None] = mapped_column(String(200), unique=True)
    # the form that created the story
    form_id: Mapped[str | None] = mapped_column("form_key", String(40), unique=True)
    kind: Mapped[str] = mapped_column(
        String(20), default=DEFAULT_STORY_KIND, server_default=DEFAULT_STORY_KIND
    )
    kicker: Mapped[str] = mapped_column(String(60), default="", server_default="")
    headline: Mapped[str] = mapped_column(String(300))
    dek: Mapped[str] = mapped_column(Text, default="")
    slug: Mapped[str] = mapped_column(String(120))
    language: Mapped[str] = mapped_column(String(35))
    status: Mapped[str] = mapped_column(String(10), default="draft")
    excerpt: Mapped[str] = mapped_column(Text, default="")
    word_count: Mapped[int] = mapped_column(default=0)
    source_name: Mapped[str] = mapped_column(String(200), default="")
    source_url: Mapped[str] = mapped_column(Text, default="")
    published_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # What readers see as “Updated”. The last change of the row is `saved_at`.
    updated_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    saved_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    withdrawn_reason: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column()
    section_id: Mapped[int] = mapped_column(ForeignKey("section.id"))
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"), index=True)
    picture_id: Mapped[int | None] = mapped_column(ForeignKey("picture.id"), index=True)
    picture_alt: Mapped[str] = mapped_column(Text, default="")
    picture_caption: Mapped[str] = mapped_column(Text, default="")
    picture_credit: Mapped[str] = mapped_column(Text, default="")
    search_title: Mapped[str] = mapped_column(String(120), default="", server_default="")
    search_description: Mapped[str] = mapped_column(String(320), default="", server_default="")
    share_picture: Mapped[str] = mapped_column(String(200), default="", server_default="")
    # The story that this one translates, which is no translation itself, and the version of it with
    # which somebody last compared this one. Without a foreign key, since stories are copied to
    # other databases in the order of their ids.
    translation_of_id: Mapped[int | None]
    original_version: Mapped[int | None]
    # near the end of the row, so that listings never read past a long body
    body: Mapped[str] = mapped_column(Text, deferred=True, deferred_raiseload=True)
    # None for stories older than this column, whose feed id is derived from the id. Only feeds read
    # it, so it may follow the body.
    feed_id: Mapped[str | None] = mapped_column(
        String(500), default=new_feed_id, deferred=True, deferred_raiseload=True
    )

    section: Mapped[Section] = relationship(lazy="raise_on_sql")
    picture: Mapped[Picture | None] = relationship(lazy="raise_on_sql")
    created_by: Mapped[User | None] = relationship(lazy="raise_on_sql")
    authors: Mapped[list[Author]] = relationship(
        secondary="article_author",
        order_by="ArticleAuthor.position",
        lazy="raise_on_sql",
        viewonly=True,
    )
    topics: Mapped[list[Topic]] = relationship(
        secondary=article_topic, order_by="Topic.name", lazy="raise_on_sql"
    )
    countries: Mapped[list[Country]] = relationship(
        secondary=article_country, order_by="Country.name", lazy="raise_on_sql"
    )
    # only of stories for their pages; otherwise None
    has_translations: Mapped[bool | None] = query_expression()
    notes: Mapped[list[ReaderNote]] = relationship(
        order_by="ReaderNote.made_at", cascade="all, delete-orphan", lazy="raise_on_sql"
    )

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own form

    @property
    def is_public(self) -> bool:
        """Return whether readers may see the story."""
        return self.status == "published"


# Literals, because SQLite uses a partial index only if the query contains the index's condition.
EVER_PUBLIC = Article.status.in_(
    [literal_column(f"'{status}'") for status in EVER_PUBLIC_STATUSES]
)
