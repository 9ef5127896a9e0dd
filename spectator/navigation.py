"""The sections in the navigation, in the language of the page, and the menus of standing pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from flask import Flask, current_app, has_request_context, request

from spectator import queries
from spectator.db import db
from spectator.editions import all_editions, current_edition
from spectator.i18n import current_language
from spectator.models import NameTranslation, Section
from spectator.pagecache import OUTBOX_NUMBER_ENVIRON_KEY
from spectator.urls import listing_path

_NAVIGATION_KEY = "spectator.navigation"  # in the environ of a request


@dataclass(frozen=True, slots=True)
class SectionLink:
    """A link to a section, with its name in the language of the page."""

    slug: str
    path: str
    name: str


@dataclass(frozen=True, slots=True)
class Navigation:
    """The sections in their order, their translations by (id, language), and the menus' pages.

    `links` are those of the pages so far, by language and path prefix of the edition.
    """

    sections: Sequence[Section]
    translations: Mapping[tuple[int, str], NameTranslation]
    menu_pages: Sequence[queries.MenuPage]
    links: dict[tuple[str, str], list[SectionLink]] = field(default_factory=dict)


def _load_navigation() -> Navigation:
    return Navigation(*queries.sections_with_translations(), queries.menu_pages())


def _navigation() -> Navigation:
    """Return the navigation, read once a request, for the page cache once an outbox number."""
    if not has_request_context():
        return _load_navigation()
    environ = request.environ
    if (cached := environ.get(_NAVIGATION_KEY)) is None:
        number = environ.get(OUTBOX_NUMBER_ENVIRON_KEY)
        cached = _load_navigation() if number is None else _navigation_at(number)
        environ[_NAVIGATION_KEY] = cached
    return cast(Navigation, cached)


def _navigation_at(number: int) -> Navigation:
    """Return the navigation at an outbox number, which all pages rendered at that number share."""
    by_outbox_number: dict[int, Navigation] = current_app.extensions["navigation"]
    if (cached := by_outbox_number.get(number)) is not None:
        return cached
    loaded = _load_navigation()
    for row in (*loaded.sections, *loaded.translations.values()):
        db.session.expunge(row)
    by_outbox_number.clear()
    by_outbox_number[number] = loaded
    return loaded


def navigation() -> Sequence[Section]:
    """Return the sections in the order of the navigation."""
    return _navigation().sections


def section_links() -> list[SectionLink]:
    """Return links to the sections, in the order of the navigation."""
    links, key = _navigation().links, (current_language(), current_edition().prefix)
    if key not in links:
        links[key] = [
            SectionLink(section.slug, listing_path(section), section_name(section))
            for section in navigation()
        ]
    return links[key]


def menu_links(menu: str) -> list[queries.MenuPage]:
    """Return the pages of a menu, "header" or "footer", whose language is that of the edition.

    An edition without any of its own shows those of the default edition.
    """
    links = [link for link in _navigation().menu_pages if link.menu == menu]
    editions = (current_edition(), all_editions()[0])
    of_editions = (
        [link for link in links if edition.includes(link.language)] for edition in editions
    )
    return next(filter(None, of_editions), [])


def section_name(section: Section) -> str:
    """Return the name of a section in the language of the page, or else its own."""
    translations = _navigation().translations
    row = translations.get((section.id, current_language())) if translations else None
    return (row and row.name) or section.name


def section_description(section: Section) -> str:
    """Return the description of a section in the language of the page, "" if it has none."""
    language = current_language()
    row = _navigation().translations.get((section.id, language))
    if row is not None and row.description:
        return row.description
    return section.description if language == current_app.extensions["language"] else ""


def register(app: Flask) -> None:
    """Prepare the navigations that pages share, by number of the outbox."""
    app.extensions["navigation"] = {}
