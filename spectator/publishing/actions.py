"""The table of actions: permissions, buttons, the history, notices and docs/roles.md read it.

A new action needs a row here and its effect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from spectator.i18n import gettext, lazy_gettext, lazy_pgettext
from spectator.models import Article
from spectator.publishing import effects
from spectator.publishing.effects import Action
from spectator.publishing.validation import (
    MAX_NOTE_LENGTH,
    ValidationError,
    check_note,
    clean_line,
    note_too_long,
)

LATEST_YEAR = 9000
Effect = Callable[[Session, Article, Action, datetime], None]


@dataclass(frozen=True, slots=True)
class ActionRule:
    """The properties of an action.

    `editors` lists, separated by spaces, the statuses in which editors may take the action on any
    story, `authors` those in which authors may take it on their own; "new" is a story not stored
    yet. `label` is the text of the button; `labels` replaces it in some statuses, `own_label` on a
    person's own story. `past` names the action in the history. `status` is the story's status
    afterwards, and `notice` is shown while the story has it. `message` is the form field with the
    action's text. `is_in_form`: it is a `do` value of the story form; `is_in_bar`: it has a button
    in the form's bar; `has_address`: it has a URL of its own and acts on the last saved version.
    """

    label: str
    editors: str
    authors: str = ""
    past: str = ""
    notice: str = ""
    status: str = ""
    effect: Effect | None = None
    message: str = "remark"
    is_in_form: bool = False
    is_in_bar: bool = False
    has_address: bool = False
    own_label: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


STORED = "draft review scheduled published withdrawn"
ACTIONS = {
    "view": ActionRule(lazy_pgettext("button", "Preview"), STORED, STORED),
    "save": ActionRule(
        lazy_pgettext("button", "Save"),
        editors="new draft review scheduled withdrawn",
        authors="new draft review",
        past=lazy_pgettext("done to a story", "saved"),
        notice=lazy_gettext("Saved."),
        effect=effects.save,
        is_in_form=True,
        is_in_bar=True,
        labels={
            "new": lazy_pgettext("button", "Save draft"),
            "draft": lazy_pgettext("button", "Save draft"),
        },
    ),
    "update": ActionRule(
        lazy_pgettext("button", "Update"),
        editors="published",
        past=lazy_pgettext("done to a story", "updated"),
        notice=lazy_gettext("Updated. Readers see the changes now."),
        status="published",
        effect=effects.update,
        message="note",
        is_in_form=True,
        is_in_bar=True,
    ),
    "publish": ActionRule(
        lazy_pgettext("button", "Publish"),
        editors="new draft review scheduled",
        past=lazy_pgettext("done to a story", "published"),
        notice=lazy_gettext("Published. Readers see the story now."),
        status="published",
        effect=effects.publish,
        is_in_form=True,
        is_in_bar=True,
        has_address=True,
        labels={"scheduled": lazy_pgettext("button", "Publish now")},
    ),
    "submit": ActionRule(
        lazy_pgettext("button", "Submit for review"),
        editors="new draft",
        authors="new draft",
        past=lazy_pgettext("done to a story", "submitted for review"),
        notice=lazy_gettext("Submitted for review."),
        status="review",
        effect=effects.save,
        is_in_form=True,
        is_in_bar=True,
        has_address=True,
    ),
    "send_back": ActionRule(
        lazy_pgettext("button", "Send back"),
        editors="review",
        authors="review",
        past=lazy_pgettext("done to a story", "sent back"),
        notice=lazy_gettext("Sent back to the author."),
        status="draft",
        effect=effects.save,
        is_in_form=True,
        is_in_bar=True,
        has_address=True,
        own_label=lazy_pgettext("button", "Take back"),
    ),
    "schedule": ActionRule(
        lazy_pgettext("button", "Schedule"),
        editors="new draft review scheduled",
        past=lazy_pgettext("done to a story", "scheduled"),
        notice=lazy_gettext("Scheduled for %(time)s."),
        status="scheduled",
        effect=effects.schedule,
        is_in_form=True,
    ),
    "unschedule": ActionRule(
        lazy_pgettext("button", "Unschedule"),
        editors="scheduled",
        past=lazy_pgettext("done to a story", "unscheduled"),
        notice=lazy_gettext("Unscheduled. Back to draft."),
        status="draft",
        is_in_form=True,
        is_in_bar=True,
        has_address=True,
    ),
    "correct": ActionRule(
        lazy_pgettext("button", "Publish correction"),
        editors="published",
        past=lazy_pgettext("done to a story", "corrected"),
        notice=lazy_gettext("Correction published under the story."),
        status="published",
        effect=effects.update,
        message="note",
        is_in_form=True,
    ),
    "withdraw": ActionRule(
        lazy_pgettext("button", "Withdraw"),
        editors="published",
        past=lazy_pgettext("done to a story", "withdrawn"),
        notice=lazy_gettext("Story withdrawn. Readers now see the reason."),
        status="withdrawn",
        effect=effects.withdraw,
        message="reason",
        has_address=True,
    ),
    "reinstate": ActionRule(
        lazy_pgettext("button", "Republish"),
        editors="withdrawn",
        past=lazy_pgettext("done to a story", "republished"),
        notice=lazy_gettext("Republished. Readers see the latest saved version."),
        status="published",
        effect=effects.reinstate,
        has_address=True,
    ),
    "restore": ActionRule(
        lazy_pgettext("button", "Restore"),
        editors=STORED,
        authors="draft review",
        past=lazy_pgettext("done to a story", "restored an older version"),
        notice=lazy_gettext("Restored as a new version. The history keeps every version."),
        effect=effects.restore,
    ),
    "edit_note": ActionRule(
        lazy_pgettext("button", "Edit note"),
        editors="published withdrawn",
        past=lazy_pgettext("done to a story", "edited a note to readers"),
        notice=lazy_gettext("Note changed. Readers see it now."),
    ),
    "remove_note": ActionRule(
        lazy_pgettext("button", "Remove note"),
        editors="published withdrawn",
        past=lazy_pgettext("done to a story", "removed a note to readers"),
        notice=lazy_gettext("Note removed. It stays in the history."),
    ),
    "share": ActionRule(
        lazy_pgettext("button", "Share"),
        editors="draft review scheduled withdrawn",
        authors="draft review",
    ),
    "relate": ActionRule(lazy_pgettext("button", "Related"), editors=STORED),
}
# Revisions also record a story's creation, imports and renamed authors or topics.
PAST_TENSES = {name: rule.past for name, rule in ACTIONS.items()} | {
    "create": lazy_pgettext("done to a story", "started"),
    "import": lazy_pgettext("done to a story", "imported"),
    "rename": lazy_pgettext("done to a story", "changed a name everywhere"),
}


def apply_effect(session: Session, article: Article, action: Action, now: datetime) -> None:
    """Change the story as its action says. Raises ValidationError."""
    rule = ACTIONS[action.name]
    if rule.effect:
        rule.effect(session, article, action, now)
    article.status = rule.status or article.status


def validate_action(action: Action) -> Action:
    """Return the action with its note cleaned.

    Raises ValidationError for a date too far in the future and for a note that is missing or too
    long. The effects check what depends on the story's status.
    """
    if action.at is not None and action.at.astimezone(UTC).year > LATEST_YEAR:
        raise ValidationError({"published_at": gettext("Choose a date before the year 9000.")})
    message = ACTIONS[action.name].message
    if message == "note":
        return _validate_note(action)
    if len(action.note) > MAX_NOTE_LENGTH:
        raise ValidationError({message: note_too_long()})
    note = clean_line(action.note) if message == "reason" else clean_lines(action.note)
    if message == "reason" and not note:
        raise ValidationError({"reason": gettext("Give a reason. Readers will see it.")})
    return replace(action, note=note)


def _validate_note(action: Action) -> Action:
    """Return the update with its note and note kind; with a correction it becomes "correct"."""
    kind = "correction" if action.name == "correct" else action.note_kind or "update"
    note = check_note(kind, action.note) if action.note.strip() or kind != "update" else ""
    return replace(
        action, name="correct" if kind == "correction" else "update", note_kind=kind, note=note
    )


def clean_lines(text: str) -> str:
    """Return the text with every line cleaned and empty lines at both ends removed."""
    return "\n".join(clean_line(line) for line in text.splitlines()).strip()
