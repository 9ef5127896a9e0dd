"""Notes to readers of stories that have some: changed and removed, each by a form of its own."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from spectator import publishing
from spectator.newsroom import forms
from spectator.newsroom.guard import current_user
from spectator.newsroom.stories import ONE, editable_story, form_page

NOTE = ONE + "/notes/<int(max=2147483647):note_id>"
Answer = Response | tuple[str, int]


def register(newsroom: Blueprint) -> None:
    """Add the forms of single notes."""
    newsroom.add_url_rule(NOTE, "edit_note", edit_note, methods=["POST"])
    newsroom.add_url_rule(NOTE + "/remove", "remove_note", remove_note, methods=["POST"])


def edit_note(article_id: int, note_id: int) -> Answer:
    """Change the words or the kind of a note; a wrong entry comes back beside its message."""
    kind, text = request.form.get("note_kind", ""), request.form.get("note_text", "")
    try:
        publishing.edit_note(article_id, current_user(), note_id, kind, text, _seen_text())
    except publishing.Invalid as invalid:
        article = editable_story(article_id)
        wrong = {"id": note_id, "kind": kind, "text": text, "message": " ".join(invalid.errors.values())}
        return form_page(forms.of_article(article), article, wrong_note=wrong), 422
    except publishing.Conflict:
        return _show_conflict(text)
    return _go_back(article_id, "edit_note")


def remove_note(article_id: int, note_id: int) -> Answer:
    """Take a note off the story; the history keeps it."""
    try:
        publishing.remove_note(article_id, current_user(), note_id, _seen_text())
    except publishing.Conflict:
        return _show_conflict("")
    return _go_back(article_id, "remove_note")


def _seen_text() -> str:
    return request.form.get("note_seen", "")


def _show_conflict(text: str) -> tuple[str, int]:
    title, message = "A colleague has changed this note", "Nothing was saved. Go back to the story and look again."
    return render_template("newsroom/refused.html", title=title, message=message, kept=text), 409


def _go_back(article_id: int, done: str) -> Response:
    return redirect(url_for("newsroom.edit_story", article_id=article_id, done=done), 303)
