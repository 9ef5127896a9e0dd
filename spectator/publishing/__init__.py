"""Every action on an article. The only writer of articles and of the outbox rows about them.

Each action loads the story with all its collections inside one `db.write()`, then writes
article, revision and outbox row in one commit. `actions` is the table of actions: who may take
them, and what each one does to the story.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from spectator.db import StorageError, db, take_turns
from spectator.db.clock import current_time
from spectator.models import Article, Revision, User
from spectator.publishing.actions import ACTIONS, apply_effect, validate_action
from spectator.publishing.articles import (
    apply_draft,
    draft_from_article,
    has_same_text,
    keep_slug_if_taken,
)
from spectator.publishing.effects import Action
from spectator.publishing.fields import FIELDS, Draft
from spectator.publishing.imported_articles import ImportedArticle, ImportResult
from spectator.publishing.imports import import_batch
from spectator.publishing.listings import (
    apply_time_zone,
    are_listings_correct,
    correct_listings,
    repair_listings,
)
from spectator.publishing.name_translations import (
    OWN,
    NameText,
    stored_texts,
    texts_version,
    translate_name,
)
from spectator.publishing.notes import edit_note, remove_note
from spectator.publishing.old_addresses import register_old_addresses
from spectator.publishing.permissions import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    allowed_actions,
    is_publisher,
    load_article,
    may,
    may_edit,
    require_permission,
)
from spectator.publishing.pictures import set_has_avif
from spectator.publishing.related import set_override
from spectator.publishing.revisions import (
    CopyLimitReached,
    add_revision,
    draft_from_revision,
)
from spectator.publishing.slugs import unique_slug
from spectator.publishing.spellings import (
    SimilarNamesError,
    SpellingAnswer,
    SpellingQuestion,
    replace_former_spellings,
    resolve_spellings,
)
from spectator.publishing.taxonomy import add_picture, add_section
from spectator.publishing.translations import (
    append_changes,
    check_publication,
    known_original_id,
    known_reference,
    mark_checked,
    public_version,
    set_original,
)
from spectator.publishing.validation import PreparedDraft, ValidationError, prepare

log = logging.getLogger(__name__)

__all__ = [
    "ACTIONS",
    "FIELDS",
    "OWN",
    "Action",
    "ConflictError",
    "CopyLimitReached",
    "Draft",
    "DuplicateSubmission",
    "ForbiddenError",
    "ImportResult",
    "ImportedArticle",
    "NameText",
    "NotFoundError",
    "PreparedDraft",
    "SimilarNamesError",
    "SpellingAnswer",
    "SpellingQuestion",
    "ValidationError",
    "add_picture",
    "add_section",
    "allowed_actions",
    "apply_action",
    "apply_time_zone",
    "are_listings_correct",
    "correct_listings",
    "create",
    "draft_from_article",
    "draft_from_revision",
    "edit_note",
    "import_batch",
    "is_publisher",
    "known_original_id",
    "known_reference",
    "mark_checked",
    "may",
    "may_edit",
    "prepare",
    "publish_due",
    "register_old_addresses",
    "remove_note",
    "repair_listings",
    "restore",
    "save",
    "set_has_avif",
    "set_related_override",
    "stored_texts",
    "texts_version",
    "translate_name",
    "unique_slug",
]

SAVE = Action()


class DuplicateSubmission(Exception):
    """The same form was already stored; `article_id` is the story that it created."""

    def __init__(self, article_id: int) -> None:
        super().__init__(f"stored as story {article_id}")
        self.article_id = article_id


def create(
    draft: Draft | PreparedDraft,
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
    require_permission(by, action.name, None)
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
        set_original(session, article, prepared.draft, by)
        apply_draft(session, article, prepared, now)
        apply_effect(session, article, action, now)
        append_changes(session, article, None)
        revision_action = "create" if action.name == "save" else action.name
        add_revision(session, article, revision_action, prepared.draft, by.id, now, action.note)
        return article.id


def save(
    article_id: int,
    draft: Draft | PreparedDraft,
    by: User,
    version: int,
    action: Action = SAVE,
    spelling_answers: Iterable[SpellingAnswer] = (),
    *,
    copies_text: bool = False,
) -> None:
    """Store a person's changes and take an action in the same commit.

    Readers see changes to a public story at once. `version` is the version that the person
    edited; `spelling_answers` answers the questions of SimilarNamesError; `copies_text` says that
    the text comes from the story, not from the person.

    Raises ValidationError (SimilarNamesError is one), ConflictError, ForbiddenError, NotFoundError
    and CopyLimitReached.
    """
    prepared, action = prepare(draft), validate_action(action)
    now = datetime.now(UTC)
    with db.write() as session:
        article = load_article(session, article_id, by)
        if article.version != version:
            raise ConflictError
        require_permission(by, action.name, article)
        if action.name == "restore":
            copies_text = True
            prepared = keep_slug_if_taken(
                session, replace_former_spellings(session, prepared, by), article
            )
        else:
            prepared = resolve_spellings(session, prepared, by, spelling_answers, now, article_id)
        action = replace(action, changes_text=not has_same_text(article, prepared.draft))
        before = public_version(article)
        set_original(session, article, prepared.draft, by)
        apply_draft(session, article, prepared, now)
        apply_effect(session, article, action, now)
        append_changes(session, article, before)
        add_revision(
            session,
            article,
            action.name,
            prepared.draft,
            by.id,
            now,
            action.note,
            copies_text=copies_text,
        )


def apply_action(article_id: int, by: User, action: Action) -> None:
    """Take an action on the latest saved version of a story; publishing it twice does no harm.

    Raises ValidationError, ForbiddenError, NotFoundError and CopyLimitReached.
    """
    action, now = validate_action(action), datetime.now(UTC)
    with db.write() as session:
        article = load_article(session, article_id, by)
        if action.name == "publish" and article.is_public and is_publisher(by):
            return  # the button was pressed twice
        require_permission(by, action.name, article)
        if action.name in {"publish", "reinstate"}:
            check_publication(session, article)
        before = public_version(article)
        apply_effect(session, article, action, now)
        article.saved_at = now
        append_changes(session, article, before)
        add_revision(session, article, action.name, None, by.id, now, action.note)


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
    draft = draft_from_revision(revision.content)
    draft = replace(draft, translation_of=known_reference(draft.translation_of, by))
    save(article_id, draft, by, version, Action("restore"))


def set_related_override(article_id: int, by: User, related_id: int, kind: str = "") -> None:
    """Pin a related story ("pin"), block it ("forbid"), or remove the editor's decision ("").

    Raises ValidationError, ForbiddenError and NotFoundError.
    """
    with db.write() as session:
        article = load_article(session, article_id, by)
        require_permission(by, "relate", article)
        set_override(session, article, by, related_id, kind)


def publish_due(now: datetime | None = None) -> int:
    """Publish every scheduled story whose time has come and return their number.

    Each is published in a transaction of its own: one that cannot be is logged, and does not hold
    up the others. Running it twice does no harm.
    """
    now = now or current_time()
    is_due = (Article.status == "scheduled") & (Article.published_at <= now)
    ids = db.session.scalars(
        select(Article.id).where(is_due).order_by(Article.published_at)
    ).all()
    published = 0
    for article_id in take_turns(ids):
        query = select(Article).where(is_due, Article.id == article_id)
        try:
            with db.write() as session:
                section = joinedload(Article.section, innerjoin=True)
                if article := session.scalar(query.options(section)):
                    apply_effect(session, article, Action("publish", article.published_at), now)
                    article.saved_at = now
                    append_changes(session, article, None)
                    add_revision(session, article, "publish", None, None, now)
                    published += 1
        except StorageError:
            raise  # the database is locked, full or unreachable, which no story causes
        except Exception as error:
            is_unexpected = not isinstance(error, ValidationError)
            log.error(
                "scheduled story %s cannot be published: %s",
                article_id,
                error,
                exc_info=is_unexpected,
            )
    return published
