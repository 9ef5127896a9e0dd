"""Views for unsaved text: preview it, discard it, bring it back."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from spectator import autosaves, publishing, queries
from spectator.models import Article, Autosave, User
from spectator.newsroom import forms
from spectator.newsroom.locked_stories import is_locked_for
from spectator.newsroom.previews import STORY_RULE
from spectator.newsroom.security import current_user

TOO_MUCH_UNSAVED = (
    "have too much unsaved text. Save or discard some: the list of stories shows where it is."
)


class AutosaveError(Exception):
    """Unsaved text that the server cannot keep; the message says why."""


def register(newsroom: Blueprint) -> None:
    """Add the routes for discarding, restoring and previewing unsaved text."""
    newsroom.add_url_rule(STORY_RULE + "/proof", "proof_unsaved", proof_unsaved, methods=["POST"])
    newsroom.add_url_rule(
        "/stories/new/proof", "proof_unsaved_new", proof_unsaved, methods=["POST"]
    )
    newsroom.add_url_rule("/stories/discard", "discard", discard, methods=["POST"])
    newsroom.add_url_rule("/stories/bring_back", "bring_back", bring_back, methods=["POST"])


def save_autosave(
    user: User, article_id: int | None, article: Article | None, values: dict[str, str]
) -> Autosave:
    """Store the values of a form apart from its story and return the row; raises AutosaveError."""
    if forms.is_too_long(values):
        raise AutosaveError("one field is too long.")
    is_theirs = article is not None and (
        publishing.may_edit(user, article) or is_locked_for(article, user)
    )
    if article_id is not None and not is_theirs:
        raise AutosaveError("you cannot change this story any more.")
    try:
        autosaves.save(
            user.id, article_id, values["copy"], forms.parse_version(request.form), values
        )
    except autosaves.AutosaveLimitReached as error:
        raise AutosaveError(f"you {TOO_MUCH_UNSAVED}") from error
    row = autosaves.get(user.id, values["copy"])
    if row is None:
        raise AutosaveError("the text was saved or discarded in another window.")
    return row


def proof_unsaved(article_id: int | None = None) -> Response | tuple[str, int]:
    """Store the form as unsaved text and redirect to its preview in both frames."""
    user, form = current_user(), forms.form_from_request(current_user())
    article = queries.article_to_edit(article_id) if article_id is not None else None
    values = form.values | {"picture_id": forms.form_picture_token(form, user)}
    try:
        save_autosave(user, article_id, article, values)
    except AutosaveError as error:
        message = f"Not saved: {error} Close this tab; your text is still in the form."
        return render_template(
            "newsroom/error.html", title="Preview not available", message=message
        ), 422
    form_id = form.values["copy"]
    if article_id is None:
        return redirect(url_for("newsroom.proof_new", copy=form_id), 303)
    return redirect(url_for("newsroom.proof", article_id=article_id, copy=form_id), 303)


def discard() -> Response:
    """Discard the unsaved text of one form and offer to bring it back."""
    form_id = request.form.get("copy", "")[:40]
    autosaves.discard(current_user().id, form_id)
    return _redirect_to_story("discarded", discarded=form_id)


def bring_back() -> Response:
    """Restore discarded text and show it beside its story or in the list of stories."""
    autosaves.restore(current_user().id, request.form.get("copy", "")[:40])
    return _redirect_to_story("brought-back")


def _redirect_to_story(notice: str, **query: Any) -> Response:
    """Redirect to the story's form, or to the list of stories if the story is new."""
    story = request.form.get("story", "")
    if not re.fullmatch(r"[0-9]{1,9}", story, re.ASCII):
        return redirect(url_for("newsroom.stories", done=notice, **query), 303)
    return redirect(
        url_for("newsroom.edit_story", article_id=int(story), done=notice, **query), 303
    )
