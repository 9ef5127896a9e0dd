"""Sections, bylines, topics and countries of stories, for saves and imports, and new pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import NamedTuple, cast

from sqlalchemy import Table, delete, func, insert, select
from sqlalchemy.orm import Session

from spectator import outbox
from spectator.i18n import gettext
from spectator.media import StoredPicture
from spectator.models import (
    ArticleAuthor,
    Author,
    Country,
    Page,
    PageRedirect,
    Picture,
    Section,
    Topic,
)
from spectator.models.article import article_country, article_topic
from spectator.publishing.fields import Draft
from spectator.publishing.names import MAX_SLUG_LENGTH, get_or_create_ids
from spectator.publishing.validation import ValidationError, clean_line
from spectator.text.words.folding import fold
from spectator.text.words.slugs import RESERVED_PATHS, numbered_slug, slugify

# Every page lists the sections, and the front page has a query for each.
MAX_SECTIONS = 100


def add_section(session: Session, name: str) -> Section:
    """Add a section inside the caller's `db.write()`; its slug gets a number if it is taken.

    Raises ValidationError if nothing of the name can be shown, if the slug is reserved for other
    pages, or if there are `MAX_SECTIONS`.
    """
    name = clean_line(name)[:120]
    if not name:
        raise ValidationError({"section": gettext("A section needs a name.")})
    slug = base = slugify(name)
    if slug in RESERVED_PATHS:
        raise ValidationError(
            {
                "section": gettext(
                    "The address /%(slug)s/ is reserved. Choose another name than “%(name)s”.",
                    slug=slug,
                    name=name,
                )
            }
        )
    if (session.scalar(select(func.count()).select_from(Section)) or 0) >= MAX_SECTIONS:
        message = gettext(
            "“%(name)s” would be section %(number)s, and a site can have %(limit)s. "
            "Use a topic instead.",
            name=name,
            number=MAX_SECTIONS + 1,
            limit=MAX_SECTIONS,
        )
        raise ValidationError({"section": message})
    number = 1
    while _is_section_slug_taken(session, slug):
        number += 1
        slug = numbered_slug(base, number, MAX_SLUG_LENGTH)
    last = session.scalar(select(func.max(Section.position))) or 0
    name = (name[:1].upper() + name[1:])[:120]  # a capital letter may be two
    section = Section(slug=slug, name=name, position=last + 1)
    session.add(section)
    session.flush()
    outbox.append(session, None, "section")  # every page shows it in its navigation
    return section


def _is_section_slug_taken(session: Session, slug: str) -> bool:
    """Return whether another section has a slug, or a standing page has or had the address."""
    is_section = select(Section.id).where(Section.slug == slug)
    is_page = select(Page.id).where(Page.path == slug)
    was_page = select(PageRedirect.page_id).where(PageRedirect.path == slug)
    return session.scalar(is_section.union_all(is_page, was_page).limit(1)) is not None


def add_picture(session: Session, upload: StoredPicture, by_id: int | None) -> int:
    """Store the row of an uploaded picture inside the caller's `db.write()`; return its id.

    Storing the same picture again returns the existing row's id.
    """
    existing_id = session.scalar(select(Picture.id).where(Picture.digest == upload.digest))
    if existing_id is not None:
        return existing_id
    picture = Picture(**asdict(upload), created_at=datetime.now(UTC), created_by_id=by_id)
    session.add(picture)
    session.flush()
    return picture.id


class SectionKey(NamedTuple):
    """The id and slug of a section."""

    id: int
    slug: str


class SectionLookup:
    """The sections by slug and by name; names are equal if they differ only in case or accents."""

    def __init__(self, session: Session) -> None:
        self.session = session
        rows = session.execute(select(Section.id, Section.slug, Section.name)).all()
        self.rows = {row.slug: SectionKey(row.id, row.slug) for row in rows}
        self.by_name = {fold(row.name): self.rows[row.slug] for row in rows}

    def _find(self, name: str) -> SectionKey | None:
        return self.rows.get(name) or self.by_name.get(fold(clean_line(name)))

    def slug_for(self, name: str) -> str:
        """Return the slug of the section, or the slug it would get if it does not exist."""
        section = self._find(name)
        return section.slug if section else slugify(name)

    def get_or_create(self, name: str, added: list[str]) -> SectionKey:
        """Return the section, creating it if necessary; append a created one's name to `added`.

        Raises ValidationError if a section may not have this name.
        """
        key = self._find(name)
        if key is None:
            section = add_section(self.session, name)
            key = SectionKey(section.id, section.slug)
            self.rows[section.slug] = self.by_name[fold(section.name)] = key
            added.append(section.name)
        return key


class Taxonomy(NamedTuple):
    """What a story is filed under: the authors and topics of its draft, its countries' codes."""

    article_id: int
    draft: Draft
    country_codes: tuple[str, ...]


def write_taxonomy(
    session: Session, stories: Sequence[Taxonomy], changed_ids: Sequence[int]
) -> None:
    """Store bylines, topics and countries; only stories in `changed_ids` may have any already.

    New names are added. A former spelling stands for the name that replaced it, and a name counts
    once for each story.
    """
    names = [name for story in stories for name in story.draft.authors]
    author_ids = get_or_create_ids(session, Author, names)
    names = [name for story in stories for name in story.draft.topics]
    topic_ids = get_or_create_ids(session, Topic, names)
    country_ids: dict[str, int] = {}
    if any(story.country_codes for story in stories):
        country_ids.update(session.execute(select(Country.code, Country.id)).all())
    author_rows: list[dict[str, int]] = []
    topic_rows: list[dict[str, int]] = []
    country_rows: list[dict[str, int]] = []
    for article_id, draft, codes in stories:
        ids = dict.fromkeys(author_ids[name] for name in draft.authors)
        author_rows += [
            {"article_id": article_id, "position": position, "author_id": author_id}
            for position, author_id in enumerate(ids)
        ]
        ids = dict.fromkeys(topic_ids[name] for name in draft.topics)
        topic_rows += [{"article_id": article_id, "topic_id": topic_id} for topic_id in ids]
        country_rows += [
            {"article_id": article_id, "country_id": country_ids[code]}
            for code in codes
            if code in country_ids
        ]
    for table, rows in (
        (cast(Table, ArticleAuthor.__table__), author_rows),
        (article_topic, topic_rows),
        (article_country, country_rows),
    ):
        if changed_ids:
            session.execute(delete(table).where(table.c.article_id.in_(changed_ids)))
        if rows:
            session.execute(insert(table), rows)
