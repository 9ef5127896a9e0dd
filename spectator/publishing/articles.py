"""Storing a prepared draft as a story. Called only by publishing, inside its transactions."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload, selectinload, undefer

from spectator.i18n import gettext
from spectator.models import (
    Article,
    Picture,
    Section,
)
from spectator.publishing.fields import COPIED_FIELDS, WORDING_FIELDS, Draft
from spectator.publishing.slugs import SlugLookup, set_slug
from spectator.publishing.taxonomy import Taxonomy, write_taxonomy
from spectator.publishing.validation import PreparedDraft, ValidationError


def select_for_update() -> Select[Article]:
    """Return the query that loads a story with its body, section and notes to readers."""
    return select(Article).options(
        undefer(Article.body),
        joinedload(Article.section, innerjoin=True),
        selectinload(Article.notes),
    )


def apply_draft(
    session: Session, article: Article, prepared: PreparedDraft, now: datetime
) -> None:
    """Copy every field of the draft to the story, except its original.

    Raises ValidationError for an unknown section, a deleted picture, or another story's slug.
    """
    draft = prepared.draft
    with session.no_autoflush:
        section = session.scalar(select(Section).where(Section.slug == draft.section))
        if section is None:
            raise ValidationError(
                {
                    "section": gettext(
                        "There is no section “%(section)s”. Choose one from the list.",
                        section=draft.section,
                    )
                }
            )
        if draft.picture_id is not None and session.get(Picture, draft.picture_id) is None:
            raise ValidationError(
                {"picture": gettext("This picture was deleted. Upload it again.")}
            )
        for name, value in draft_columns(prepared).items():
            setattr(article, name, value)
        set_slug(session, article, draft.slug)
        article.section, article.saved_at = section, now
        stored_ids = [article.id] if article.id else []
        session.add(article)
        session.flush()
        taxonomy = Taxonomy(article.id, draft, prepared.country_codes)
        write_taxonomy(session, [taxonomy], stored_ids)


def draft_columns(prepared: PreparedDraft) -> dict[str, Any]:
    """Return the column values of a story that come from its draft alone."""
    columns = {name: getattr(prepared.draft, name) for name in COPIED_FIELDS}
    return columns | {"excerpt": prepared.excerpt, "word_count": prepared.word_count}


def keep_slug_if_taken(
    session: Session, prepared: PreparedDraft, article: Article
) -> PreparedDraft:
    """Return the draft of an old revision with a slug that the story may use.

    That is the story's current slug if the old one now belongs to another story.
    """
    draft = prepared.draft
    if not draft.slug or not SlugLookup(session, [draft.slug]).is_taken(draft.slug, article.id):
        return prepared
    return replace(prepared, draft=replace(draft, slug=article.slug))


def has_same_text(article: Article, draft: Draft) -> bool:
    """Return whether story and draft agree in every wording that readers see."""
    return all(getattr(article, name) == getattr(draft, name) for name in WORDING_FIELDS)


def draft_from_article(article: Article) -> Draft:
    """Return the draft of a story that was loaded with all its collections."""
    lines = {name: getattr(article, name) for name in (*COPIED_FIELDS, "slug")}
    return Draft(
        section=article.section.slug,
        authors=tuple(author.name for author in article.authors),
        countries=tuple(country.name for country in article.countries),
        topics=tuple(topic.name for topic in article.topics),
        translation_of=str(article.translation_of_id or ""),
        **lines,
    )
