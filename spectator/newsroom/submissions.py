"""Saving of a submitted story form: the pressed button, its action, and questions before a save."""

from __future__ import annotations

from typing import Protocol

from flask import request

from spectator import publishing
from spectator.i18n import gettext, lazy_gettext
from spectator.models import Article, User
from spectator.newsroom import spellings
from spectator.newsroom.element_names import describe_losses
from spectator.newsroom.forms import DATED_STATUSES, StoryForm, publication_time
from spectator.newsroom.language_check import describe_language_mismatch, find_language_mismatch
from spectator.publishing import ACTIONS, Action, Draft, PreparedDraft, ValidationError
from spectator.publishing.validation import size_errors
from spectator.text.compare.loss_guard import Losses, find_losses, restore_lost_blocks
from spectator.text.html.paragraphs import editable_body

TOO_MANY_COPIES = lazy_gettext(
    "You have stored long texts again many times without sending them. Try again in an hour."
)
FORM_ACTIONS = {name for name, rule in ACTIONS.items() if rule.is_in_form}


class FormWithLosses(Protocol):
    """A form whose text may lose tables, embeds or the like."""

    values: dict[str, str]
    losses: Losses | None


def requested_action() -> str:
    """Return the action of the pressed button, or the one that waited for an answer."""
    action = _pressed_button()
    return action if action in FORM_ACTIONS else "save"


def is_keep_requested() -> bool:
    """Return whether only to autosave the form, without saving the story.

    "keep" is the hidden button that Enter presses on a public story (_implicit_save.html).
    """
    return _pressed_button() == "keep"


def _pressed_button() -> str:
    # A page with a question has the action that waits for the answer in "then".
    return request.form.get("do") or request.form.get("then", "")


def save(form: StoryForm, by: User, article: Article | None) -> int:
    """Save the story, apply the action of the pressed button and return the story's id.

    Raises publishing's ValidationError, ConflictError, ForbiddenError, NotFoundError,
    DuplicateSubmission.
    """
    draft, action = form.draft(), _build_action(form, by, article)
    if errors := size_errors(draft):
        raise ValidationError(form.errors | errors)
    form.language_mismatch = find_language_mismatch(draft, article)
    # The checkbox "Keep English" has the mismatch as its value, so it confirms no other one.
    if form.language_mismatch and form.language_mismatch != request.form.get("language_kept"):
        form.errors["language"] = describe_language_mismatch(form.language_mismatch)
    # Errors found so far are shown first: `_prepare` raises them.
    if article is not None and article.version != form.version and not form.errors:
        raise publishing.ConflictError
    prepared = _prepare(form, draft)
    answers = spellings.parse_answers(request.form)
    try:
        if article is None:
            return publishing.create(prepared, by, action, form.form_id, answers)
        ask_about_losses(form, article.body, prepared.draft.body)
        publishing.save(
            article.id,
            prepared,
            by,
            form.version,
            action,
            answers,
            copies_text=form.copies_text,
        )
    except publishing.CopyLimitReached as reached:  # by a merge; the form keeps what was sent
        raise ValidationError({"body": str(TOO_MANY_COPIES)}) from reached
    except publishing.SimilarNamesError as similar:
        form.spelling_questions = similar.questions
        raise
    return article.id


def _build_action(form: StoryForm, by: User, article: Article | None) -> Action:
    name, values = requested_action(), form.values
    has_time = publishing.is_publisher(by) and (
        article is None or article.status in DATED_STATUSES
    )
    at = publication_time(form) if has_time and not _is_date_unchanged(form, article) else None
    if ACTIONS[name].message == "note":
        return Action(
            name,
            at,
            values["note"],
            has_time=has_time,
            note_kind=values["note_kind"],
            is_minor=bool(values["is_minor"]),
        )
    plan = request.form.get("plan", "")
    if name == "publish" and plan == "now":
        at = None
    return Action(name, at, values["remark"], has_time=has_time, is_backdated=plan == "date")


def _is_date_unchanged(form: StoryForm, article: Article | None) -> bool:
    """Return whether the date of a public story was left unchanged in the form."""
    is_public = article is not None and article.is_public
    return is_public and form.values["published_at"].strip() == form.values["published_at_was"]


def ask_about_losses(form: FormWithLosses, old_body: str, new_body: str) -> None:
    """Raise ValidationError with a question if a save would remove tables, embeds or the like.

    The answer "remove" counts only for the losses that the question named.
    """
    losses = find_losses(old_body, new_body)
    answer = request.form.get("loss", "")
    confirmed_losses = request.form.get("loss_asked", "")
    if not losses or (answer == "remove" and confirmed_losses == losses.description):
        return
    if answer == "restore":
        form.values["body"] = editable_body(restore_lost_blocks(old_body, new_body))
        raise ValidationError(
            {
                "body": gettext(
                    "Restored %(elements)s. Check the text, then save again.",
                    elements=describe_losses(losses),
                )
            }
        )
    form.losses = losses
    raise ValidationError(
        {
            "body": gettext(
                "You're about to remove %(elements)s.", elements=describe_losses(losses)
            )
        }
    )


def _prepare(form: StoryForm, draft: Draft) -> PreparedDraft:
    """Return the prepared draft. Raises ValidationError with its errors and those of the form."""
    try:
        prepared = publishing.prepare(draft)
    except ValidationError as invalid:
        raise ValidationError(form.errors | invalid.errors) from invalid
    if form.errors:
        raise ValidationError(form.errors)
    return prepared
