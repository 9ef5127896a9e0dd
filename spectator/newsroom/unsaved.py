"""Text that was typed and not saved: keep it, discard it, bring it back."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from spectator import drafting, publishing, queries
from spectator.models import Article, Autosave, User
from spectator.newsroom import forms
from spectator.newsroom.guard import current_user
from spectator.newsroom.moved_stories import has_moved_on
from spectator.newsroom.previews import ONE

TOO_MUCH_UNSAVED = "have too much unsaved text. Save or discard some: the list of stories shows where it is."


class AutosaveRefused(Exception):
    """What was typed cannot be kept on the server; the message says why."""


def register(newsroom: Blueprint) -> None:
    """Add the buttons beside unsaved text, and the preview of what is in a form."""
    newsroom.add_url_rule(ONE + "/proof", "proof_typed", proof_typed, methods=["POST"])
    newsroom.add_url_rule("/stories/new/proof", "proof_typed_new", proof_typed, methods=["POST"])
    newsroom.add_url_rule("/stories/discard", "discard", discard, methods=["POST"])
    newsroom.add_url_rule("/stories/bring_back", "bring_back", bring_back, methods=["POST"])


def keep_typed(user: User, article_id: int | None, article: Article | None, values: dict[str, str]) -> Autosave:
    """Store the entries of a form apart from its story, and return the row; raises AutosaveRefused."""
    if forms.is_too_long(values):
        raise AutosaveRefused("an entry is too long.")
    is_theirs = article is not None and (publishing.may_edit(user, article) or has_moved_on(article, user))
    if article_id is not None and not is_theirs:
        raise AutosaveRefused("you cannot change this story any more.")
    try:
        drafting.keep(user.id, article_id, values["copy"], forms.version_in(request.form), values)
    except drafting.TooMany as error:
        raise AutosaveRefused(f"you {TOO_MUCH_UNSAVED}") from error
    row = drafting.kept_copy(user.id, values["copy"])
    if row is None:
        raise AutosaveRefused("the text was saved or discarded in another window.")
    return row


def proof_typed(article_id: int | None = None) -> Response | tuple[str, int]:
    """Keep what is in the form as unsaved text, and lead to its preview in both frames."""
    user, form = current_user(), forms.posted(current_user())
    article = queries.article_to_edit(article_id) if article_id is not None else None
    values = form.values | {"picture_id": forms.token_of_picture(form, user)}
    try:
        keep_typed(user, article_id, article, values)
    except AutosaveRefused as refused:
        message = f"Not saved: {refused} Close this tab; your text is still in the form."
        return render_template("newsroom/refused.html", title="No preview", message=message), 422
    copy = form.values["copy"]
    if article_id is None:
        return redirect(url_for("newsroom.proof_new", copy=copy), 303)
    return redirect(url_for("newsroom.proof", article_id=article_id, copy=copy), 303)


def discard() -> Response:
    """Set aside what was typed into one form and not saved, and offer to bring it back."""
    copy = request.form.get("copy", "")[:40]
    drafting.discard(current_user().id, copy)
    return _to_story("discarded", discarded=copy)


def bring_back() -> Response:
    """Bring back what was discarded, and show it beside its story or in the list of unsaved stories."""
    drafting.bring_back(current_user().id, request.form.get("copy", "")[:40])
    return _to_story("brought-back")


def _to_story(done: str, **told: Any) -> Response:
    """Lead to the form of the story that was named, to the list of stories where it is a new one."""
    story = request.form.get("story", "")
    if not re.fullmatch(r"[0-9]{1,9}", story, re.ASCII):
        return redirect(url_for("newsroom.stories", done=done, **told), 303)
    return redirect(url_for("newsroom.edit_story", article_id=int(story), done=done, **told), 303)
