"""The import of standing pages, under the merge rule of stories (`import_merge`).

A repeated import changes only fields that nobody has edited here since; a page that an editor
withdrew stays withdrawn, and a run without changes writes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, undefer

from spectator.db import StorageError, db, take_turns
from spectator.i18n import gettext
from spectator.models import Page, PageImport
from spectator.publishing.import_merge import fingerprint
from spectator.publishing.imported_articles import ImportResult
from spectator.publishing.page_addresses import page_path, set_path
from spectator.publishing.page_drafts import PageDraft, draft_from_page, prepare_page
from spectator.publishing.page_revisions import record
from spectator.publishing.pages import copy_fields
from spectator.publishing.validation import ValidationError
from spectator.text.words.slugs import is_slug, slugify

log = logging.getLogger(__name__)
BATCH_SIZE = 50
FIELDS = ("title", "body", "slug", "parent", "language", "description")
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ImportedPage:
    """A page as an importer provides it; importing an `external_id` again updates the page.

    `parent` is the external id of the page above it, "" for none, and wins over that of the draft.
    Pages nest one level here: those deeper in the source come below their topmost parent. `status`
    is that of a page; datetimes are aware.
    """

    draft: PageDraft
    external_id: str
    parent: str = ""
    status: str = "draft"
    published_at: datetime | None = None
    updated_at: datetime | None = None
    location: str = ""  # in the source, for the report


class _DryRunRollback(Exception):
    """The signal that rolls back the transaction of a dry run."""


def import_pages(
    pages: Sequence[ImportedPage], overwrite: bool = False, is_dry: bool = False
) -> ImportResult:
    """Store all pages of a source, parents first; a dry run rolls back.

    With `overwrite` the source wins over edits, but not over a withdrawal. A page that cannot be
    stored is refused without affecting the others. A slug that is taken or reserved gets a number.
    """
    result, parents = ImportResult(), {page.external_id: page.parent for page in pages}
    prepared = []
    for page in sorted(pages, key=lambda page: bool(page.parent)):
        draft = page.draft
        if draft.slug and not is_slug(draft.slug):
            draft = replace(draft, slug=slugify(draft.slug))
        try:
            draft = prepare_page(draft)
        except ValidationError as invalid:
            result.refuse(page.location, str(invalid))
            continue
        top = _topmost_parent(page.external_id, parents)
        prepared.append(replace(page, draft=draft, parent=top))
    for start in take_turns(range(0, len(prepared), BATCH_SIZE)):
        batch = prepared[start : start + BATCH_SIZE]
        result.add(_import_batch(batch, overwrite, is_dry))
    return result


def _topmost_parent(external_id: str, parents: Mapping[str, str]) -> str:
    """Return the external id of the page at the top above a page, "" if there is none."""
    path = [external_id]
    while (parent := parents.get(path[-1], "")) and parent not in path:
        path.append(parent)
    return path[-1] if len(path) > 1 else ""


def _import_batch(pages: Sequence[ImportedPage], overwrite: bool, is_dry: bool) -> ImportResult:
    result = ImportResult()
    with suppress(_DryRunRollback), db.write() as session:
        for page in pages:
            try:
                with session.begin_nested():
                    _import_page(session, page, overwrite, result)
            except (OperationalError, StorageError):
                raise  # the database is locked, full or unreachable, which no page causes
            except ValidationError as invalid:
                result.refuse(page.location, str(invalid))
            except Exception as error:
                log.debug("importing a page failed", exc_info=True)
                reason = gettext("cannot be stored: %(error)s", error=error)
                result.refuse(page.location, reason)
        if is_dry:
            raise _DryRunRollback
    return result


def _import_page(
    session: Session, source: ImportedPage, overwrite: bool, result: ImportResult
) -> None:
    """Add a page, or change the fields of the stored one that the source may change."""
    pages = select(Page).options(undefer(Page.body))
    parent = session.scalar(pages.where(Page.external_id == source.parent))
    is_top = parent is not None and parent.parent_id is None
    draft = replace(source.draft, parent=parent.id if parent and is_top else None)
    source = replace(source, draft=draft)
    stored = session.scalar(pages.where(Page.external_id == source.external_id))
    if stored is None:
        _add_page(session, source)
        result.added += 1
        return
    if stored.status != "draft" and source.status == "draft":
        source = replace(source, status="withdrawn")  # its address must not become a plain 404
    preserved, is_changed = _update_page(session, stored, source, overwrite)
    if preserved:
        result.preserve(source.location, ", ".join(preserved))
    if is_changed:
        result.updated += 1
    else:
        result.unchanged += 1


def _add_page(session: Session, source: ImportedPage) -> None:
    now = datetime.now(UTC)
    page = Page(external_id=source.external_id, created_at=now, withdrawn_reason="")
    page.status, page.published_at = source.status, source.published_at
    if source.status != "draft":
        page.published_at = source.published_at or now
    _store(session, page, source.draft, source, now)
    _remember(session, page, _values(source.draft, page.status, source.published_at), now)


def _update_page(
    session: Session, stored: Page, source: ImportedPage, overwrite: bool
) -> tuple[list[str], bool]:
    """Change a stored page; return what stays as edited, and whether anything was changed."""
    now, state = datetime.now(UTC), session.get(PageImport, stored.id)
    base = state.source_values if state is not None else {}
    values = _values(source.draft, source.status, source.published_at)
    accepted, preserved, merged = _merge(base, values, stored, overwrite)
    if accepted:
        if "publication" in accepted:
            _set_status(stored, source, now)
        changes = {name: getattr(source.draft, name) for name in FIELDS if name in accepted}
        _store(session, stored, replace(draft_from_page(stored), **changes), source, now)
    if accepted or merged != {name: base.get(name) for name in merged}:
        _remember(session, stored, merged, now)
    return preserved, bool(accepted)


def _values(draft: PageDraft, status: str, published_at: datetime | None) -> Values:
    """Return the comparable values of a page: hashes of texts, an id, a status with its date."""
    values: Values = {name: fingerprint(getattr(draft, name)) for name in ("title", "body")}
    values |= {"description": fingerprint(draft.description), "parent": draft.parent or 0}
    date = published_at.astimezone(UTC).isoformat() if published_at and status != "draft" else ""
    return values | {
        "slug": draft.slug,
        "language": draft.language,
        "publication": f"{status} {date}",
    }


def _merge(
    base: Values, source: Values, stored: Page, overwrite: bool
) -> tuple[set[str], list[str], Values]:
    """Return which fields the source changes, which stay as edited, and the values to remember."""
    current = _values(draft_from_page(stored), stored.status, stored.published_at)
    last_imported = base | {"slug": base.get("given_slug", base.get("slug"))}
    was_withdrawn = str(base.get("publication", "")).startswith("withdrawn")
    is_withdrawn_here = stored.status == "withdrawn" and not was_withdrawn
    accepted, preserved, merged = set(), [], {name: base.get(name) for name in source}
    for name, value in source.items():
        is_edited = current[name] != last_imported.get(name)
        if value == current[name]:
            merged[name] = value
        elif (name == "slug" and not value) or (value == base.get(name) and not is_edited):
            continue
        elif name == "publication" and is_withdrawn_here:
            preserved.append(gettext("stays withdrawn"))
        elif overwrite or (not is_edited and value != base.get(name)):
            accepted.add(name)
            merged[name] = value
        else:
            preserved.append(name)
    return accepted, preserved, merged


def _set_status(page: Page, source: ImportedPage, now: datetime) -> None:
    page.status = source.status
    page.published_at = source.published_at or page.published_at
    if page.is_public:
        page.published_at = page.published_at or now
    page.withdrawn_at = now if page.status == "withdrawn" else None
    page.withdrawn_reason = ""


def _store(
    session: Session, page: Page, draft: PageDraft, source: ImportedPage, now: datetime
) -> None:
    """Write the fields of a page with its revision, and of the pages that move with it."""
    with session.no_autoflush:
        moved = set_path(session, page, page_path(session, page, draft, may_number=True))
        copy_fields(page, draft)
        page.saved_at = now
        if source.updated_at and page.published_at and source.updated_at > page.published_at:
            page.updated_at = source.updated_at
        session.add(page)
    record(session, page, "import", None, now)
    for child in moved:
        session.refresh(child, ["body"])
        child.saved_at = now
        record(session, child, "rename", None, now)


def _remember(session: Session, page: Page, values: Values, now: datetime) -> None:
    """Store the source's values for the next import, and the slug that the page got."""
    values = values | {"given_slug": page.slug}
    session.merge(PageImport(page_id=page.id, imported_at=now, source_values=values))
