"""Autosaved forms, the presence of editors, and preview links."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import LargeBinary, Select, cast, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session, defer, joinedload, with_expression

from spectator.db import db
from spectator.models import Autosave, Presence, PreviewLink, User

# Limits for one person, including discarded forms; nobody writes that much at once.
MAX_AUTOSAVES, MAX_BYTES = 200, 20_000_000
MAX_LINKS = 50  # active links to one story
PRESENCE_SECONDS = (
    20  # open forms report every 8 s; after two missed reports a form counts as closed
)
PREVIEW_LINK_DAYS = (1, 7, 30)
PREVIEW_LINK_RETENTION = timedelta(days=90)
DISCARDED_DAYS = 30  # how long discarded text can be brought back


class AutosaveLimitReached(Exception):
    """The person has too much unsaved text, or the story has too many preview links."""


def save(
    user_id: int, article_id: int | None, form_id: str, version: int, values: dict[str, str]
) -> datetime:
    """Store the values of a form, replacing its previous ones; return the time.

    Deletes the oldest discarded forms if the person's limit requires it, and raises
    AutosaveLimitReached if that is not enough.
    """
    now = datetime.now(UTC)
    with db.write() as session:
        is_own = (Autosave.user_id == user_id) & (Autosave.form_id == form_id)
        _make_room(session, user_id, form_id, len(json.dumps(values)))
        row = session.scalar(select(Autosave).where(is_own).options(defer(Autosave.values)))
        if row is None:
            row = Autosave(user_id=user_id, form_id=form_id)
            session.add(row)
        row.article_id, row.version, row.values, row.saved_at = article_id, version, values, now
        row.discarded_at = None  # the person continues to write in a discarded form
    return now


def _make_room(session: Session, user_id: int, form_id: str, size: int) -> None:
    """Delete a person's discarded forms, oldest first, until a form of `size` bytes fits.

    Raises AutosaveLimitReached if it does not fit.
    """
    others = (Autosave.user_id == user_id) & (Autosave.form_id != form_id)
    stored_size = func.length(cast(Autosave.values, LargeBinary))
    query = select(Autosave.id, Autosave.discarded_at, stored_size).where(others)
    rows = session.execute(
        query.order_by(Autosave.discarded_at.is_(None), Autosave.discarded_at)
    ).all()
    count, total = len(rows) + 1, sum(row[2] for row in rows) + size
    surplus = []
    for row_id, discarded_at, row_size in rows:
        if discarded_at is None or (count <= MAX_AUTOSAVES and total <= MAX_BYTES):
            break
        surplus.append(row_id)
        count, total = count - 1, total - row_size
    if count > MAX_AUTOSAVES or total > MAX_BYTES:
        raise AutosaveLimitReached
    session.execute(delete(Autosave).where(Autosave.id.in_(surplus)))


def _select_forms(user_id: int, article_id: int | None) -> Select[Autosave]:
    """Return the query of a person's forms of a story (None: new stories), without their values."""
    is_own = (Autosave.user_id == user_id) & (Autosave.article_id.is_not_distinct_from(article_id))
    headline = with_expression(Autosave.headline, Autosave.values["headline"].as_string())
    return select(Autosave).where(is_own).options(defer(Autosave.values), headline)


def list_unsaved(user_id: int, article_id: int | None) -> Sequence[Autosave]:
    """Return a person's unsaved forms of a story (None: new stories), newest first."""
    query = _select_forms(user_id, article_id).where(Autosave.discarded_at.is_(None))
    return db.session.scalars(query.order_by(Autosave.saved_at.desc())).all()


def list_discarded(user_id: int, article_id: int | None) -> Sequence[Autosave]:
    """Return a person's discarded forms of a story (None: new stories), newest first.

    They can be restored for `DISCARDED_DAYS`.
    """
    since = datetime.now(UTC) - timedelta(days=DISCARDED_DAYS)
    query = _select_forms(user_id, article_id).where(Autosave.discarded_at > since)
    return db.session.scalars(query.order_by(Autosave.discarded_at.desc())).all()


def get(user_id: int, form_id: str) -> Autosave | None:
    """Return the autosave of a person's form."""
    return db.session.scalar(
        select(Autosave).where(Autosave.user_id == user_id, Autosave.form_id == form_id)
    )


def articles_with_unsaved_text(user_id: int) -> set[int]:
    """Return the ids of the stories for which a person has unsaved text."""
    is_own = (Autosave.user_id == user_id) & Autosave.article_id.is_not(None)
    query = select(Autosave.article_id).where(is_own, Autosave.discarded_at.is_(None))
    return {article_id for article_id in db.session.scalars(query) if article_id is not None}


