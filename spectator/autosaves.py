"""What people have in hand: autosaved forms, who has which story open, links to previews. None of it is a story."""

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

MAX_AUTOSAVES, MAX_BYTES = (
    200,
    20_000_000,
)  # of one person, discarded ones too; more than anybody writes at once
MAX_LINKS = 50  # to one story, that work at a time
PRESENCE_SECONDS = 20  # a form tells every 8 s that it is open; one that missed twice is closed
PREVIEW_LINK_DAYS = (1, 7, 30)
PREVIEW_LINK_RETENTION = timedelta(days=90)
DISCARDED_DAYS = 30  # how long discarded text can be brought back


class AutosaveLimitReached(Exception):
    """This person has so much unsaved text, or this story so many links, that no more is kept."""


def save(
    user_id: int, article_id: int | None, form_id: str, version: int, values: dict[str, str]
) -> datetime:
    """Store what is in a form, over what the same form held before; return when.

    The forms that were discarded first make room for it; raises TooMany where that is not enough.
    """
    now = datetime.now(UTC)
    with db.write() as session:
        mine = (Autosave.user_id == user_id) & (Autosave.form_id == form_id)
        _make_room(session, user_id, form_id, len(json.dumps(values)))
        row = session.scalar(select(Autosave).where(mine).options(defer(Autosave.values)))
        if row is None:
            row = Autosave(user_id=user_id, form_id=form_id)
            session.add(row)
        row.article_id, row.version, row.values, row.saved_at = article_id, version, values, now
        row.discarded_at = None  # somebody goes on typing in it
    return now


def _make_room(session: Session, user_id: int, copy: str, size: int) -> None:
    """Delete a person's discarded forms, the oldest first, until one more of `size` bytes fits; raises TooMany."""
    others = (Autosave.user_id == user_id) & (Autosave.form_id != copy)
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


def _listed(user_id: int, article_id: int | None) -> Select[Autosave]:
    """Return the query of a person's forms of a story, of new stories for None, without what they hold."""
    mine = (Autosave.user_id == user_id) & (Autosave.article_id.is_not_distinct_from(article_id))
    headline = with_expression(Autosave.headline, Autosave.values["headline"].as_string())
    return select(Autosave).where(mine).options(defer(Autosave.values), headline)


def list_unsaved(user_id: int, article_id: int | None) -> Sequence[Autosave]:
    """Return a person's unsaved forms of a story, of new stories for None, newest first."""
    query = _listed(user_id, article_id).where(Autosave.discarded_at.is_(None))
    return db.session.scalars(query.order_by(Autosave.saved_at.desc())).all()


def list_discarded(user_id: int, article_id: int | None) -> Sequence[Autosave]:
    """Return the discarded forms of a person that can be brought back, of new stories for None, the latest first."""
    since = datetime.now(UTC) - timedelta(days=DISCARDED_DAYS)
    query = _listed(user_id, article_id).where(Autosave.discarded_at > since)
    return db.session.scalars(query.order_by(Autosave.discarded_at.desc())).all()


def get(user_id: int, form_id: str) -> Autosave | None:
    """Return what one opened form of a person holds unsaved."""
    return db.session.scalar(
        select(Autosave).where(Autosave.user_id == user_id, Autosave.form_id == form_id)
    )


def articles_with_unsaved_text(user_id: int) -> set[int]:
    """Return the ids of the stories of which a person has unsaved text."""
    mine = (Autosave.user_id == user_id) & Autosave.article_id.is_not(None)
    found = select(Autosave.article_id).where(mine, Autosave.discarded_at.is_(None))
    return {each for each in db.session.scalars(found) if each is not None}


def remove(user_id: int, form_id: str) -> None:
    """Delete what one opened form of a person holds, because it was saved."""
    with db.write() as session:
        session.execute(
            delete(Autosave).where(Autosave.user_id == user_id, Autosave.form_id == form_id)
        )


def discard(user_id: int, form_id: str) -> None:
    """Set aside what one opened form of a person holds; it can be brought back for `DISCARDED_DAYS`."""
    _set_discarded(user_id, form_id, datetime.now(UTC))


def restore(user_id: int, form_id: str) -> None:
    """Undo `discard`; doing it twice does no harm."""
    _set_discarded(user_id, form_id, None)


def _set_discarded(user_id: int, form_id: str, at: datetime | None) -> None:
    mine = (Autosave.user_id == user_id) & (Autosave.form_id == form_id)
    with db.write() as session:
        session.execute(update(Autosave).where(mine).values(discarded_at=at))


def touch(user_id: int, article_id: int) -> None:
    """Note that somebody has a story's form open now."""
    now = datetime.now(UTC)
    row = insert(Presence).values(article_id=article_id, user_id=user_id, seen_at=now)
    with db.write() as session:
        session.execute(
            row.on_conflict_do_update(
                index_elements=["article_id", "user_id"], set_={"seen_at": now}
            )
        )


def other_editors(article_id: int, user_id: int) -> Sequence[User]:
    """Return who else has a story's form open."""
    since = datetime.now(UTC) - timedelta(seconds=PRESENCE_SECONDS)
    here = (
        (Presence.article_id == article_id)
        & (Presence.seen_at >= since)
        & (Presence.user_id != user_id)
    )
    found = (
        select(Presence).where(here).options(joinedload(Presence.user)).order_by(Presence.user_id)
    )
    return [each.user for each in db.session.scalars(found)]


def create_link(article_id: int, by_id: int, days: int, nonce: str, token_hash: str) -> None:
    """Store a link to a story's preview that works for `days` days, under the hash of its token; raises TooMany."""
    now = datetime.now(UTC)
    with db.write() as session:
        working = select(func.count(PreviewLink.id)).where(
            PreviewLink.article_id == article_id, *_is_link_active()
        )
        if (session.scalar(working) or 0) >= MAX_LINKS:
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
    """Return the links to a story's preview that work now."""
    query = select(PreviewLink).where(PreviewLink.article_id == article_id, *_is_link_active())
    return db.session.scalars(
        query.options(joinedload(PreviewLink.made_by)).order_by(PreviewLink.id)
    ).all()


def article_id_by_link(token_hash: str) -> int | None:
    """Return the story that a link leads to; None if it expired, was revoked or its maker may not log in."""
    maker = select(User.id).where(User.id == PreviewLink.made_by_id, User.is_active)
    return db.session.scalar(
        select(PreviewLink.article_id).where(
            PreviewLink.token_hash == token_hash, maker.exists(), *_is_link_active()
        )
    )


def link_maker(token_hash: str) -> User | None:
    """Return the person who made a link."""
    return db.session.scalar(
        select(User).join(PreviewLink).where(PreviewLink.token_hash == token_hash)
    )


def revoke_link(article_id: int, link_id: int) -> None:
    """End a link to a story's preview; doing it twice does no harm."""
    with db.write() as session:
        link = session.get(PreviewLink, link_id)
        if link is not None and link.article_id == article_id and link.revoked_at is None:
            link.revoked_at = datetime.now(UTC)


def _is_link_active() -> tuple[Any, ...]:
    return PreviewLink.revoked_at.is_(None), PreviewLink.expires_at > datetime.now(UTC)


def prune() -> None:
    """Delete signs of presence of an hour ago, links that ended long ago, and text discarded 30 days ago.

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
