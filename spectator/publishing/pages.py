"""Every action on a standing page. Editors and administrators may take them; authors may not.

Each writes the page, its revision and, if readers have seen the page, an outbox row in one commit.
Pages in menus are on every page of the site, so an outbox row makes all cached pages stale.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from spectator.db import db
from spectator.i18n import gettext
from spectator.models import Page, PageRevision, User
from spectator.publishing.page_addresses import page_path, set_path
from spectator.publishing.page_drafts import (
    PageDraft,
    draft_from_page,
    page_draft_from_revision,
    prepare_page,
)
from spectator.publishing.page_revisions import record
from spectator.publishing.permissions import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    is_publisher,
)
from spectator.publishing.validation import (
    MAX_NOTE_LENGTH,
    ValidationError,
    clean_line,
    note_too_long,
)


@dataclass(frozen=True, slots=True)
class PageAction:
    """An action on a page: from which statuses, and the status after it ("" for the same)."""

    statuses: str
    status: str = ""


# docs/roles.md describes this table.
PAGE_ACTIONS = {
    "save": PageAction("new draft withdrawn"),
    "publish": PageAction("new draft", "published"),
    "update": PageAction("published"),
    "withdraw": PageAction("published", "withdrawn"),
    "reinstate": PageAction("withdrawn", "published"),
    "restore": PageAction("draft published withdrawn"),
}


class DuplicatePage(Exception):
    """The same form was already stored; `page_id` is the page that it created."""

    def __init__(self, page_id: int) -> None:
        super().__init__(f"stored as page {page_id}")
        self.page_id = page_id


def page_actions(page: Page | None) -> list[str]:
    """Return the actions that editors may take on a page (None: a new one)."""
    status = page.status if page is not None else "new"
    return [name for name, rule in PAGE_ACTIONS.items() if status in rule.statuses.split()]


def require_publisher(by: User) -> None:
    """Raise ForbiddenError unless the person is an editor or administrator."""
    if not is_publisher(by):
        raise ForbiddenError(gettext("Only editors can open this page."))


def create_page(draft: PageDraft, by: User, action: str = "save", form_id: str = "") -> int:
    """Store a new page, as a draft or published, and return its id.

    `form_id` identifies the form that was sent: sending it again raises DuplicatePage. Raises
    ValidationError and ForbiddenError.
    """
    require_publisher(by)
    draft, now = prepare_page(draft), datetime.now(UTC)
    with db.write() as session:
        if form_id:
            stored_id = session.scalar(select(Page.id).where(Page.form_id == form_id))
            if stored_id is not None:
                raise DuplicatePage(stored_id)
        page = Page(status="draft", form_id=form_id or None, created_at=now, withdrawn_reason="")
        _apply(session, page, draft, now)
        _set_status(page, _require_action(None, action), now)
        record(session, page, "create" if action == "save" else action, by.id, now)
        return page.id


def save_page(
    page_id: int, draft: PageDraft, by: User, version: int, action: str = "save"
) -> None:
    """Store changes of a page and take an action; readers see changes of a public page at once.

    `version` is the version that the person edited. Raises ValidationError, ConflictError,
    ForbiddenError and NotFoundError.
    """
    require_publisher(by)
    draft, now = prepare_page(draft), datetime.now(UTC)
    with db.write() as session:
        page = load_page(session, page_id)
        if page.version != version:
            raise ConflictError
        rule = _require_action(page, action)
        if action == "restore":
            draft = _with_possible_address(session, page, draft)
        moved = _apply(session, page, draft, now)
        if page.is_public:
            page.updated_at = now
        _set_status(page, rule, now)
        record(session, page, action, by.id, now)
        for child in moved:
            record(session, child, "rename", by.id, now)


def apply_page_action(page_id: int, by: User, action: str, reason: str = "") -> None:
    """Withdraw a page, with a reason that readers see, or publish it again.

    Doing so twice does no harm. Raises ValidationError, ConflictError, ForbiddenError,
    NotFoundError and CopyLimitReached.
    """
    require_publisher(by)
    reason = _clean_reason(action, reason)
    now = datetime.now(UTC)
    with db.write() as session:
        page = load_page(session, page_id)
        if page.status == PAGE_ACTIONS[action].status:
            return
        _set_status(page, _require_action(page, action), now)
        page.saved_at, page.withdrawn_reason = now, reason
        record(session, page, action, by.id, now, reason)


def restore_page(page_id: int, by: User, number: int, version: int) -> None:
    """Save revision `number` as the newest one; the status does not change.

    Raises ValidationError, ConflictError, ForbiddenError, NotFoundError and CopyLimitReached.
    """
    query = select(PageRevision.content).where(PageRevision.page_id == page_id)
    content = db.session.scalar(query.where(PageRevision.number == number))
    if content is None:
        raise NotFoundError
    save_page(page_id, page_draft_from_revision(content), by, version, "restore")


def load_page(session: Session, page_id: int) -> Page:
    """Return a page that will be changed, with its body. Raises NotFoundError."""
    query = select(Page).options(undefer(Page.body)).where(Page.id == page_id)
    if (page := session.scalar(query)) is None:
        raise NotFoundError
    return page


def _require_action(page: Page | None, action: str) -> PageAction:
    """Return the rule of an action. Raises ConflictError if the page's status excludes it."""
    if action not in page_actions(page):
        raise ConflictError
    return PAGE_ACTIONS[action]


def _set_status(page: Page, rule: PageAction, now: datetime) -> None:
    page.status = rule.status or page.status
    if page.is_public:
        page.published_at = page.published_at or now
    page.withdrawn_at = (page.withdrawn_at or now) if page.status == "withdrawn" else None


def _clean_reason(action: str, reason: str) -> str:
    if action != "withdraw":
        return ""
    if len(reason) > MAX_NOTE_LENGTH:
        raise ValidationError({"reason": note_too_long()})
    line = clean_line(reason)
    if not line:
        raise ValidationError({"reason": gettext("Give a reason. Readers will see it.")})
    return line


def _apply(session: Session, page: Page, draft: PageDraft, now: datetime) -> list[Page]:
    """Copy a prepared draft to a page; return the pages below it that moved with it."""
    with session.no_autoflush:
        moved = set_path(session, page, page_path(session, page, draft))
        copy_fields(page, draft)
        page.saved_at = now
        session.add(page)
    session.flush()
    for child in moved:
        session.refresh(child, ["body"])
        child.saved_at = now
    return moved


def copy_fields(page: Page, draft: PageDraft) -> None:
    """Copy the fields of a draft to a page, except the path."""
    page.title, page.body, page.parent_id = draft.title, draft.body, draft.parent
    page.language, page.description = draft.language, draft.description


def _with_possible_address(session: Session, page: Page, draft: PageDraft) -> PageDraft:
    """Return the draft of an old revision, with the present address if its own is taken."""
    current = draft_from_page(page)
    try:
        page_path(session, page, draft)
    except ValidationError:
        return replace(draft, slug=current.slug, parent=current.parent)
    return draft