def remove(user_id: int, form_id: str) -> None:
    """Delete the autosave of a form, after the form was saved."""
    with db.write() as session:
        session.execute(
            delete(Autosave).where(Autosave.user_id == user_id, Autosave.form_id == form_id)
        )


def discard(user_id: int, form_id: str) -> None:
    """Discard the autosave of a form; it can be restored for `DISCARDED_DAYS`."""
    _set_discarded(user_id, form_id, datetime.now(UTC))


def restore(user_id: int, form_id: str) -> None:
    """Undo `discard`; doing it twice does no harm."""
    _set_discarded(user_id, form_id, None)


def _set_discarded(user_id: int, form_id: str, at: datetime | None) -> None:
    is_own = (Autosave.user_id == user_id) & (Autosave.form_id == form_id)
    with db.write() as session:
        session.execute(update(Autosave).where(is_own).values(discarded_at=at))


def touch(user_id: int, article_id: int) -> None:
    """Record that a person has a story's form open now."""
    now = datetime.now(UTC)
    row = insert(Presence).values(article_id=article_id, user_id=user_id, seen_at=now)
    with db.write() as session:
        session.execute(
            row.on_conflict_do_update(
                index_elements=["article_id", "user_id"], set_={"seen_at": now}
            )
        )


def other_editors(article_id: int, user_id: int) -> Sequence[User]:
    """Return the other people who have a story's form open."""
    since = datetime.now(UTC) - timedelta(seconds=PRESENCE_SECONDS)
    is_present = (Presence.article_id == article_id) & (Presence.seen_at >= since)
    query = select(Presence).where(is_present, Presence.user_id != user_id)
    query = query.options(joinedload(Presence.user)).order_by(Presence.user_id)
    return [presence.user for presence in db.session.scalars(query)]


def create_link(article_id: int, by_id: int, days: int, nonce: str, token_hash: str) -> None:
    """Store a preview link that expires after `days` days, under the hash of its token.

    Raises AutosaveLimitReached if the story has too many active links.
    """
    now = datetime.now(UTC)
    with db.write() as session:
        active_count = select(func.count(PreviewLink.id)).where(
            PreviewLink.article_id == article_id, *_is_link_active()
        )
        if (session.scalar(active_count) or 0) >= MAX_LINKS:
            raise AutosaveLimitReached
        session.add(
            PreviewLink(
                article_id=article_id,
                token_hash=token_hash,
                nonce=nonce,
                made_by_id=by_id,
                made_at=now,
                expires_at=now + timedelta(days=days),
            )
        )


def list_active_links(article_id: int) -> Sequence[PreviewLink]:
    """Return a story's active preview links."""
    query = select(PreviewLink).where(PreviewLink.article_id == article_id, *_is_link_active())
    return db.session.scalars(
        query.options(joinedload(PreviewLink.made_by)).order_by(PreviewLink.id)
    ).all()


def article_id_by_link(token_hash: str) -> int | None:
    """Return the id of the story that a preview link shows.

    None if the link has expired or was revoked, or if its creator is disabled.
    """
    creator = select(User.id).where(User.id == PreviewLink.made_by_id, User.is_active)
    return db.session.scalar(
        select(PreviewLink.article_id).where(
            PreviewLink.token_hash == token_hash, creator.exists(), *_is_link_active()
        )
    )


def link_maker(token_hash: str) -> User | None:
    """Return the person who created a preview link."""
    return db.session.scalar(
        select(User).join(PreviewLink).where(PreviewLink.token_hash == token_hash)
    )


def revoke_link(article_id: int, link_id: int) -> None:
    """Revoke a story's preview link; doing it twice does no harm."""
    with db.write() as session:
        link = session.get(PreviewLink, link_id)
        if link is not None and link.article_id == article_id and link.revoked_at is None:
            link.revoked_at = datetime.now(UTC)


def _is_link_active() -> tuple[Any, ...]:
    return PreviewLink.revoked_at.is_(None), PreviewLink.expires_at > datetime.now(UTC)


def prune() -> None:
    """Delete old presence rows, links that expired long ago and text discarded 30 days ago.

    Unsaved text that nobody discarded is never deleted.
    """
    now = datetime.now(UTC)
    discarded_before = now - timedelta(days=DISCARDED_DAYS)
    with db.write() as session:
        session.execute(delete(Presence).where(Presence.seen_at < now - timedelta(hours=1)))
        session.execute(
            delete(PreviewLink).where(PreviewLink.expires_at < now - PREVIEW_LINK_RETENTION)
        )
        session.execute(delete(Autosave).where(Autosave.discarded_at < discarded_before))
