"""Standing pages and the menus that link to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload, undefer

from spectator.db import db
from spectator.models import MenuEntry, Page, PageRedirect, PageRevision

MAX_REVISIONS = 200


@dataclass(frozen=True, slots=True)
class MenuPage:
    """A public page in a menu: the text of the link, its path and the language of the page."""

    menu: str
    label: str
    path: str
    language: str


def _select_with_body() -> Select[Page]:
    return select(Page).options(undefer(Page.body), joinedload(Page.parent))


def page_by_path(path: str) -> Page | None:
    """Return the page that readers find, or found, at a path such as `/about/team`, for its page.

    It is public or withdrawn; at a former path it is the page with its present one.
    """
    query = _select_with_body().where(Page.status != "draft")
    page = db.session.scalar(query.where(Page.path == path[1:]))
    if page is None:
        former = select(PageRedirect.page_id).where(PageRedirect.path == path[1:])
        page = db.session.scalar(query.where(Page.id == former.scalar_subquery()))
    return page


def page_to_edit(page_id: int) -> Page | None:
    """Return a page with its body and parent, whatever its status."""
    return db.session.scalar(_select_with_body().where(Page.id == page_id))


def all_pages() -> Sequence[Page]:
    """Return all pages without their bodies, by path; those below a page follow it."""
    return sorted(db.session.scalars(select(Page)), key=lambda page: page.path.split("/"))


def public_pages() -> Sequence[Page]:
    """Return the pages that readers may see, for exports and site maps."""
    query = select(Page).where(Page.status == "published")
    return db.session.scalars(query.order_by(Page.path)).all()


def pages_by_external_id(external_ids: Collection[str]) -> dict[str, int]:
    """Return the ids of imported pages by the ids that they have in their source."""
    query = select(Page.external_id, Page.id).where(Page.external_id.in_(external_ids))
    return {row.external_id: row.id for row in db.session.execute(query) if row.external_id}


def page_paths(page_ids: Collection[int]) -> list[str]:
    """Return every path under which readers may have seen these pages."""
    current = select(Page.path).where(Page.id.in_(page_ids))
    former = select(PageRedirect.path).where(PageRedirect.page_id.in_(page_ids))
    return [f"/{path}" for path in db.session.scalars(current.union(former).order_by("path"))]


def page_revisions(page_id: int) -> Sequence[PageRevision]:
    """Return the newest revisions of a page, newest first."""
    query = select(PageRevision).where(PageRevision.page_id == page_id)
    query = query.options(joinedload(PageRevision.made_by)).limit(MAX_REVISIONS)
    return db.session.scalars(query.order_by(PageRevision.number.desc())).all()


def page_revision(page_id: int, number: int) -> PageRevision | None:
    """Return a revision of a page with the person who made it, None if there is none."""
    query = select(PageRevision).options(joinedload(PageRevision.made_by))
    return db.session.scalar(
        query.where(PageRevision.page_id == page_id, PageRevision.number == number)
    )


def pages_revised_after(revision_id: int) -> tuple[set[int], int]:
    """Return the pages with revisions after an id, and the id of the last revision read."""
    query = select(PageRevision.id, PageRevision.page_id).where(PageRevision.id > revision_id)
    rows = db.session.execute(query.order_by(PageRevision.id).limit(500)).all()
    return {row.page_id for row in rows}, rows[-1].id if rows else revision_id


def newest_page_revision_id() -> int:
    """Return the highest id of a revision of a page, 0 if there is none."""
    return db.session.scalar(select(func.max(PageRevision.id))) or 0


def menu_entries() -> Mapping[str, list[MenuEntry]]:
    """Return the entries of each menu in their order, with their pages of any status."""
    entries: dict[str, list[MenuEntry]] = {}
    query = select(MenuEntry).options(joinedload(MenuEntry.page, innerjoin=True))
    for entry in db.session.scalars(query.order_by(MenuEntry.position, MenuEntry.page_id)):
        entries.setdefault(entry.menu, []).append(entry)
    return entries


def menu_pages() -> Sequence[MenuPage]:
    """Return the public pages of the menus, in their order."""
    label = func.coalesce(func.nullif(MenuEntry.label, ""), Page.title)
    query = (
        select(MenuEntry.menu, label, Page.path, Page.language)
        .join(Page, Page.id == MenuEntry.page_id)
        .where(Page.status == "published")
        .order_by(MenuEntry.position, MenuEntry.page_id)
    )
    return [
        MenuPage(menu, text, f"/{path}", tag)
        for menu, text, path, tag in db.session.execute(query)
    ]
