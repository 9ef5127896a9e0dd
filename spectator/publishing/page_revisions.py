"""What each action on a standing page records: revision, pictures, outbox row."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from spectator import outbox
from spectator.db.functions import byte_length
from spectator.media import rendition_digests
from spectator.models import Page, PagePicture, PageRevision, Picture
from spectator.publishing.page_drafts import draft_from_page
from spectator.publishing.revisions import COPY_PERIOD, MAX_COPIED_BYTES, CopyLimitReached

# Actions whose requests send no text, but store the page's text again.
COPY_ACTIONS = ("withdraw", "reinstate", "restore", "rename")


def record(
    session: Session,
    page: Page,
    action: str,
    by_id: int | None,
    now: datetime,
    note: str = "",
) -> None:
    """Append the revision of a page and, if readers have seen it, an outbox row.

    Raises CopyLimitReached if a person stores too much text again without sending it.
    """
    session.flush()  # sets the page's new version
    content = asdict(draft_from_page(page))
    if action in COPY_ACTIONS and by_id is not None:
        _require_few_copies(session, content, by_id, now)
    number = session.scalar(
        select(func.max(PageRevision.number)).where(PageRevision.page_id == page.id)
    )
    session.add(
        PageRevision(
            page_id=page.id,
            number=(number or 0) + 1,
            version=page.version,
            action=action,
            note=note,
            content=content,
            made_at=now,
            made_by_id=by_id,
        )
    )
    update_page_pictures(session, page)
    if page.status != "draft":
        outbox.append(session, None, action, page.id)


def _require_few_copies(
    session: Session, content: dict[str, Any], by_id: int, now: datetime
) -> None:
    """Apply the limit on copies of stories to the revisions of pages."""
    is_copy = PageRevision.action.in_(COPY_ACTIONS) & (PageRevision.made_by_id == by_id)
    stored = func.sum(byte_length(PageRevision.content))
    query = select(stored).where(is_copy, PageRevision.made_at > now - COPY_PERIOD)
    copied = session.scalar(query)
    if copied and copied + len(json.dumps(content)) > MAX_COPIED_BYTES:
        raise CopyLimitReached


def update_page_pictures(session: Session, page: Page) -> None:
    """Store which pictures a page shows; mark those of a page that is or was public."""
    digests = rendition_digests(page.body)
    query = select(Picture.id).where(Picture.digest.in_(digests))
    picture_ids = set(session.scalars(query)) if digests else set()
    is_of_page = PagePicture.page_id == page.id
    stored_ids = set(session.scalars(select(PagePicture.picture_id).where(is_of_page)))
    if removed := stored_ids - picture_ids:
        session.execute(
            delete(PagePicture).where(is_of_page, PagePicture.picture_id.in_(removed))
        )
    if added := picture_ids - stored_ids:
        rows = [{"page_id": page.id, "picture_id": picture_id} for picture_id in sorted(added)]
        session.execute(insert(PagePicture), rows)
    if picture_ids and page.status != "draft":
        is_unmarked = Picture.id.in_(picture_ids) & ~Picture.was_public
        session.execute(update(Picture).where(is_unmarked).values(was_public=True))
