"""Lookup tables of an import batch: sections by name, slugs by owner. Only for publishing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from spectator.models import Article, Redirect, Section
from spectator.models.article import WAS_PUBLIC
from spectator.publishing.articles import first_unique_slug
from spectator.publishing.fields import Draft
from spectator.publishing.taxonomy import add_section
from spectator.publishing.validation import clean_line
from spectator.text.words.folding import fold
from spectator.text.words.slugs import slugify


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


class SlugLookup:
    """The owners of slugs: for each slug the story that is or was public under it.

    It queries the database for slugs that it has not looked up before.
    """

    def __init__(self, session: Session, wanted: Iterable[str]) -> None:
        self.session = session
        self.owners: dict[str, int | None] = {}
        self._load_owners(wanted)

    def unique_slug(self, draft: Draft, article_id: int) -> str:
        """Return a slug for the story. Raises ValidationError if its own is another story's."""
        return first_unique_slug(
            draft.slug, draft.headline, lambda slug: self._is_taken(slug, article_id)
        )

    def unique_stored_slug(self, old: Row[Any], headline: str) -> str:
        """Return the slug of a stored story that becomes public, with a number if it is taken."""
        return first_unique_slug(
            old.slug, headline, lambda slug: self._is_taken(slug, old.id), old.slug
        )

    def _is_taken(self, slug: str, article_id: int) -> bool:
        if slug not in self.owners:
            # Slugs without a number were loaded at the start. When one number is taken, the next
            # ones often are too, so load many at once.
            stem, _, suffix = slug.rpartition("-")
            first = int(suffix)
            self._load_owners(f"{stem}-{number}" for number in range(first, 2 * first + 30))
        return self.owners[slug] not in (None, article_id)

    def _load_owners(self, slugs: Iterable[str]) -> None:
        new = [slug for slug in slugs if slug not in self.owners]
        self.owners.update(dict.fromkeys(new))
        former = select(Redirect.slug, Redirect.article_id).where(Redirect.slug.in_(new))
        current = select(Article.slug, Article.id).where(Article.slug.in_(new), WAS_PUBLIC)
        for query in (former, current):
            self.owners.update(self.session.execute(query).all())
