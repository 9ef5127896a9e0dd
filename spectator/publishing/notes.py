"""Changes of published notes to readers."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from spectator import outbox
from spectator.db import db
from spectator.models import Article, ReaderNote, User
from spectator.publishing.permissions import (
    ConflictError,
    NotFoundError,
    load_article,
    require_permission,
)
from spectator.publishing.revisions import add_revision
from spectator.publishing.validation import check_note


def edit_note(
    article_id: int,
    by: User,
    note_id: int,
    kind: str,
    text: str,
    original_text: str,
    original_kind: str = "",
) -> None:
    """Change a note to readers without changing its date.

    `original_text` and `original_kind` are those that the person started from; "" stands for any
    kind. Raises ValidationError, ConflictError, ForbiddenError and NotFoundError.
    """
    text = check_note(kind, text)
    with db.write() as session:
        article, note = _load_note(session, article_id, by, "edit_note", note_id, original_text)
        if original_kind not in ("", note.kind):
            raise ConflictError
        if (note.kind, note.text) != (kind, text):
            note.kind, note.text = kind, text
            _add_note_revision(session, article, by, "edit_note", text)


def remove_note(article_id: int, by: User, note_id: int, original_text: str) -> None:
    """Remove a note to readers from a story; the history keeps it.

    Raises ConflictError, ForbiddenError and NotFoundError.
    """
    with db.write() as session:
        article, note = _load_note(session, article_id, by, "remove_note", note_id, original_text)
        article.notes.remove(note)
        _add_note_revision(session, article, by, "remove_note", note.text)


def _load_note(
    session: Session, article_id: int, by: User, action: str, note_id: int, original_text: str
) -> tuple[Article, ReaderNote]:
    article = load_article(session, article_id, by)
    require_permission(by, action, article)
    note = next((note for note in article.notes if note.id == note_id), None)
    if note is None:
        raise NotFoundError
    if note.text != original_text:
        raise ConflictError
    return article, note


def _add_note_revision(
    session: Session, article: Article, by: User, action: str, text: str
) -> None:
    if article.is_public:
        outbox.append(session, article.id, "update")
    add_revision(session, article, action, None, by.id, datetime.now(UTC), text)
