"""Editing and removing notes to readers, each in a form of its own."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from spectator import publishing
from spectator.i18n import gettext
from spectator.newsroom import bp, forms
from spectator.newsroom.security import current_user
from spectator.newsroom.stories import render_form
from spectator.newsroom.story_loader import STORY_RULE, load_story

NOTE_RULE = STORY_RULE + "/notes/<int(max=2147483647):note_id>"
ViewResponse = Response | tuple[str, int]


@bp.post(NOTE_RULE)
def edit_note(article_id: int, note_id: int) -> ViewResponse:
    """Change the text or the kind of a note; show an invalid one again with its error."""
    kind, text = request.form.get("note_kind", ""), request.form.get("note_text", "")
    try:
        originals = _original_text(), request.form.get("note_original_kind", "")
        publishing.edit_note(article_id, current_user(), note_id, kind, text, *originals)
    except publishing.ValidationError as invalid:
        note = {"id": note_id, "kind": kind, "text": text}
        return _render_invalid(article_id, note | {"message": " ".join(invalid.errors.values())})
    except publishing.ConflictError:
        return _render_conflict(text)
    return _redirect_to_story(article_id, "edit_note")


@bp.post(NOTE_RULE + "/remove")
def remove_note(article_id: int, note_id: int) -> ViewResponse:
    """Remove a note from the story; it stays in the history."""
    try:
        publishing.remove_note(article_id, current_user(), note_id, _original_text())
    except publishing.ConflictError:
        return _render_conflict("")
    return _redirect_to_story(article_id, "remove_note")


def _original_text() -> str:
    former_name = request.form.get("note_seen", "")  # in pages opened before an upgrade
    return request.form.get("note_original", former_name)


def _render_invalid(article_id: int, note: dict[str, object]) -> tuple[str, int]:
    article = load_story(article_id, "edit")
    return render_form(forms.form_from_article(article), article, invalid_note=note), 422


def _render_conflict(text: str) -> tuple[str, int]:
    title, message = (
        gettext("A colleague has changed this note"),
        gettext("Nothing was saved. Go back to the story and check it again."),
    )
    return render_template(
        "newsroom/error.html", title=title, message=message, unsaved_text=text
    ), 409


def _redirect_to_story(article_id: int, action: str) -> Response:
    return redirect(url_for("newsroom.edit_story", article_id=article_id, done=action), 303)
