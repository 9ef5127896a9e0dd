"""Views for unsaved text: autosave it, preview it, discard it, bring it back."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from spectator import autosaves, publishing, queries
from spectator.i18n import gettext, lazy_gettext
from spectator.models import Article, Autosave, User
from spectator.newsroom import bp, forms, locked_stories, previews
from spectator.newsroom.errors import render_error, render_refusal
from spectator.newsroom.locked_stories import is_locked_for
from spectator.newsroom.preferences import current_zone
from spectator.newsroom.security import current_user, large_form
from spectator.newsroom.story_loader import STORY_FRAGMENT_RULE, STORY_RULE
from spectator.text.words.numbers import parse_int

TOO_MUCH_UNSAVED = lazy_gettext(
    "You have too much unsaved text. Save or discard some: the list of stories shows where it is."
)


class AutosaveError(Exception):
    """Unsaved text that the server cannot keep; the message says why."""


def save_autosave(
    user: User, article_id: int | None, article: Article | None, values: dict[str, str]
) -> Autosave:
    """Store the values of a form apart from its story and return the row; raises AutosaveError."""
    form_id = values[forms.FORM_ID_FIELD]
    if forms.is_too_long(values):
        raise AutosaveError(gettext("Not saved: one field is too long."))
    may_store = article is not None and (
        publishing.may_edit(user, article) or is_locked_for(article, user)
    )
    if article_id is not None and not may_store:
        raise AutosaveError(gettext("Not saved: you cannot change this story any more."))
    try:
        autosaves.save(user.id, article_id, form_id, forms.parse_version(request.form), values)
    except autosaves.AutosaveLimitReached as error:
        raise AutosaveError(
            gettext(
                "Not saved: you have too much unsaved text. "
                "Save or discard some: the list of stories shows where it is."
            )
        ) from error
    row = autosaves.get(user.id, form_id)
    if row is None:
        raise AutosaveError(
            gettext("Not saved: the text was saved or discarded in another window.")
        )
    return row


@bp.post(STORY_FRAGMENT_RULE + "/autosave")
@bp.post("/fragments/stories/new/autosave", endpoint="autosave_new")
@large_form
def autosave(article_id: int | None = None) -> str:
    """Autosave the form, and show the time and the transfer size of the story's page."""
    user, seq = current_user(), request.form.get("seq", "")[:10]
    article = queries.article_to_edit(article_id) if article_id is not None else None
    try:
        row = save_autosave(user, article_id, article, forms.autosaved_values(user))
    except AutosaveError as error:
        advice = gettext("Your text is kept on this device.")
        return render_refusal(f"{error} {advice}", seq)
    unsaved = previews.article_from_form(forms.form_from_autosave(row, user), article)
    return render_template(
        "newsroom/_autosave_status.html",
        seq=seq,
        weight=previews.describe_page_weight(unsaved),
        article=article,
        **_autosave_outcome(row, article, user),
    )


def _autosave_outcome(row: Autosave, article: Article | None, user: User) -> dict[str, object]:
    """Return whether the story can still be saved, or where its unsaved text is now."""
    if article is None or not is_locked_for(article, user):
        return {"outcome": "saved", "at": row.saved_at, "zone": current_zone()}
    return {
        "outcome": "locked",
        "message": locked_stories.describe_status_change(article),
        "address": url_for("newsroom.unsaved_text", article_id=article.id),
    }


@bp.post(STORY_RULE + "/proof")
@bp.post("/stories/new/proof", endpoint="proof_unsaved_new")
@large_form
def proof_unsaved(article_id: int | None = None) -> Response | tuple[str, int]:
    """Store the form as unsaved text and redirect to its preview in both frames."""
    user, form = current_user(), forms.form_from_request(current_user())
    article = queries.article_to_edit(article_id) if article_id is not None else None
    values = form.values | {"picture_id": forms.form_picture_token(form, user)}
    try:
        save_autosave(user, article_id, article, values)
    except AutosaveError as error:
        advice = gettext("Close this tab; your text is still in the form.")
        return render_error(422, gettext("Preview not available"), f"{error} {advice}")
    if article_id is None:
        return redirect(url_for("newsroom.proof_new", copy=form.form_id), 303)
    return redirect(url_for("newsroom.proof", article_id=article_id, copy=form.form_id), 303)


@bp.post("/stories/discard")
def discard() -> Response:
    """Discard the unsaved text of one form and offer to bring it back."""
    form_id = forms.requested_form_id(request.form)
    autosaves.discard(current_user().id, form_id)
    return _redirect_to_story("discarded", discarded=form_id)


@bp.post("/stories/bring_back")
def bring_back() -> Response:
    """Restore discarded text and show it beside its story or in the list of stories."""
    autosaves.restore(current_user().id, forms.requested_form_id(request.form))
    return _redirect_to_story("brought-back")


def _redirect_to_story(action: str, **query: Any) -> Response:
    """Redirect to the story's form, or to the list of stories if the story is new."""
    article_id = parse_int(request.form.get("story", ""))
    if not article_id:
        return redirect(url_for("newsroom.stories", done=action, **query), 303)
    return redirect(
        url_for("newsroom.edit_story", article_id=article_id, done=action, **query), 303
    )
