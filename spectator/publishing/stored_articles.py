"""Stored stories, loaded in bulk for a batch of imports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from spectator.models import (
    Article,
    ArticleAuthor,
    Author,
    Country,
    Picture,
    ReaderNote,
    Section,
    Topic,
)
from spectator.models.article import article_country, article_topic
from spectator.publishing.fields import COPIED_FIELDS, IMPORT_GROUPS, Draft

# Columns that change with a value of the source but are no fields of a draft.
DERIVED_COLUMNS = {
    "body": ("excerpt", "word_count"),
    "section": ("section_id",),
    "publication": ("status", "published_at"),
    "updated_at": ("updated_at",),
    "translation_of": ("translation_of_id", "original_version"),
}


@dataclass(frozen=True, slots=True)
class StoredArticle:
    """A stored story: its row, its taxonomy, and its notes to readers."""

    row: Row[Any]
    authors: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    countries: tuple[tuple[str, str], ...] = ()  # code and name
    notes: tuple[Row[Any], ...] = ()  # to readers, oldest first

    @property
    def corrected_at(self) -> datetime | None:
        """Return the time of the latest note to readers."""
        return self.notes[-1].made_at if self.notes else None

    @property
    def draft(self) -> Draft:
        """Return the story as a draft."""
        lines = {name: getattr(self.row, name) for name in (*COPIED_FIELDS, "slug")}
        countries = tuple(name for _, name in self.countries)
        return Draft(
            section=self.row.section,
            authors=self.authors,
            topics=self.topics,
            countries=countries,
            translation_of=str(self.row.translation_of_id or ""),
            **lines,
        )

    def draft_with(self, source: Draft, accepted: frozenset[str]) -> Draft:
        """Return the draft of the story with the accepted fields of the source."""
        names = [name for group in accepted for name in IMPORT_GROUPS.get(group, ())]
        return replace(self.draft, **{name: getattr(source, name) for name in names})

    def values_with(self, source: Mapping[str, Any], accepted: frozenset[str]) -> dict[str, Any]:
        """Return the column values of the story with the accepted fields of the source."""
        names = {
            name
            for group in accepted
            for name in (*IMPORT_GROUPS.get(group, ()), *DERIVED_COLUMNS.get(group, ()))
        }
        return {
            name: source[name] if name in names else getattr(self.row, name) for name in source
        }


def load_stored_articles(session: Session, ids: Sequence[int]) -> dict[int, StoredArticle]:
    """Return stored stories by id."""
    if not ids:
        return {}
    columns = [
        getattr(Article, name) for name in (*COPIED_FIELDS, "id", "slug", "section_id", "status")
    ]
    columns += [Article.excerpt, Article.word_count, Article.published_at, Article.updated_at]
    columns += [Article.translation_of_id, Article.original_version]
    query = (
        select(*columns, Section.slug.label("section"), Picture.digest)
        .join(Section, Section.id == Article.section_id)
        .outerjoin(Picture, Picture.id == Article.picture_id)
        .where(Article.id.in_(ids))
    )
    authors, topics, countries, notes = _load_names_and_notes(session, ids)
    return {
        row.id: StoredArticle(
            cast(Row[Any], row),
            tuple(row.name for row in authors.get(row.id, ())),
            tuple(row.name for row in topics.get(row.id, ())),
            tuple((row.code, row.name) for row in countries.get(row.id, ())),
            tuple(notes.get(row.id, ())),
        )
        for row in session.execute(query)
    }


def _load_names_and_notes(
    session: Session, ids: Sequence[int]
) -> Iterator[dict[int, list[Row[Any]]]]:
    """Yield four dicts of rows by story id: authors, topics, countries and notes."""
    notes = select(ReaderNote.article_id, ReaderNote.kind, ReaderNote.text, ReaderNote.made_at)
    authors = select(ArticleAuthor.article_id, Author.name).join(
        Author, Author.id == ArticleAuthor.author_id
    )
    topics = select(article_topic.c.article_id, Topic.name).join(
        Topic, Topic.id == article_topic.c.topic_id
    )
    countries = select(article_country.c.article_id, Country.code, Country.name)
    countries = countries.join(Country, Country.id == article_country.c.country_id)
    for query in (
        authors.where(ArticleAuthor.article_id.in_(ids)).order_by(ArticleAuthor.position),
        topics.where(article_topic.c.article_id.in_(ids)).order_by(Topic.name),
        countries.where(article_country.c.article_id.in_(ids)).order_by(Country.name),
        notes.where(ReaderNote.article_id.in_(ids)).order_by(ReaderNote.made_at),
    ):
        rows: dict[int, list[Row[Any]]] = {}
        for row in session.execute(query):
            rows.setdefault(row.article_id, []).append(row)
        yield rows
