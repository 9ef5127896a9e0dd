"""What actions change in a loaded story besides its status; the table `actions` names them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from spectator import outbox
from spectator.i18n import gettext
from spectator.models import Article, ReaderNote
from spectator.publishing.slugs import set_slug
from spectator.publishing.validation import ValidationError

CLOCK_SLACK = timedelta(minutes=1)


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


def save(session: Session, article: Article, action: Action, now: datetime) -> None:
    """Set the planned time; it takes effect when somebody publishes or schedules the story."""
    if not action.has_time or article.published_at == action.at:
        return
    if article.status in {"draft", "review"}:
        article.published_at = action.at
    elif article.status == "scheduled" and action.at is not None:
        schedule(session, article, action, now)


def schedule(_session: Session, article: Article, action: Action, now: datetime) -> None:
    """Schedule a story. Raises ValidationError without a time in the future."""
    at = action.at or article.published_at
    if at is None:
        raise ValidationError({"published_at": gettext("Choose a date and time.")})
    if at <= now:
        raise ValidationError(
            {
                "published_at": gettext(
                    "That time has passed. Press Publish to publish now with this date."
                )
            }
        )
    article.published_at = at


def publish(session: Session, article: Article, action: Action, now: datetime) -> None:
    """Publish a story now or backdated. Raises ValidationError for a time in the future."""
    at = action.at or now
    is_planned_time = action.has_time and action.at is not None
    if is_planned_time and action.at == article.published_at:
        if article.status == "scheduled":
            at = now
        elif at < now - CLOCK_SLACK and not action.is_backdated:
            raise ValidationError(
                {
                    "plan": gettext(
                        "The planned time has passed. Choose which date to show readers."
                    )
                }
            )
    if at > now + CLOCK_SLACK:
        raise ValidationError(
            {
                "published_at": gettext(
                    "That time is in the future. "
                    "Press Schedule, or clear the field to publish now."
                )
            }
        )
    set_slug(
        session, article, article.slug
    )  # another story may have taken it since the last save
    article.published_at = at
    _clear_update_before_publication(article)
    outbox.append(session, article.id, "publish")


def _clear_update_before_publication(article: Article) -> None:
    """Clear an update time before publication: readers never saw an earlier text."""
    if article.updated_at and article.published_at and article.updated_at <= article.published_at:
        article.updated_at = None


def update(session: Session, article: Article, action: Action, now: datetime) -> None:
    """Date the change of a public story and add the note to readers."""
    _set_published_at(article, action, now)
    if (action.changes_text or action.note) and not action.is_minor:
        article.updated_at = now
    if action.note:
        article.notes.append(ReaderNote(text=action.note, made_at=now, kind=action.note_kind))
    outbox.append(session, article.id, action.name)


def _set_published_at(article: Article, action: Action, now: datetime) -> None:
    """Give a public story the date from the form."""
    if not action.has_time or action.at is None or action.at == article.published_at:
        return
    if action.at > now + CLOCK_SLACK:
        raise ValidationError(
            {
                "published_at": gettext(
                    "That time is in the future. Choose a past date for a published story."
                )
            }
        )
    article.published_at = action.at
    _clear_update_before_publication(article)


def withdraw(session: Session, article: Article, action: Action, now: datetime) -> None:
    """Withdraw a public story: its URL then answers 410 with the reason."""
    article.withdrawn_at, article.withdrawn_reason = now, action.note
    outbox.append(session, article.id, "withdraw")


def reinstate(session: Session, article: Article, _action: Action, now: datetime) -> None:
    """Republish a withdrawn story with its original date."""
    article.withdrawn_at, article.withdrawn_reason = None, ""
    # An import may bring a withdrawn story without a date.
    article.published_at = article.published_at or now
    outbox.append(session, article.id, "publish")


def restore(session: Session, article: Article, action: Action, now: datetime) -> None:
    """Date the change of a public story to an older version."""
    if article.is_public:
        article.updated_at = now if action.changes_text else article.updated_at
        outbox.append(session, article.id, "update")
