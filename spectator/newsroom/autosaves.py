"""Text that was typed and not saved: keep it, discard it, bring it back."""

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
    """What was typed cannot be kept on the server; the message says why."""


def register(newsroom: Blueprint) -> None:
    """Add the buttons beside unsaved text, and the preview of what is in a form."""
    newsroom.add_url_rule(STORY_RULE + "/proof", "proof_typed", proof_unsaved, methods=["POST"])
    newsroom.add_url_rule("/stories/new/proof", "proof_typed_new", proof_unsaved, methods=["POST"])
    newsroom.add_url_rule("/stories/discard", "discard", discard, methods=["POST"])
    newsroom.add_url_rule("/stories/bring_back", "bring_back", bring_back, methods=["POST"])


def save_autosave(
    user: User, article_id: int | None, article: Article | None, values: dict[str, str]
) -> Autosave:
    """Store the entries of a form apart from its story, and return the row; raises AutosaveRefused."""
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
    """Keep what is in the form as unsaved text, and lead to its preview in both frames."""
    user, form = current_user(), forms.form_from_request(current_user())
    article = queries.article_to_edit(article_id) if article_id is not None else None
    values = form.values | {"picture_id": forms.form_picture_token(form, user)}
    try:
        save_autosave(user, article_id, article, values)
    except AutosaveError as refused:
        message = f"Not saved: {refused} Close this tab; your text is still in the form."
        return render_template(
            "newsroom/refused.html", title="Preview not available", message=message
        ), 422
    copy = form.values["copy"]
    if article_id is None:
        return redirect(url_for("newsroom.proof_new", copy=copy), 303)
    return redirect(url_for("newsroom.proof", article_id=article_id, copy=copy), 303)


def discard() -> Response:
    """Set aside what was typed into one form and not saved, and offer to bring it back."""
    copy = request.form.get("copy", "")[:40]
    autosaves.discard(current_user().id, copy)
    return _redirect_to_story("discarded", discarded=copy)


def bring_back() -> Response:
    """Bring back what was discarded, and show it beside its story or in the list of unsaved stories."""
    autosaves.restore(current_user().id, request.form.get("copy", "")[:40])
    return _redirect_to_story("brought-back")


def _redirect_to_story(notice: str, **query: Any) -> Response:
    """Lead to the form of the story that was named, to the list of stories where it is a new one."""
    story = request.form.get("story", "")
    if not re.fullmatch(r"[0-9]{1,9}", story, re.ASCII):
        return redirect(url_for("newsroom.stories", done=notice, **query), 303)
    return redirect(
        url_for("newsroom.edit_story", article_id=int(story), done=notice, **query), 303
    )
