"""Every action on an article. The only writer of articles and of the outbox rows about them.

Each action loads the story with all its collections inside one `db.write()`, then writes
article, revision and outbox row in one commit. `permissions` lists the actions and who may take
them; `actions` holds what each one does to the story.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from spectator import outbox
from spectator.db import db
from spectator.models import Article, Correction, Revision, User
from spectator.publishing.actions import (
    EFFECTS,
    Action,
    clear_update_before_publication,
    validate_action,
)
from spectator.publishing.articles import (
    apply_draft,
    draft_from_article,
    ensure_unique_slug,
    has_same_text,
    keep_slug_if_taken,
    select_for_update,
    unique_slug,
)
from spectator.publishing.fields import FIELDS, Draft
from spectator.publishing.imports import ImportedArticle, ImportResult, import_batch
from spectator.publishing.listings import apply_time_zone, are_listings_correct, repair_listings
from spectator.publishing.notes import check_note
from spectator.publishing.permissions import allowed_actions, is_publisher, may, may_edit
from spectator.publishing.related import set_override
from spectator.publishing.revisions import add_revision, draft_from_revision
from spectator.publishing.spellings import (
    SimilarNamesError,
    SpellingAnswer,
    SpellingQuestion,
    replace_former_spellings,
    resolve_spellings,
)
from spectator.publishing.taxonomy import add_picture, add_section
from spectator.publishing.validation import PreparedDraft, ValidationError, prepare

__all__ = [
    "FIELDS",
    "Action",
    "ConflictError",
    "Draft",
    "DuplicateSubmission",
    "ForbiddenError",
    "ImportResult",
    "ImportedArticle",
    "NotFoundError",
    "PreparedDraft",
    "SimilarNamesError",
    "SpellingAnswer",
    "SpellingQuestion",
    "ValidationError",
    "add_picture",
    "add_section",
    "allowed_actions",
    "apply_time_zone",
    "are_listings_correct",
    "create",
    "draft_from_article",
    "draft_from_revision",
    "edit_note",
    "import_batch",
    "is_publisher",
    "may",
    "may_edit",
    "prepare",
    "publish",
    "publish_due",
    "reinstate",
    "remove_note",
    "repair_listings",
    "restore",
    "save",
    "schedule",
    "send_back",
    "set_related_override",
    "submit",
    "unique_slug",
    "unschedule",
    "withdraw",
]

SAVE = Action()
STATUS_LABELS = {
    "draft": "a draft",
    "review": "in review",
    "scheduled": "scheduled",
    "published": "published",
    "withdrawn": "withdrawn",
}


class ForbiddenError(Exception):
    """The person may not take this action on the story; the message says why."""


class ConflictError(Exception):
    """Somebody else saved the story after this person opened it."""


class NotFoundError(Exception):
    """The story, revision or note does not exist."""


class DuplicateSubmission(Exception):
    """The same form was already stored; `article_id` is the story that it created."""

    def __init__(self, article_id: int) -> None:
        super().__init__(f"stored as story {article_id}")
        self.article_id = article_id


def create(
    draft: Draft,
    by: User,
    action: Action = SAVE,
    form_id: str = "",
    spelling_answers: Iterable[SpellingAnswer] = (),
) -> int:
    """Store a new story, take its first action (save, submit, schedule or publish); return its id.

    Both happen in one commit. `form_id` identifies the form that was sent: sending it again
    raises DuplicateSubmission instead of creating a second story. `spelling_answers` answers the
    questions of SimilarNamesError.

    Raises ValidationError (SimilarNamesError is one) and ForbiddenError.
    """
    _require_permission(by, action.name, None)
    prepared, action, now = prepare(draft), validate_action(action), datetime.now(UTC)
    with db.write() as session:
        if form_id:
            stored_id = session.scalar(select(Article.id).where(Article.form_id == form_id))
            if stored_id is not None:
                raise DuplicateSubmission(stored_id)
        prepared = resolve_spellings(session, prepared, by, spelling_answers, now, None)
        article = Article(
            status="draft", created_at=now, created_by_id=by.id, form_id=form_id or None
        )
        apply_draft(session, article, prepared, now)
        EFFECTS[action.name](session, article, action, now)
        revision_action = "create" if action.name == "save" else action.name
        add_revision(session, article, revision_action, prepared.draft, by.id, now, action.note)
        return article.id


def save(
    article_id: int,
    draft: Draft,
    by: User,
    version: int,
    action: Action = SAVE,
    spelling_answers: Iterable[SpellingAnswer] = (),
) -> None:
    """Store a person's changes and take an action in the same commit.

    Readers see changes to a public story at once. `version` is the version that the person
    edited; `spelling_answers` answers the questions of SimilarNamesError.

    Raises ValidationError (SimilarNamesError is one), ConflictError, ForbiddenError and
    NotFoundError.
    """
    prepared, action = prepare(draft), validate_action(action)
    now = datetime.now(UTC)
    with db.write() as session:
        article = _load_article(session, article_id, by)
        if article.version != version:
            raise ConflictError
        _require_permission(by, action.name, article)
        if action.name == "restore":
            prepared = keep_slug_if_taken(
                session, replace_former_spellings(session, prepared), article
            )
        else:
            prepared = resolve_spellings(session, prepared, by, spelling_answers, now, article_id)
        action = replace(action, changes_text=not has_same_text(article, prepared.draft))
        apply_draft(session, article, prepared, now)
        EFFECTS[action.name](session, article, action, now)
        add_revision(session, article, action.name, prepared.draft, by.id, now, action.note)


def submit(article_id: int, by: User, remark: str = "") -> None:
    """Submit a draft for review; the history keeps the remark, which is for editors."""
    _apply_action(article_id, by, Action("submit", note=remark))


def send_back(article_id: int, by: User, remark: str = "") -> None:
    """Turn a story in review back into a draft; the history keeps the remark for its author."""
    _apply_action(article_id, by, Action("send_back", note=remark))


def schedule(article_id: int, by: User, at: datetime) -> None:
    """Schedule a story for publication. Raises ValidationError if the time has passed."""
    _apply_action(article_id, by, Action("schedule", at))


def unschedule(article_id: int, by: User) -> None:
    """Turn a scheduled story back into a draft, which keeps the time as its planned time."""
    _apply_action(article_id, by, Action("unschedule"))


def publish(article_id: int, by: User, at: datetime | None = None) -> None:
    """Publish the latest saved version of a story; publishing it twice does no harm.

    A time `at` in the past backdates the story. Raises ValidationError if it is in the future.
    """
    _apply_action(article_id, by, Action("publish", at))


def withdraw(article_id: int, by: User, reason: str) -> None:
    """Withdraw a public story: its URL then answers 410 with the reason.

    Raises ValidationError without a reason.
    """
    _apply_action(article_id, by, Action("withdraw", note=reason))


def reinstate(article_id: int, by: User) -> None:
    """Republish the latest saved version of a withdrawn story, with its original date."""
    _apply_action(article_id, by, Action("reinstate"))


def restore(article_id: int, by: User, number: int, version: int) -> None:
    """Save the content of revision `number` as a new revision; status and dates do not change.

    Raises ValidationError if something that it refers to no longer exists, ConflictError,
    ForbiddenError and NotFoundError.
    """
    revision = db.session.scalar(
        select(Revision).where(Revision.article_id == article_id, Revision.number == number)
    )
    if revision is None:
        raise NotFoundError
    save(article_id, draft_from_revision(revision.content), by, version, Action("restore"))


def set_related_override(article_id: int, by: User, related_id: int, kind: str = "") -> None:
    """Pin a related story ("pin"), block it ("forbid"), or remove the editor's decision ("").

    Raises ValidationError, ForbiddenError and NotFoundError.
    """
    with db.write() as session:
        article = _load_article(session, article_id, by)
        _require_permission(by, "relate", article)
        set_override(session, article, by, related_id, kind)


def edit_note(
    article_id: int, by: User, note_id: int, kind: str, text: str, original_text: str
) -> None:
    """Change a note to readers without changing its date.

    `original_text` is the text that the person started from. Raises ValidationError,
    ConflictError, ForbiddenError and NotFoundError.
    """
    text = check_note(kind, text)
    with db.write() as session:
        article, note = _load_note(session, article_id, by, "edit_note", note_id, original_text)
        if (note.kind, note.text) != (kind, text):
            note.kind, note.text = kind, text
            _add_note_revision(session, article, by, "edit_note", text)


def remove_note(article_id: int, by: User, note_id: int, original_text: str) -> None:
    """Remove a note to readers from a story; the history keeps it.

    Raises ConflictError, ForbiddenError and NotFoundError.
    """
    with db.write() as session:
        article, note = _load_note(session, article_id, by, "remove_note", note_id, original_text)
        article.corrections.remove(note)
        _add_note_revision(session, article, by, "remove_note", note.text)


def _load_note(
    session: Session, article_id: int, by: User, action: str, note_id: int, original_text: str
) -> tuple[Article, Correction]:
    article = _load_article(session, article_id, by)
    _require_permission(by, action, article)
    note = next((note for note in article.corrections if note.id == note_id), None)
    if note is None:
        raise NotFoundError
    if note.text != original_text:
        raise ConflictError
    return article, note


def _add_note_revision(
    session: Session, article: Article, by: User, action: str, text: str
) -> None:
    if article.is_public:
        outbox.append(session, article.id, "update")
    add_revision(session, article, action, None, by.id, datetime.now(UTC), text)


def publish_due(now: datetime | None = None) -> int:
    """Publish every scheduled story whose time has come and return their number.

    Running it twice does no harm.
    """
    now = now or datetime.now(UTC)
    with db.write() as session:
        due = (Article.status == "scheduled") & (Article.published_at <= now)
        query = select(Article).where(due).options(joinedload(Article.section, innerjoin=True))
        articles = session.scalars(query.order_by(Article.published_at)).all()
        for article in articles:
            ensure_unique_slug(session, article)
            article.status, article.saved_at = "published", now
            clear_update_before_publication(article)
            outbox.append(session, article.id, "publish")
            add_revision(session, article, "publish", None, None, now)
        return len(articles)


def _apply_action(article_id: int, by: User, action: Action) -> None:
    """Take an action on the latest saved version of a story."""
    action, now = validate_action(action), datetime.now(UTC)
    with db.write() as session:
        article = _load_article(session, article_id, by)
        if action.name == "publish" and article.is_public and is_publisher(by):
            return  # the button was pressed twice
        _require_permission(by, action.name, article)
        EFFECTS[action.name](session, article, action, now)
        article.saved_at = now
        add_revision(session, article, action.name, None, by.id, now, action.note)


def _load_article(session: Session, article_id: int, by: User) -> Article:
    article = session.scalar(select_for_update().where(Article.id == article_id))
    if article is None:
        raise NotFoundError
    if not may(by, "view", article):
        raise ForbiddenError("You don't have permission to see a colleague's story. Ask an editor.")
    return article


def _require_permission(by: User, action: str, article: Article | None) -> None:
    """Raise ForbiddenError unless the permissions table allows the action."""
    if may(by, action, article):
        return
    status = STATUS_LABELS[article.status] if article is not None else "new"
    label = action.replace("_", " ")
    if is_publisher(by):
        raise ForbiddenError(
            f"The story is now {status}, so you can't use “{label}”. "
            "Reload the page to see its latest version."
        )
    raise ForbiddenError(
        f"Only editors can use “{label}” while a story is {status}. Ask an editor."
    )
