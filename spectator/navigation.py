"""The sections in the navigation, and their names and descriptions in the language of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from flask import current_app, has_request_context, request

from spectator import queries
from spectator.db import db
from spectator.i18n import current_language
from spectator.models import NameTranslation, Section
from spectator.pagecache import EDITION_ENVIRON_KEY

_NAVIGATION_KEY = "spectator.navigation"  # in the environ of a request


@dataclass(frozen=True, slots=True)
class Navigation:
    """The sections in their order, and their translations by (id, language)."""

    sections: Sequence[Section]
    translations: Mapping[tuple[int, str], NameTranslation]


def _load_navigation() -> Navigation:
    return Navigation(queries.sections(), queries.name_translations("section"))


def _navigation() -> Navigation:
    """Return the navigation, cached for the current edition or, without one, for the request."""
    if not has_request_context():
        return _load_navigation()
    edition = request.environ.get(EDITION_ENVIRON_KEY)
    if edition is None:
        if _NAVIGATION_KEY not in request.environ:
            request.environ[_NAVIGATION_KEY] = _load_navigation()
        return cast(Navigation, request.environ[_NAVIGATION_KEY])
    by_edition: dict[int, Navigation] = current_app.extensions["navigation"]
    if (cached := by_edition.get(edition)) is not None:
        return cached
    loaded = _load_navigation()
    for row in (*loaded.sections, *loaded.translations.values()):
        db.session.expunge(row)
    by_edition.clear()
    by_edition[edition] = loaded
    return loaded


def navigation() -> Sequence[Section]:
    """Return the sections in the order of the navigation."""
    return _navigation().sections


def section_name(section: Section) -> str:
    """Return the name of a section in the language of the page, or else its own."""
    row = _navigation().translations.get((section.id, current_language()))
    return (row and row.name) or section.name


def section_description(section: Section) -> str:
    """Return the description of a section in the language of the page, "" if it has none."""
    language = current_language()
    row = _navigation().translations.get((section.id, language))
    if row is not None and row.description:
        return row.description
    return section.description if language == current_app.extensions["language"] else ""
