"""Notes to readers: their validation, and how revisions store them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from spectator.models import NOTE_KINDS, Article
from spectator.publishing.drafts import ValidationError, clean_line

MAX_NOTE_LENGTH = 2000
TOO_LONG = f"Use at most {MAX_NOTE_LENGTH:,} characters."
CHOOSE_KIND = "Choose Update, Clarification or Correction."


def check_note(kind: str, text: str) -> str:
    """Return the text of a note as one line.

    Raises ValidationError for an unknown kind and for an empty or too long text.
    """
    if kind not in NOTE_KINDS:
        raise ValidationError({"note_kind": CHOOSE_KIND})
    if len(text) > MAX_NOTE_LENGTH:
        raise ValidationError({"note": TOO_LONG})
    line = clean_line(text)
    if not line:
        raise ValidationError({"note": f"Describe the {kind}."})
    return line


def serialize_article_notes(article: Article) -> list[dict[str, Any]]:
    """Return a story's notes as a revision stores them, oldest first."""
    return serialize_notes(article.corrections)


def serialize_notes(notes: Iterable[Any]) -> list[dict[str, Any]]:
    """Return notes as a revision stores them, in the same order."""
    return [
        {"kind": note.kind, "text": note.text, "made_at": f"{note.made_at:%Y-%m-%dT%H:%M:%SZ}"}
        for note in notes
    ]
