"""How an act puts a prepared draft into the database: filing, slugs, redirects, revisions. Only for publishing."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import Select, inspect, select
from sqlalchemy.orm import Session, joinedload, selectinload, undefer

from spectator.models import (
    Article,
    ArticleAuthor,
    Author,
    Country,
    Picture,
    Redirect,
    Revision,
    Section,
    Topic,
)
from spectator.models.article import WAS_PUBLIC, WAS_PUBLIC_STATUSES
from spectator.publishing.drafts import DRAFT_FIELDS, Draft, PreparedDraft, ValidationError
from spectator.publishing.listings import update_listings
from spectator.publishing.names import get_or_create_ids
from spectator.publishing.notes import serialize_article_notes
from spectator.publishing.pictures import update_picture_uses
from spectator.text.words.slugs import slugify
from spectator.times import month_key
from spectator.urls import permalink_at

NamedRow = TypeVar("NamedRow", Topic, Author)
COPIED_FIELDS = ("headline", "dek", "body", "language", "source_name", "source_url")
PICTURE_FIELDS = ("picture_id", "picture_alt", "picture_caption", "picture_credit")


def select_for_update() -> Select[Article]:
    """Return the select that loads a story with all its collections."""
    return select(Article).options(
        undefer(Article.body),
        joinedload(Article.section, innerjoin=True),
        selectinload(Article.bylines).joinedload(ArticleAuthor.author),
        selectinload(Article.topics),
        selectinload(Article.countries),
        selectinload(Article.corrections),
    )


def apply_draft(session: Session, article: Article, prepared: PreparedDraft, now: datetime) -> None:
    """Put every field of the draft into the story.

    Raises Invalid for an unknown section, a lost picture, a slug that belongs to another story.
    """
    draft = prepared.draft
    with session.no_autoflush:
        section = session.scalar(select(Section).where(Section.slug == draft.section))
        if section is None:
            raise ValidationError(
                {"section": f"There is no section “{draft.section}”; choose one of the list."}
            )
        if draft.picture_id is not None and session.get(Picture, draft.picture_id) is None:
            raise ValidationError({"picture": "This picture is gone; upload it again."})
        _set_draft_slug(session, article, draft)
        for name in COPIED_FIELDS + PICTURE_FIELDS:
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
    """Return the topics or authors of these names, added where they are new; a former spelling is its successor."""
    ids = get_or_create_ids(session, model, names)
    rows = {row.id: row for row in session.scalars(select(model).where(model.id.in_(ids.values())))}
    return [rows[row_id] for row_id in dict.fromkeys(ids[name] for name in names)]


def _set_draft_slug(session: Session, article: Article, draft: Draft) -> None:
    """Give the story the slug that its draft asks for."""
    _set_slug(
        session,
        article,
        unique_slug(session, draft.slug, draft.headline, article.id, article.slug or ""),
    )


def ensure_unique_slug(session: Session, article: Article) -> None:
    """Number the slug of a story that is about to become public, if another one took it since it was saved."""
    _set_slug(
        session,
        article,
        unique_slug(session, article.slug, article.headline, article.id, article.slug),
    )


def _set_slug(session: Session, article: Article, slug: str) -> None:
    """Give the story a slug. A public one leaves a redirect behind; a slug that was ever public is never reused."""
    if slug == article.slug:
        return
    if article.slug and article.status in WAS_PUBLIC_STATUSES:
        session.merge(Redirect(slug=article.slug, article_id=article.id))
    own = session.get(Redirect, slug)
    if own is not None:
        session.delete(own)  # the story comes back to an address it had before
    article.slug = slug


def unique_slug(
    session: Session, slug: str, headline: str, article_id: int | None, current: str = ""
) -> str:
    """Return the slug that a story gets: the one given, else the first free one made from its headline.

    Only stories that readers have seen, and redirects, hold a slug. `current` is the slug that the story has: left as
    it is, it gets a number where another story took it. Raises Invalid where a newly given one is another story's.
    """
    return first_unique_slug(
        slug, headline, lambda each: _is_taken(session, each, article_id), current
    )


def first_unique_slug(
    slug: str, headline: str, is_taken: Callable[[str], bool], current: str = ""
) -> str:
    """Do what `free_slug` does where `is_taken` says which slugs belong, or once belonged, to another story."""
    wanted = slug or slugify(headline)
    if not is_taken(wanted):
        return wanted
    if slug and slug != current:
        raise ValidationError({"slug": f"Another story has the address “{slug}”; choose another."})
    if re.fullmatch(re.escape(slugify(headline)) + r"-[0-9]+", wanted, re.ASCII):
        wanted = slugify(headline)  # numbered before: count on, instead of numbering the number
    for number in range(2, 1000):
        free = f"{wanted}-{number}"
        if not is_taken(free):
            return free
    raise ValidationError(
        {"slug": "Too many stories have this headline; type an address of your own."}
    )


def keep_slug_if_taken(
    session: Session, prepared: PreparedDraft, article: Article
) -> PreparedDraft:
    """Return the draft of an old revision, with the story's slug of today where its old slug is another story's now."""
    draft = prepared.draft
    if not draft.slug or not _is_taken(session, draft.slug, article.id):
        return prepared
    return replace(prepared, draft=replace(draft, slug=article.slug))


def _is_taken(session: Session, slug: str, article_id: int | None) -> bool:
    owner = session.scalar(select(Article.id).where(Article.slug == slug, WAS_PUBLIC))
    former = session.scalar(select(Redirect.article_id).where(Redirect.slug == slug))
    return any(each is not None and each != article_id for each in (owner, former))


def add_revision(
    session: Session,
    article: Article,
    action: str,
    draft: Draft | None,
    by_id: int | None,
    now: datetime,
    note: str = "",
) -> None:
    """Append a revision: the draft that was saved or, for an act without one, the story as last saved.

    It keeps the notes to readers beside the draft; what an act has not loaded is as it was.
    """
    session.flush()  # the version that this act makes is known only now
    newest = session.execute(
        select(Revision.number, Revision.content)
        .where(Revision.article_id == article.id)
        .order_by(Revision.number.desc())
        .limit(1)
    ).one_or_none()
    content = before = newest.content if newest else {}
    if draft is not None:
        content = revision_content(draft, article.slug)
    elif before:
        content = content | {"slug": article.slug}  # publishing may have numbered it
    if "corrections" not in inspect(article).unloaded:
        content = content | {"notes": serialize_article_notes(article)}
    elif "notes" in before:
        content = content | {"notes": before["notes"]}
    content = content | shown_in(
        article.status, article.section.slug, article.slug, article.published_at
    )
    session.add(
        Revision(
            article_id=article.id,
            number=newest.number + 1 if newest else 1,
            version=article.version,
            action=action,
            note=note,
            content=content,
            made_at=now,
            made_by_id=by_id,
        )
    )
    update_listings(session, [article.id])
    update_picture_uses(session, [article.id])


def revision_content(draft: Draft, slug: str) -> dict[str, Any]:
    """Return what a revision holds of a draft; `slug` is the one it got, where the draft left it open."""
    return {name: getattr(draft, name) for name in DRAFT_FIELDS} | {"slug": slug}


def shown_in(status: str, section: str, slug: str, published_at: datetime | None) -> dict[str, Any]:
    """Return what a revision holds of where readers find the story: its path and its month; nothing of a draft."""
    if status not in WAS_PUBLIC_STATUSES:
        return {}
    month = (
        month_key(published_at, ZoneInfo(current_app.config["TIMEZONE"])) if published_at else None
    )
    return {"path": permalink_at(section, slug, published_at), "month": month}


def has_same_text(article: Article, draft: Draft) -> bool:
    """Say whether readers find the words of a stored story in a draft: headline, standfirst, text and caption."""
    return all(
        getattr(article, name) == getattr(draft, name)
        for name in ("headline", "dek", "body", "picture_caption")
    )


def draft_from_article(article: Article) -> Draft:
    """Return a story, loaded whole, as the draft that would store it again."""
    lines = {name: getattr(article, name) for name in (*COPIED_FIELDS, *PICTURE_FIELDS, "slug")}
    return Draft(
        section=article.section.slug,
        authors=tuple(author.name for author in article.authors),
        countries=tuple(country.name for country in article.countries),
        topics=tuple(topic.name for topic in article.topics),
        **lines,
    )
