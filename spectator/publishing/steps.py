"""What each verb does to a story that is loaded for change; only for publishing, inside its transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from spectator import outbox
from spectator.models import Article, Correction
from spectator.publishing.drafts import Invalid, one_line
from spectator.publishing.notes import MAX_NOTE, TOO_LONG, check_note
from spectator.publishing.storing import settle_slug

CLOCK_SLACK = timedelta(minutes=1)
LATEST_YEAR = 9000
NOTED = frozenset({"update", "correct"})


@dataclass(frozen=True, slots=True)
class Step:
    """A verb and what it needs: a moment (aware), a note or reason for readers, a remark for a colleague.

    `has_time`: `at` was typed into the form and is also the plan. `kind` is that of a note. `is_minor`: readers are
    not told that the story was updated. `is_backdated`: a plan that has passed is meant to date the story.
    `changes_text` is found out by `publishing.save`.
    """

    verb: str = "save"
    at: datetime | None = None
    note: str = ""
    has_time: bool = False
    kind: str = ""
    is_minor: bool = False
    is_backdated: bool = False
    changes_text: bool = True


def checked(step: Step) -> Step:
    """Return a step with its note cleaned; raises Invalid for one that no state of a story could take."""
    if step.at is not None and step.at.astimezone(UTC).year > LATEST_YEAR:
        raise Invalid({"published_at": "This is too far in the future."})
    if step.verb in NOTED:
        return _with_note(step)
    name = "reason" if step.verb == "withdraw" else "remark"
    if len(step.note) > MAX_NOTE:
        raise Invalid({name: TOO_LONG})
    note = one_line(step.note) if step.verb == "withdraw" else in_lines(step.note)
    if step.verb == "withdraw" and not note:
        raise Invalid({"reason": "Say why the story is withdrawn; readers will see it."})
    return replace(step, note=note)


def _with_note(step: Step) -> Step:
    """Return an update with its note and the note's kind; an update whose note is a correction is a correction."""
    kind = "correction" if step.verb == "correct" else step.kind or "update"
    note = check_note(kind, step.note) if step.note.strip() or kind != "update" else ""
    return replace(step, verb="correct" if kind == "correction" else "update", kind=kind, note=note)


def in_lines(text: str) -> str:
    """Return text with each of its lines cleaned, without empty lines at its ends."""
    return "\n".join(one_line(line) for line in text.splitlines()).strip()


def _save(session: Session, article: Article, step: Step, now: datetime) -> None:
    if not step.has_time or article.published_at == step.at:
        return
    if article.status in {"draft", "review"}:
        article.published_at = step.at  # the plan; nothing looks at it before somebody publishes or schedules
    elif article.status == "scheduled" and step.at is not None:
        _schedule(session, article, step, now)


def _submit(session: Session, article: Article, step: Step, now: datetime) -> None:
    _save(session, article, step, now)
    article.status = "review"


def _send_back(session: Session, article: Article, step: Step, now: datetime) -> None:
    _save(session, article, step, now)
    article.status = "draft"


def _schedule(_session: Session, article: Article, step: Step, now: datetime) -> None:
    at = step.at or article.published_at
    if at is None:
        raise Invalid({"published_at": "Choose a date and time."})
    if at <= now:
        raise Invalid({"published_at": "This time has passed; to publish now with this date, press Publish."})
    article.status, article.published_at = "scheduled", at


def _unschedule(_session: Session, article: Article, _step: Step, _now: datetime) -> None:
    article.status = "draft"


def _publish(session: Session, article: Article, step: Step, now: datetime) -> None:
    at = step.at or now
    if step.has_time and step.at is not None and step.at == article.published_at:  # the plan, as it was stored
        if article.status == "scheduled":
            at = now
        elif at < now - CLOCK_SLACK and not step.is_backdated:
            raise Invalid({"plan": "The planned time has passed. Choose which date readers see."})
    if at > now + CLOCK_SLACK:
        raise Invalid(
            {"published_at": "That time is in the future. Press Schedule, or clear the field to publish now."}
        )
    settle_slug(session, article)
    article.status, article.published_at = "published", at
    forget_earlier_update(article)
    outbox.append(session, article.id, "publish")


def forget_earlier_update(article: Article) -> None:
    """Forget an update of before the publication: readers would see a story that changed before there was one."""
    if article.updated_at and article.published_at and article.updated_at <= article.published_at:
        article.updated_at = None


def _update(session: Session, article: Article, step: Step, now: datetime) -> None:
    _date(article, step, now)
    if (step.changes_text or step.note) and not step.is_minor:
        article.updated_at = now
    if step.note:
        article.corrections.append(Correction(text=step.note, made_at=now, kind=step.kind))
    outbox.append(session, article.id, step.verb)


def _date(article: Article, step: Step, now: datetime) -> None:
    """Give a public story the date that was typed."""
    if not step.has_time or step.at is None or step.at == article.published_at:
        return
    if step.at > now + CLOCK_SLACK:
        raise Invalid({"published_at": "That time is in the future. A published story needs a date in the past."})
    article.published_at = step.at
    forget_earlier_update(article)


def _withdraw(session: Session, article: Article, step: Step, now: datetime) -> None:
    article.status, article.withdrawn_at, article.withdrawn_reason = "withdrawn", now, step.note
    outbox.append(session, article.id, "withdraw")


def _reinstate(session: Session, article: Article, _step: Step, now: datetime) -> None:
    article.status, article.withdrawn_at, article.withdrawn_reason = "published", None, ""
    article.published_at = article.published_at or now  # an import may bring a withdrawn story without a date
    outbox.append(session, article.id, "publish")


def _restore(session: Session, article: Article, step: Step, now: datetime) -> None:
    if article.is_public:
        article.updated_at = now if step.changes_text else article.updated_at
        outbox.append(session, article.id, "update")


STEPS: dict[str, Callable[[Session, Article, Step, datetime], None]] = {
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
