"""What each action changes in a loaded story. Only for publishing, inside its transactions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from spectator import outbox
from spectator.models import Article, Correction
from spectator.publishing.articles import ensure_unique_slug
from spectator.publishing.notes import MAX_NOTE_LENGTH, TOO_LONG, check_note
from spectator.publishing.validation import ValidationError, clean_line

CLOCK_SLACK = timedelta(minutes=1)
LATEST_YEAR = 9000
ACTIONS_WITH_NOTE = frozenset({"update", "correct"})


@dataclass(frozen=True, slots=True)
class Action:
    """An action with its arguments.

    `at` is an aware datetime; `note` is a note or reason for readers, or a remark for a colleague.
    `has_time`: `at` comes from the form and is also the planned time. `note_kind`: the kind of a
    note to readers. `is_minor`: readers are not told that the story was updated. `is_backdated`:
    a planned time in the past is meant as the story's date. `publishing.save` sets `changes_text`.
    """

    name: str = "save"
    at: datetime | None = None
    note: str = ""
    has_time: bool = False
    note_kind: str = ""
    is_minor: bool = False
    is_backdated: bool = False
    changes_text: bool = True


def validate_action(action: Action) -> Action:
    """Return the action with its note cleaned.

    Raises ValidationError for a date too far in the future and for a note that is missing or too
    long. The effects check what depends on the story's status.
    """
    if action.at is not None and action.at.astimezone(UTC).year > LATEST_YEAR:
        raise ValidationError({"published_at": "Choose a date before the year 9000."})
    if action.name in ACTIONS_WITH_NOTE:
        return _validate_note(action)
    name = "reason" if action.name == "withdraw" else "remark"
    if len(action.note) > MAX_NOTE_LENGTH:
        raise ValidationError({name: TOO_LONG})
    note = clean_line(action.note) if action.name == "withdraw" else clean_lines(action.note)
    if action.name == "withdraw" and not note:
        raise ValidationError({"reason": "Give a reason. Readers will see it."})
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


def _save(session: Session, article: Article, action: Action, now: datetime) -> None:
    if not action.has_time or article.published_at == action.at:
        return
    if article.status in {"draft", "review"}:
        # The planned time has no effect until somebody publishes or schedules the story.
        article.published_at = action.at
    elif article.status == "scheduled" and action.at is not None:
        _schedule(session, article, action, now)


def _submit(session: Session, article: Article, action: Action, now: datetime) -> None:
    _save(session, article, action, now)
    article.status = "review"


def _send_back(session: Session, article: Article, action: Action, now: datetime) -> None:
    _save(session, article, action, now)
    article.status = "draft"


def _schedule(_session: Session, article: Article, action: Action, now: datetime) -> None:
    at = action.at or article.published_at
    if at is None:
        raise ValidationError({"published_at": "Choose a date and time."})
    if at <= now:
        raise ValidationError(
            {"published_at": "That time has passed. Press Publish to publish now with this date."}
        )
    article.status, article.published_at = "scheduled", at


def _unschedule(_session: Session, article: Article, _action: Action, _now: datetime) -> None:
    article.status = "draft"


def _publish(session: Session, article: Article, action: Action, now: datetime) -> None:
    at = action.at or now
    is_planned_time = action.has_time and action.at is not None
    if is_planned_time and action.at == article.published_at:
        if article.status == "scheduled":
            at = now
        elif at < now - CLOCK_SLACK and not action.is_backdated:
            raise ValidationError(
                {"plan": "The planned time has passed. Choose which date to show readers."}
            )
    if at > now + CLOCK_SLACK:
        raise ValidationError(
            {
                "published_at": "That time is in the future. "
                "Press Schedule, or clear the field to publish now."
            }
        )
    ensure_unique_slug(session, article)
    article.status, article.published_at = "published", at
    clear_update_before_publication(article)
    outbox.append(session, article.id, "publish")


def clear_update_before_publication(article: Article) -> None:
    """Clear an update time before publication: readers never saw an earlier text."""
    if article.updated_at and article.published_at and article.updated_at <= article.published_at:
        article.updated_at = None


def _update(session: Session, article: Article, action: Action, now: datetime) -> None:
    _set_published_at(article, action, now)
    if (action.changes_text or action.note) and not action.is_minor:
        article.updated_at = now
    if action.note:
        article.corrections.append(Correction(text=action.note, made_at=now, kind=action.note_kind))
    outbox.append(session, article.id, action.name)


def _set_published_at(article: Article, action: Action, now: datetime) -> None:
    """Give a public story the date from the form."""
    if not action.has_time or action.at is None or action.at == article.published_at:
        return
    if action.at > now + CLOCK_SLACK:
        raise ValidationError(
            {
                "published_at": "That time is in the future. "
                "Choose a past date for a published story."
            }
        )
    article.published_at = action.at
    clear_update_before_publication(article)


def _withdraw(session: Session, article: Article, action: Action, now: datetime) -> None:
    article.status, article.withdrawn_at, article.withdrawn_reason = "withdrawn", now, action.note
    outbox.append(session, article.id, "withdraw")


def _reinstate(session: Session, article: Article, _action: Action, now: datetime) -> None:
    article.status, article.withdrawn_at, article.withdrawn_reason = "published", None, ""
    # An import may bring a withdrawn story without a date.
    article.published_at = article.published_at or now
    outbox.append(session, article.id, "publish")


def _restore(session: Session, article: Article, action: Action, now: datetime) -> None:
    if article.is_public:
        article.updated_at = now if action.changes_text else article.updated_at
        outbox.append(session, article.id, "update")


EFFECTS: dict[str, Callable[[Session, Article, Action, datetime], None]] = {
    "save": _save,
    "submit": _submit,
    "send_back": _send_back,
    "schedule": _schedule,
    "unschedule": _unschedule,
    "publish": _publish,
    "update": _update,
    "correct": _update,
    "withdraw": _withdraw,
    "reinstate": _reinstate,
    "restore": _restore,
}
