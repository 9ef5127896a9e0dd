"""The rules for notes to readers."""

from __future__ import annotations

from spectator.models import NOTE_KINDS
from spectator.publishing.validation import ValidationError, clean_line

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
