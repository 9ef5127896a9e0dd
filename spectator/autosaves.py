"""Unsaved text: autosaved forms, stored apart from their stories."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Select, delete, select, update
from sqlalchemy.orm import Session, defer, with_expression

from spectator.db import db
from spectator.db.clock import current_time
from spectator.db.functions import byte_length
from spectator.models import Autosave, Consumer

# Limits for one person, including discarded forms; nobody writes that much at once.
MAX_AUTOSAVES, MAX_BYTES = 200, 20_000_000
DISCARDED_DAYS = 30  # how long discarded text can be brought back
# A clock that advances by more days between two prunes may be wrong, or was before.
MAX_CLOCK_STEP_DAYS = 3
LAST_PRUNE = "autosaves-pruned"  # a row of models.Consumer: the day of the last prune


class AutosaveLimitReached(Exception):
    """The person has too much unsaved text."""


def save(
    user_id: int, article_id: int | None, form_id: str, version: int, values: dict[str, str]
) -> datetime:
    """Store the values of a form, replacing its previous ones; return the time.

    Deletes the oldest discarded forms if the person's limit requires it, and raises
    AutosaveLimitReached if that is not enough.
    """
    now = current_time()
    with db.write() as session:
        is_own = (Autosave.user_id == user_id) & (Autosave.form_id == form_id)
        _delete_surplus(session, user_id, form_id, len(json.dumps(values)))
        row = session.scalar(select(Autosave).where(is_own).options(defer(Autosave.values)))
        if row is None:
            row = Autosave(user_id=user_id, form_id=form_id)
            session.add(row)
        row.article_id, row.version, row.values, row.saved_at = article_id, version, values, now
        row.discarded_at = None  # the person continues to write in a discarded form
    return now


def _delete_surplus(session: Session, user_id: int, form_id: str, size: int) -> None:
    """Delete a person's discarded forms, oldest first, until a form of `size` bytes fits.

    Raises AutosaveLimitReached if it does not fit.
    """
    others = (Autosave.user_id == user_id) & (Autosave.form_id != form_id)
    stored_size = byte_length(Autosave.values)
    query = select(Autosave.id, Autosave.discarded_at, stored_size).where(others)
    rows = session.execute(
        query.order_by(Autosave.discarded_at.is_(None), Autosave.discarded_at)
    ).all()
    count, total = len(rows) + 1, sum(row_size for *_, row_size in rows) + size
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
    is_own = (Autosave.user_id == user_id) & (
        Autosave.article_id.is_not_distinct_from(article_id)
    )
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
    since = current_time() - timedelta(days=DISCARDED_DAYS)
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
    _set_discarded(user_id, form_id, current_time())


def restore(user_id: int, form_id: str) -> None:
    """Undo `discard`; doing it twice does no harm."""
    _set_discarded(user_id, form_id, None)


def _set_discarded(user_id: int, form_id: str, at: datetime | None) -> None:
    is_own = (Autosave.user_id == user_id) & (Autosave.form_id == form_id)
    with db.write() as session:
        session.execute(update(Autosave).where(is_own).values(discarded_at=at))


def prune() -> None:
    """Delete text that was discarded 30 days ago; unsaved text is never deleted.

    After a jump of the clock, text that seems to be that old, or from the future, is kept for
    another 30 days: it may have been discarded yesterday.
    """
    now = current_time()
    day, discarded_before = now.date().toordinal(), now - timedelta(days=DISCARDED_DAYS)
    with db.write() as session:
        last = session.get(Consumer, LAST_PRUNE)
        if last is None or not 0 <= day - last.offset <= MAX_CLOCK_STEP_DAYS:
            is_implausible = ~Autosave.discarded_at.between(discarded_before, now)
            session.execute(update(Autosave).where(is_implausible).values(discarded_at=now))
        session.merge(Consumer(name=LAST_PRUNE, offset=day))
        session.execute(delete(Autosave).where(Autosave.discarded_at < discarded_before))
