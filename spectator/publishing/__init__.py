"""Every act on an article. The only writer of articles and, through them, of the outbox.

Each act loads the story with all its collections inside one `db.write()`, decides, and leaves article, revision and
outbox row behind in one commit. The verbs are those of `permissions`; what each does to the story is in `steps`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from spectator import outbox
from spectator.db import db
from spectator.models import Article, Correction, Revision, User
from spectator.publishing.drafts import DRAFT_FIELDS, Draft, Invalid, Prepared, prepare
from spectator.publishing.filing import add_picture, add_section
from spectator.publishing.importing import Imported, Outcome, take_imports
from spectator.publishing.notes import check_note
from spectator.publishing.permissions import is_publisher, may, may_edit, verbs
from spectator.publishing.relating import decide
from spectator.publishing.shelving import are_lists_true, follow_time_zone, mend_lists
from spectator.publishing.spellings import (
    SimilarNames,
    Spelling,
    SpellingQuestion,
    current_spellings,
    settle_spellings,
)
from spectator.publishing.steps import STEPS, Step, checked, forget_earlier_update
from spectator.publishing.storing import (
    draft_as_stored,
    fill,
    for_change,
    free_slug,
    keep_slug_if_taken,
    reads_the_same,
    record,
    settle_slug,
)

__all__ = [
    "DRAFT_FIELDS",
    "AlreadyStored",
    "Conflict",
    "Draft",
    "Forbidden",
    "Imported",
    "Invalid",
    "NotFound",
    "Outcome",
    "Prepared",
    "SimilarNames",
    "Spelling",
    "SpellingQuestion",
    "Step",
    "add_picture",
    "add_section",
    "are_lists_true",
    "create",
    "draft_as_stored",
    "draft_of",
    "edit_note",
    "follow_time_zone",
    "free_slug",
    "is_publisher",
    "may",
    "may_edit",
    "mend_lists",
    "prepare",
    "publish",
    "publish_due",
    "reinstate",
    "relate",
    "remove_note",
    "restore",
    "save",
    "schedule",
    "send_back",
    "submit",
    "take_imports",
    "unschedule",
    "verbs",
    "withdraw",
]

SAVE = Step()
STATES = {
    "draft": "a draft",
    "review": "in review",
    "scheduled": "scheduled",
    "published": "published",
    "withdrawn": "withdrawn",
}


class Forbidden(Exception):
    """This person may not do this to this story as it stands; the message says why."""


class Conflict(Exception):
    """The story was saved by somebody else after this person opened it."""


class NotFound(Exception):
    """There is no such story."""


class AlreadyStored(Exception):
    """This very form was stored before; `article_id` is the story that it made."""

    def __init__(self, article_id: int) -> None:
        super().__init__(f"stored as story {article_id}")
        self.article_id = article_id


def create(draft: Draft, by: User, step: Step = SAVE, key: str = "", spellings: Iterable[Spelling] = ()) -> int:
    """Store a new story and take its first step (save, submit, schedule or publish) in one commit; return its id.

    `key` names the form that it was written in: the same form again raises AlreadyStored and makes no second story.
    `spellings` answers what SimilarNames asked. Raises Invalid (SimilarNames is one), Forbidden.
    """
    _require(by, step.verb, None)
    prepared, step, now = prepare(draft), checked(step), datetime.now(UTC)
    with db.write() as session:
        known = session.scalar(select(Article.id).where(Article.form_key == key)) if key else None
        if known is not None:
            raise AlreadyStored(known)
        prepared = settle_spellings(session, prepared, by, spellings, now, None)
        article = Article(status="draft", created_at=now, created_by_id=by.id, form_key=key or None)
        fill(session, article, prepared, now)
        STEPS[step.verb](session, article, step, now)
        action = "create" if step.verb == "save" else step.verb
        record(session, article, action, prepared.draft, by.id, now, step.note)
        return article.id


def save(
    article_id: int, draft: Draft, by: User, version: int, step: Step = SAVE, spellings: Iterable[Spelling] = ()
) -> None:
    """Store a person's changes and take a step in the same commit; of a public story readers see them at once.

    `version` is the one the person saw, `spellings` answers what SimilarNames asked.
    Raises Invalid (SimilarNames is one), Conflict, Forbidden, NotFound.
    """
    prepared, step = prepare(draft), checked(step)
    now = datetime.now(UTC)
    with db.write() as session:
        article = _loaded(session, article_id, by)
        if article.version != version:
            raise Conflict
        _require(by, step.verb, article)
        if step.verb == "restore":
            prepared = keep_slug_if_taken(session, current_spellings(session, prepared), article)
        else:
            prepared = settle_spellings(session, prepared, by, spellings, now, article_id)
        step = replace(step, changes_text=not reads_the_same(article, prepared.draft))
        fill(session, article, prepared, now)
        STEPS[step.verb](session, article, step, now)
        record(session, article, step.verb, prepared.draft, by.id, now, step.note)


def submit(article_id: int, by: User, remark: str = "") -> None:
    """Submit a draft for review; the remark is for the editors and stays in the history."""
    _act(article_id, by, Step("submit", note=remark))


def send_back(article_id: int, by: User, remark: str = "") -> None:
    """Make a story in review a draft again; the remark is for its author and stays in the history."""
    _act(article_id, by, Step("send_back", note=remark))


def schedule(article_id: int, by: User, at: datetime) -> None:
    """Have a story published at a moment to come. Raises Invalid for one that has passed."""
    _act(article_id, by, Step("schedule", at))


def unschedule(article_id: int, by: User) -> None:
    """Make a scheduled story a draft again; the time stays as its plan."""
    _act(article_id, by, Step("unschedule"))


def publish(article_id: int, by: User, at: datetime | None = None) -> None:
    """Make a story public as it stands; `at` in the past dates it, twice does no harm. Raises Invalid for a future."""
    _act(article_id, by, Step("publish", at))


def withdraw(article_id: int, by: User, reason: str) -> None:
    """Take a public story back: its address answers 410 with the reason. Raises Invalid without a reason."""
    _act(article_id, by, Step("withdraw", note=reason))


def reinstate(article_id: int, by: User) -> None:
    """Bring a withdrawn story back as it was last saved, with its first date."""
    _act(article_id, by, Step("reinstate"))


def restore(article_id: int, by: User, number: int, version: int) -> None:
    """Make a story what its revision `number` was, as a new revision; its state and dates stay.

    Raises Invalid where what it refers to is gone, Conflict, Forbidden, NotFound.
    """
    found = db.session.scalar(select(Revision).where(Revision.article_id == article_id, Revision.number == number))
    if found is None:
        raise NotFound
    save(article_id, draft_of(found.content), by, version, Step("restore"))


def relate(article_id: int, by: User, related_id: int, kind: str = "") -> None:
    """Pin another story to a story ("pin"), keep the two apart ("forbid"), or forget what was decided ("").

    Raises Invalid, Forbidden, NotFound.
    """
    with db.write() as session:
        article = _loaded(session, article_id, by)
        _require(by, "relate", article)
        decide(session, article, by, related_id, kind)


def edit_note(article_id: int, by: User, note_id: int, kind: str, text: str, seen: str) -> None:
    """Change a note to readers, in place, with its date; `seen` is the text that the person began from.

    Raises Invalid, Conflict, Forbidden, NotFound.
    """
    text = check_note(kind, text)
    with db.write() as session:
        article, note = _note(session, article_id, by, "edit_note", note_id, seen)
        if (note.kind, note.text) != (kind, text):
            note.kind, note.text = kind, text
            _record_note(session, article, by, "edit_note", text)


def remove_note(article_id: int, by: User, note_id: int, seen: str) -> None:
    """Take a note to readers off a story; the history keeps it. Raises Conflict, Forbidden, NotFound."""
    with db.write() as session:
        article, note = _note(session, article_id, by, "remove_note", note_id, seen)
        article.corrections.remove(note)
        _record_note(session, article, by, "remove_note", note.text)


def _note(
    session: Session, article_id: int, by: User, verb: str, note_id: int, seen: str
) -> tuple[Article, Correction]:
    article = _loaded(session, article_id, by)
    _require(by, verb, article)
    note = next((note for note in article.corrections if note.id == note_id), None)
    if note is None:
        raise NotFound
    if note.text != seen:
        raise Conflict
    return article, note


def _record_note(session: Session, article: Article, by: User, action: str, text: str) -> None:
    if article.is_public:
        outbox.append(session, article.id, "update")
    record(session, article, action, None, by.id, datetime.now(UTC), text)


def draft_of(content: dict[str, Any]) -> Draft:
    """Return the draft that a revision holds; fields it does not know yet are empty."""
    known: dict[str, Any] = {
        name: tuple(it) if isinstance(it, list) else it for name, it in content.items() if name in DRAFT_FIELDS
    }
    return Draft(**known)


def publish_due(now: datetime | None = None) -> int:
    """Publish every scheduled story whose time has come; return how many. Doing it twice does no harm."""
    now = now or datetime.now(UTC)
    with db.write() as session:
        due = (Article.status == "scheduled") & (Article.published_at <= now)
        query = select(Article).where(due).options(joinedload(Article.section, innerjoin=True))
        articles = session.scalars(query.order_by(Article.published_at)).all()
        for article in articles:
            settle_slug(session, article)
            article.status, article.saved_at = "published", now
            forget_earlier_update(article)
            outbox.append(session, article.id, "publish")
            record(session, article, "publish", None, None, now)
        return len(articles)


def _act(article_id: int, by: User, step: Step) -> None:
    """Take a step with a story as it was last saved."""
    step, now = checked(step), datetime.now(UTC)
    with db.write() as session:
        article = _loaded(session, article_id, by)
        if step.verb == "publish" and article.is_public and is_publisher(by):
            return  # the button was pressed twice
        _require(by, step.verb, article)
        STEPS[step.verb](session, article, step, now)
        article.saved_at = now
        record(session, article, step.verb, None, by.id, now, step.note)


def _loaded(session: Session, article_id: int, by: User) -> Article:
    article = session.scalar(for_change().where(Article.id == article_id))
    if article is None:
        raise NotFound
    if not may(by, "view", article):
        raise Forbidden("This is a colleague's story; ask an editor.")
    return article


def _require(by: User, verb: str, article: Article | None) -> None:
    """Raise Forbidden where the table of permissions does not hold the verb."""
    if may(by, verb, article):
        return
    state = STATES[article.status] if article is not None else "new"
    words = verb.replace("_", " ")
    if is_publisher(by):
        raise Forbidden(f"The story is {state} now, so “{words}” is not possible. Reload it to see how it stands.")
    raise Forbidden(f"While a story is {state}, “{words}” is for editors. Ask one of them.")
