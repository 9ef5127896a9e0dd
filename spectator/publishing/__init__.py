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
from spectator.publishing.actions import (
    EFFECTS,
    Action,
    clear_update_before_publication,
    validate_action,
)
from spectator.publishing.articles import (
    add_revision,
    apply_draft,
    draft_from_article,
    ensure_unique_slug,
    has_same_text,
    keep_slug_if_taken,
    select_for_update,
    unique_slug,
)
from spectator.publishing.drafts import DRAFT_FIELDS, Draft, PreparedDraft, ValidationError, prepare
from spectator.publishing.imports import ImportedArticle, ImportResult, import_batch
from spectator.publishing.listings import apply_time_zone, are_listings_correct, repair_listings
from spectator.publishing.notes import check_note
from spectator.publishing.permissions import allowed_actions, is_publisher, may, may_edit
from spectator.publishing.related import set_override
from spectator.publishing.spellings import (
    SimilarNamesError,
    SpellingAnswer,
    SpellingQuestion,
    replace_former_spellings,
    resolve_spellings,
)
from spectator.publishing.taxonomy import add_picture, add_section

__all__ = [
    "DRAFT_FIELDS",
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
    """This person may not do this to this story as it stands; the message says why."""


class ConflictError(Exception):
    """The story was saved by somebody else after this person opened it."""


class NotFoundError(Exception):
    """There is no such story."""


class DuplicateSubmission(Exception):
    """This very form was stored before; `article_id` is the story that it made."""

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
    """Store a new story and take its first step (save, submit, schedule or publish) in one commit; return its id.

    `key` names the form that it was written in: the same form again raises AlreadyStored and makes no second story.
    `spellings` answers what SimilarNames asked. Raises Invalid (SimilarNames is one), Forbidden.
    """
    _require_permission(by, action.name, None)
    prepared, action, now = prepare(draft), validate_action(action), datetime.now(UTC)
    with db.write() as session:
        known = (
            session.scalar(select(Article.id).where(Article.form_id == form_id))
            if form_id
            else None
        )
        if known is not None:
            raise DuplicateSubmission(known)
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
    """Store a person's changes and take a step in the same commit; of a public story readers see them at once.

    `version` is the one the person saw, `spellings` answers what SimilarNames asked.
    Raises Invalid (SimilarNames is one), Conflict, Forbidden, NotFound.
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
    """Submit a draft for review; the remark is for the editors and stays in the history."""
    _apply_action(article_id, by, Action("submit", note=remark))


def send_back(article_id: int, by: User, remark: str = "") -> None:
    """Make a story in review a draft again; the remark is for its author and stays in the history."""
    _apply_action(article_id, by, Action("send_back", note=remark))


def schedule(article_id: int, by: User, at: datetime) -> None:
    """Have a story published at a moment to come. Raises Invalid for one that has passed."""
    _apply_action(article_id, by, Action("schedule", at))


def unschedule(article_id: int, by: User) -> None:
    """Make a scheduled story a draft again; the time stays as its plan."""
    _apply_action(article_id, by, Action("unschedule"))


def publish(article_id: int, by: User, at: datetime | None = None) -> None:
    """Make a story public as it stands; `at` in the past dates it, twice does no harm. Raises Invalid for a future."""
    _apply_action(article_id, by, Action("publish", at))


def withdraw(article_id: int, by: User, reason: str) -> None:
    """Take a public story back: its address answers 410 with the reason. Raises Invalid without a reason."""
    _apply_action(article_id, by, Action("withdraw", note=reason))


def reinstate(article_id: int, by: User) -> None:
    """Bring a withdrawn story back as it was last saved, with its first date."""
    _apply_action(article_id, by, Action("reinstate"))


def restore(article_id: int, by: User, number: int, version: int) -> None:
    """Make a story what its revision `number` was, as a new revision; its state and dates stay.

    Raises Invalid where what it refers to is gone, Conflict, Forbidden, NotFound.
    """
    found = db.session.scalar(
        select(Revision).where(Revision.article_id == article_id, Revision.number == number)
    )
    if found is None:
        raise NotFoundError
    save(article_id, draft_from_revision(found.content), by, version, Action("restore"))


def set_related_override(article_id: int, by: User, related_id: int, kind: str = "") -> None:
    """Pin another story to a story ("pin"), keep the two apart ("forbid"), or forget what was decided ("").

    Raises Invalid, Forbidden, NotFound.
    """
    with db.write() as session:
        article = _load_article(session, article_id, by)
        _require_permission(by, "relate", article)
        set_override(session, article, by, related_id, kind)


def edit_note(
    article_id: int, by: User, note_id: int, kind: str, text: str, original_text: str
) -> None:
    """Change a note to readers, in place, with its date; `seen` is the text that the person began from.

    Raises Invalid, Conflict, Forbidden, NotFound.
    """
    text = check_note(kind, text)
    with db.write() as session:
        article, note = _load_note(session, article_id, by, "edit_note", note_id, original_text)
        if (note.kind, note.text) != (kind, text):
            note.kind, note.text = kind, text
            _add_note_revision(session, article, by, "edit_note", text)


def remove_note(article_id: int, by: User, note_id: int, original_text: str) -> None:
    """Take a note to readers off a story; the history keeps it. Raises Conflict, Forbidden, NotFound."""
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


def draft_from_revision(content: dict[str, Any]) -> Draft:
    """Return the draft that a revision holds; fields it does not know yet are empty."""
    known: dict[str, Any] = {
        name: tuple(it) if isinstance(it, list) else it
        for name, it in content.items()
        if name in DRAFT_FIELDS
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
            ensure_unique_slug(session, article)
            article.status, article.saved_at = "published", now
            clear_update_before_publication(article)
            outbox.append(session, article.id, "publish")
            add_revision(session, article, "publish", None, None, now)
        return len(articles)


def _apply_action(article_id: int, by: User, action: Action) -> None:
    """Take a step with a story as it was last saved."""
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
        raise ForbiddenError("This is a colleague's story; ask an editor.")
    return article


def _require_permission(by: User, action: str, article: Article | None) -> None:
    """Raise Forbidden where the table of permissions does not hold the verb."""
    if may(by, action, article):
        return
    state = STATUS_LABELS[article.status] if article is not None else "new"
    words = action.replace("_", " ")
    if is_publisher(by):
        raise ForbiddenError(
            f"The story is {state} now, so “{words}” is not possible. Reload it to see how it stands."
        )
    raise ForbiddenError(f"While a story is {state}, “{words}” is for editors. Ask one of them.")
