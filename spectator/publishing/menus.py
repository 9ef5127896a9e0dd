"""The menus: which standing pages the header and the footer link to, and in which order."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from spectator import outbox
from spectator.db import db
from spectator.i18n import gettext
from spectator.models import MENUS, MenuEntry, Page, User
from spectator.publishing.pages import require_publisher
from spectator.publishing.permissions import NotFoundError
from spectator.publishing.validation import ValidationError, clean_line

MAX_LABEL_LENGTH = 60
MAX_ENTRIES = 20  # every page of the site has them


def add_to_menu(menu: str, page_id: int, by: User, label: str = "") -> None:
    """Put a page at the end of a menu, unless it is there already.

    Raises ValidationError, ForbiddenError and NotFoundError.
    """
    require_publisher(by)
    _require_menu(menu)
    with db.write() as session:
        if session.get(Page, page_id) is None:
            raise NotFoundError
        entries = _entries(session, menu)
        if any(entry.page_id == page_id for entry in entries):
            return
        if len(entries) >= MAX_ENTRIES:
            raise ValidationError(
                {"page": gettext("This menu is full. Remove a page from it first.")}
            )
        position = entries[-1].position + 1 if entries else 1
        label = _clean_label(label)
        session.add(MenuEntry(menu=menu, page_id=page_id, position=position, label=label))
        outbox.append(session, None, "menu")


def rename_in_menu(menu: str, page_id: int, by: User, label: str) -> None:
    """Show a page under another name in a menu, "" for its title.

    Raises ForbiddenError and NotFoundError.
    """
    require_publisher(by)
    _require_menu(menu)
    with db.write() as session:
        entries = _entries(session, menu)
        entries[_index_of(entries, page_id)].label = _clean_label(label)
        outbox.append(session, None, "menu")


def move_in_menu(menu: str, page_id: int, by: User, is_up: bool) -> None:
    """Move a page one place up or down in a menu. Raises ForbiddenError and NotFoundError."""
    require_publisher(by)
    _require_menu(menu)
    with db.write() as session:
        entries = _entries(session, menu)
        index = _index_of(entries, page_id)
        other = index - 1 if is_up else index + 1
        if not 0 <= other < len(entries):
            return
        entries[index], entries[other] = entries[other], entries[index]
        for position, entry in enumerate(entries, 1):
            entry.position = position
        outbox.append(session, None, "menu")


def remove_from_menu(menu: str, page_id: int, by: User) -> None:
    """Take a page out of a menu; twice does no harm. Raises ForbiddenError and NotFoundError."""
    require_publisher(by)
    _require_menu(menu)
    with db.write() as session:
        if (entry := session.get(MenuEntry, (menu, page_id))) is not None:
            session.delete(entry)
            outbox.append(session, None, "menu")


def _clean_label(label: str) -> str:
    return clean_line(label[: 10 * MAX_LABEL_LENGTH])[:MAX_LABEL_LENGTH]


def _require_menu(menu: str) -> None:
    if menu not in MENUS:
        raise NotFoundError


def _entries(session: Session, menu: str) -> list[MenuEntry]:
    query = select(MenuEntry).where(MenuEntry.menu == menu)
    return list(session.scalars(query.order_by(MenuEntry.position, MenuEntry.page_id)))


def _index_of(entries: list[MenuEntry], page_id: int) -> int:
    for index, entry in enumerate(entries):
        if entry.page_id == page_id:
            return index
    raise NotFoundError
