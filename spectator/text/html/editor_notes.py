"""Notes to editors in a story's text: what an import could not convert. Readers never get them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from spectator.text.html.tokenizer import Tag

# A custom element, so that no HTML from elsewhere has it. It stays in stored bodies, and
# `embeds.render_body` and `sanitizer.plain_text`, the only ways to readers, leave it out.
EDITOR_NOTE = "editor-note"


def editor_note(text: str) -> str:
    """Return the HTML of a note with this plain text, for the inside of a paragraph."""
    line = " ".join(text.split())
    return f"<{EDITOR_NOTE}>{escape(line, quote=False)}</{EDITOR_NOTE}>" if line else ""


def without_notes(tokens: Iterable[str | Tag]) -> Iterator[str | Tag]:
    """Yield the tokens of HTML that are outside of notes.

    A note that is never closed ends with the text: stored bodies are well-formed, so it was cut.
    """
    depth = 0
    for token in tokens:
        if isinstance(token, Tag) and token.name == EDITOR_NOTE:
            depth = max(0, depth - 1) if token.is_end else depth + 1
        elif not depth:
            yield token
