"""Revisions: what each action adds to a story's history. Called only by publishing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import ColumnElement, ScalarSelect, func, inspect, select
from sqlalchemy.orm import Session

from spectator.db.functions import byte_length
from spectator.models import Article, Revision
from spectator.models.article import EVER_PUBLIC_STATUSES
from spectator.publishing.fields import FIELDS, Draft
from spectator.publishing.listings import update_listings
from spectator.publishing.pictures import update_picture_uses
from spectator.times import month_key
from spectator.urls import permalink_at

# How much one person may store again in an hour by requests that send no text: a button's request
# of 300 bytes stores the whole story. A story of 20 kB may have a thousand such actions.
MAX_COPIED_BYTES, COPY_PERIOD = 20_000_000, timedelta(hours=1)


class CopyLimitReached(Exception):
    """The person has stored too much again by actions that send no text."""


def require_few_copies(
    session: Session, content: Mapping[str, Any], by_id: int, now: datetime
) -> None:
    """Raise CopyLimitReached if a copy of this content would exceed the person's limit.

    Somebody who has copied nothing in this period may copy a story of any length.
    """
    stored = func.sum(byte_length(Revision.content))
    query = select(stored).where(
        Revision.is_copy, Revision.made_by_id == by_id, Revision.made_at > now - COPY_PERIOD
    )
    copied = session.scalar(query)
    if copied and copied + len(json.dumps(content)) > MAX_COPIED_BYTES:
        raise CopyLimitReached


def add_revision(
    session: Session,
    article: Article,
    action: str,
    draft: Draft | None,
    by_id: int | None,
    now: datetime,
    note: str = "",
    *,
    copies_text: bool = False,
) -> None:
    """Append a revision with the draft or, without one, with the content of the previous revision.

    `copies_text` says that the person did not send the draft's text. The revision also holds the
    notes to readers; if the article's notes are not loaded, those of the previous revision are
    copied. Raises CopyLimitReached if a person copies too much.
    """
    session.flush()  # sets the story's new version
    newest = session.execute(
        select(Revision.number, Revision.content)
        .where(Revision.article_id == article.id)
        .order_by(Revision.number.desc())
        .limit(1)
    ).one_or_none()
    content = previous = newest.content if newest else {}
    if draft is not None:
        original = str(article.translation_of_id or "")  # the draft may name a translation of it
        content = revision_content(replace(draft, translation_of=original), article.slug)
    elif previous:
        content = content | {"slug": article.slug}  # publishing may have added a number
    if "notes" not in inspect(article).unloaded:
        content = content | {"notes": serialize_notes(article.notes)}
    elif "notes" in previous:
        content = content | {"notes": previous["notes"]}
    copies_text = copies_text or draft is None
    if copies_text and by_id is not None:
        require_few_copies(session, content, by_id, now)
    content = content | public_location(
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
            is_copy=copies_text,
        )
    )
    update_listings(session, [article.id])
    update_picture_uses(session, [article.id])


def newest_number(*conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    """Return the subquery of the highest revision number of each story of a query."""
    query = select(func.max(Revision.number)).where(
        Revision.article_id == Article.id, *conditions
    )
    return query.correlate(Article).scalar_subquery()


def revision_content(draft: Draft, slug: str) -> dict[str, Any]:
    """Return a draft as a revision stores it; `slug` is the story's final slug."""
    return {name: getattr(draft, name) for name in FIELDS} | {"slug": slug}


def public_location(
    status: str, section: str, slug: str, published_at: datetime | None
) -> dict[str, Any]:
    """Return the path and month under which readers find a story, as a revision stores them.

    A story that was never public has neither.
    """
    if status not in EVER_PUBLIC_STATUSES:
        return {}
    month = (
        month_key(published_at, ZoneInfo(current_app.config["TIMEZONE"]))
        if published_at
        else None
    )
    return {"path": permalink_at(section, slug, published_at), "month": month}


def draft_from_revision(content: Mapping[str, Any]) -> Draft:
    """Return the draft that a revision holds; fields added since the revision are empty."""
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in content.items()
        if name in FIELDS
    }
    return Draft(**values)


def serialize_notes(notes: Iterable[Any]) -> list[dict[str, Any]]:
    """Return notes as a revision stores them, in the same order."""
    return [
        {"kind": note.kind, "text": note.text, "made_at": f"{note.made_at:%Y-%m-%dT%H:%M:%SZ}"}
        for note in notes
    ]
