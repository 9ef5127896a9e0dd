"""Storing one prepared draft: taxonomy, slugs, redirects, revisions. Only for publishing."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload, selectinload, undefer

from spectator.models import (
    Article,
    ArticleAuthor,
    Author,
    Country,
    Picture,
    Redirect,
    Section,
    Topic,
)
from spectator.models.article import WAS_PUBLIC, WAS_PUBLIC_STATUSES
from spectator.publishing.fields import COPIED_FIELDS, WORDING_FIELDS, Draft
from spectator.publishing.names import get_or_create_ids
from spectator.publishing.validation import PreparedDraft, ValidationError
from spectator.text.words.slugs import slugify

NamedRow = TypeVar("NamedRow", Topic, Author)


def select_for_update() -> Select[Article]:
    """Return the query that loads a story with all its collections."""
    return select(Article).options(
        undefer(Article.body),
        joinedload(Article.section, innerjoin=True),
        selectinload(Article.bylines).joinedload(ArticleAuthor.author),
        selectinload(Article.topics),
        selectinload(Article.countries),
        selectinload(Article.corrections),
    )


def apply_draft(session: Session, article: Article, prepared: PreparedDraft, now: datetime) -> None:
    """Copy every field of the draft to the story.

    Raises ValidationError for an unknown section, a deleted picture, or another story's slug.
    """
    draft = prepared.draft
    with session.no_autoflush:
        section = session.scalar(select(Section).where(Section.slug == draft.section))
        if section is None:
            raise ValidationError(
                {"section": f"There is no section “{draft.section}”. Choose one from the list."}
            )
        if draft.picture_id is not None and session.get(Picture, draft.picture_id) is None:
            raise ValidationError({"picture": "This picture was deleted. Upload it again."})
        _set_draft_slug(session, article, draft)
        for name in COPIED_FIELDS:
            setattr(article, name, getattr(draft, name))
        article.section_id, article.section = section.id, section
        article.excerpt, article.word_count, article.saved_at = (
            prepared.excerpt,
            prepared.word_count,
            now,
        )
        article.topics = _load_or_create_named(session, Topic, draft.topics)
        codes = Country.code.in_(prepared.country_codes)
        article.countries = (
            list(session.scalars(select(Country).where(codes))) if prepared.country_codes else []
        )
        session.add(article)
        _set_bylines(article, _load_or_create_named(session, Author, draft.authors))
    session.flush()


def _set_bylines(article: Article, authors: list[Author]) -> None:
    rows = article.bylines
    for position, author in enumerate(authors):
        if position < len(rows):
            rows[position].author = author
        else:
            rows.append(ArticleAuthor(author=author, position=position))
    del rows[len(authors) :]


def _load_or_create_named(
    session: Session, model: type[NamedRow], names: tuple[str, ...]
) -> list[NamedRow]:
    """Return the topics or authors with these names, in order, adding new ones.

    A former spelling returns the row whose name replaced it.
    """
    ids = get_or_create_ids(session, model, names)
    rows = {row.id: row for row in session.scalars(select(model).where(model.id.in_(ids.values())))}
    return [rows[row_id] for row_id in dict.fromkeys(ids[name] for name in names)]


def _set_draft_slug(session: Session, article: Article, draft: Draft) -> None:
    """Give the story the slug of its draft, or one made from its headline."""
    _set_slug(
        session,
        article,
        unique_slug(session, draft.slug, draft.headline, article.id, article.slug or ""),
    )


def ensure_unique_slug(session: Session, article: Article) -> None:
    """Add a number to the story's slug if another story took it since the last save."""
    _set_slug(
        session,
        article,
        unique_slug(session, article.slug, article.headline, article.id, article.slug),
    )


def _set_slug(session: Session, article: Article, slug: str) -> None:
    """Set the story's slug; a story that was ever public leaves a redirect at its old slug.

    A slug that was ever public is never given to another story.
    """
    if slug == article.slug:
        return
    if article.slug and article.status in WAS_PUBLIC_STATUSES:
        session.merge(Redirect(slug=article.slug, article_id=article.id))
    own = session.get(Redirect, slug)
    if own is not None:
        session.delete(own)  # the story returns to a slug that it had before
    article.slug = slug


def unique_slug(
    session: Session, slug: str, headline: str, article_id: int | None, current: str = ""
) -> str:
    """Return `slug`, or without one the first free slug made from the headline.

    Only stories that readers have seen, and redirects, reserve a slug. `current` is the slug that
    the story has now: if it is unchanged and another story took it, it gets a number. Raises
    ValidationError if a newly chosen slug belongs to another story.
    """
    return first_unique_slug(
        slug, headline, lambda candidate: _is_taken(session, candidate, article_id), current
    )


def first_unique_slug(
    slug: str, headline: str, is_taken: Callable[[str], bool], current: str = ""
) -> str:
    """Return what `unique_slug` returns, with `is_taken` to tell the slugs of other stories.

    A slug that once belonged to another story is taken too.
    """
    wanted = slug or slugify(headline)
    if not is_taken(wanted):
        return wanted
    if slug and slug != current:
        raise ValidationError(
            {"slug": f"Another story has the address “{slug}”. Choose a different one."}
        )
    if re.fullmatch(re.escape(slugify(headline)) + r"-[0-9]+", wanted, re.ASCII):
        wanted = slugify(headline)  # already numbered: replace the number, do not append a second
    for number in range(2, 1000):
        free = f"{wanted}-{number}"
        if not is_taken(free):
            return free
    raise ValidationError(
        {"slug": "Too many stories have this headline. Type a web address for this one."}
    )


def keep_slug_if_taken(
    session: Session, prepared: PreparedDraft, article: Article
) -> PreparedDraft:
    """Return the draft of an old revision with a slug that the story may use.

    That is the story's current slug if the old one now belongs to another story.
    """
    draft = prepared.draft
    if not draft.slug or not _is_taken(session, draft.slug, article.id):
        return prepared
    return replace(prepared, draft=replace(draft, slug=article.slug))


def _is_taken(session: Session, slug: str, article_id: int | None) -> bool:
    owner = session.scalar(select(Article.id).where(Article.slug == slug, WAS_PUBLIC))
    former = session.scalar(select(Redirect.article_id).where(Redirect.slug == slug))
    return any(owner_id not in (None, article_id) for owner_id in (owner, former))


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
        **lines,
    )
