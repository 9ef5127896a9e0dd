"""What each verb does to a story that is loaded for change; only for publishing, inside its transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from spectator import outbox
from spectator.models import Article, Correction
from spectator.publishing.drafts import Invalid, one_line

MAX_NOTE = 2000
CLOCK_SLACK = timedelta(minutes=1)
LATEST_YEAR = 9000


@dataclass(frozen=True, slots=True)
class Step:
    """A verb and what it needs: a moment (aware), a note or reason for readers. `has_time`: `at` is also the plan."""

    verb: str = "save"
    at: datetime | None = None
    note: str = ""
    has_time: bool = False


def checked(step: Step) -> Step:
    """Return a step with its note in one line; raises Invalid for one that no state of a story could take."""
    name = {"withdraw": "reason", "send_back": "remark"}.get(step.verb, "note")
    if len(step.note) > MAX_NOTE:
        raise Invalid({name: f"At most {MAX_NOTE} characters are possible."})
    note = one_line(step.note)
    if step.verb == "withdraw" and not note:
        raise Invalid({"reason": "Say why the story is withdrawn; readers will see it."})
    if step.verb == "correct" and not note:
        raise Invalid({"note": "Say what was wrong; readers see it, dated, below the story."})
    if step.at is not None and step.at.astimezone(UTC).year > LATEST_YEAR:
        raise Invalid({"published_at": "This is too far in the future."})
    return Step(step.verb, step.at, note, step.has_time)


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
        raise Invalid({"published_at": "Say when the story goes out."})
    if at <= now:
        raise Invalid({"published_at": "This time has passed; to publish now with this date, press Publish."})
    article.status, article.published_at = "scheduled", at


def _unschedule(_session: Session, article: Article, _step: Step, _now: datetime) -> None:
    article.status = "draft"


def _publish(session: Session, article: Article, step: Step, now: datetime) -> None:
    at = step.at or now
    if at > now + CLOCK_SLACK:
        raise Invalid({"published_at": "This time is still to come; press Schedule, or empty it to publish now."})
    article.status, article.published_at = "published", at
    outbox.append(session, article.id, "publish")


def _update(session: Session, article: Article, step: Step, now: datetime) -> None:
    article.updated_at = now
    if step.note:
        kind = "correction" if step.verb == "correct" else "update"
        article.corrections.append(Correction(text=step.note, made_at=now, kind=kind))
    outbox.append(session, article.id, step.verb)


def _withdraw(session: Session, article: Article, step: Step, now: datetime) -> None:
    article.status, article.withdrawn_at, article.withdrawn_reason = "withdrawn", now, step.note
    outbox.append(session, article.id, "withdraw")


def _reinstate(session: Session, article: Article, _step: Step, now: datetime) -> None:
    article.status, article.withdrawn_at, article.withdrawn_reason = "published", None, ""
    article.published_at = article.published_at or now  # an import may bring a withdrawn story without a date
    outbox.append(session, article.id, "publish")


def _restore(session: Session, article: Article, _step: Step, now: datetime) -> None:
    if article.is_public:
        article.updated_at = now
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
