"""What a batch of imports looks up again and again: sections by name, slugs by owner. Only for publishing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from spectator.models import Article, Redirect, Section
from spectator.models.article import WAS_PUBLIC
from spectator.publishing.articles import first_unique_slug
from spectator.publishing.drafts import Draft, clean_line
from spectator.publishing.taxonomy import add_section
from spectator.text.words.folding import fold
from spectator.text.words.slugs import slugify


class SectionKey(NamedTuple):
    """A section as a story refers to it."""

    id: int
    slug: str


class SectionLookup:
    """The sections by slug and by name. Two names are one section where they differ in case or accents alone."""

    def __init__(self, session: Session) -> None:
        self.session = session
        rows = session.execute(select(Section.id, Section.slug, Section.name)).all()
        self.rows = {row.slug: SectionKey(row.id, row.slug) for row in rows}
        self.by_name = {fold(row.name): self.rows[row.slug] for row in rows}

    def _find(self, name: str) -> SectionKey | None:
        return self.rows.get(name) or self.by_name.get(fold(clean_line(name)))

    def slug_for(self, name: str) -> str:
        """Return the slug of a section that exists, or the one that its name would have."""
        found = self._find(name)
        return found.slug if found else slugify(name)

    def get_or_create(self, name: str, added: list[str]) -> SectionKey:
        """Return a section, making it where there is none; notes what it made. Raises Invalid."""
        found = self._find(name)
        if found is None:
            section = add_section(self.session, name)
            found = SectionKey(section.id, section.slug)
            self.rows[section.slug] = self.by_name[fold(section.name)] = found
            added.append(section.name)
        return found


class SlugLookup:
    """Which slugs belong, or once belonged, to which story that readers have seen.

    Asks the database for those it has not heard of.
    """

    def __init__(self, session: Session, wanted: Iterable[str]) -> None:
        self.session = session
        self.owners: dict[str, int | None] = {}
        self._load_owners(wanted)

    def unique_slug(self, draft: Draft, article_id: int) -> str:
        """Return the slug that a story gets; raises Invalid where the one given is another story's."""
        return first_unique_slug(
            draft.slug, draft.headline, lambda slug: self._is_taken(slug, article_id)
        )

    def unique_stored_slug(self, old: Row[Any], headline: str) -> str:
        """Return the slug of a stored story that becomes public: its own, numbered where another story took it."""
        return first_unique_slug(
            old.slug, headline, lambda slug: self._is_taken(slug, old.id), old.slug
        )

    def _is_taken(self, slug: str, article_id: int) -> bool:
        if slug not in self.owners:
            # numbered, since the plain ones were asked for at first; where one is taken, those that follow often are
            stem, _, number = slug.rpartition("-")
            self._load_owners(f"{stem}-{each}" for each in range(int(number), 2 * int(number) + 30))
        return self.owners[slug] not in (None, article_id)

    def _load_owners(self, slugs: Iterable[str]) -> None:
        new = [slug for slug in slugs if slug not in self.owners]
        self.owners.update(dict.fromkeys(new))
        former = select(Redirect.slug, Redirect.article_id).where(Redirect.slug.in_(new))
        current = select(Article.slug, Article.id).where(Article.slug.in_(new), WAS_PUBLIC)
        for owned in (former, current):
            self.owners.update(self.session.execute(owned).all())
