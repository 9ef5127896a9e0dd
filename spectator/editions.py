"""Editions: the lists of a site in each of its languages, and which of them a page belongs to.

`SPECTATOR_LANGUAGES=en,fr` makes an English edition at / and a French one at /fr/. Stories have no
edition in their URL; their pages lead to the lists of their language's edition.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from flask import Flask, current_app, g, has_app_context, has_request_context, request
from werkzeug.routing import BaseConverter

from spectator import i18n
from spectator.text.words.language_tags import base_language

_FIRST_PART = re.compile("/([a-z]{2,3})(?=/)")


@dataclass(frozen=True, slots=True)
class Edition:
    """The lists of a site in a language.

    Their paths begin with `prefix`: "" or "/fr". They have the stories whose language is `only`
    ("" for any language) and none of `without`. Languages are without regions.
    """

    language: str
    prefix: str = ""
    only: str = ""
    without: frozenset[str] = frozenset()

    @property
    def has_all_stories(self) -> bool:
        """Whether no story is left out."""
        return not self.only and not self.without

    def includes(self, tag: str) -> bool:
        """Return whether stories with this language tag belong to the edition."""
        language = base_language(tag)
        return language not in self.without and (not self.only or language == self.only)


class EditionConverter(BaseConverter):
    """The first part of a path in a further edition, which comes before slugs of sections."""

    weight = 50

    def __init__(self, url_map: Any, *codes: str) -> None:
        super().__init__(url_map)
        self.regex = "|".join(codes)


def build_editions(languages: Sequence[str], default_has_all: bool) -> tuple[Edition, ...]:
    """Return the editions of a site with these languages; the first is at /."""
    first, *codes = languages
    without = frozenset() if default_has_all else frozenset(codes)
    default = Edition(i18n.closest_language(first), without=without)
    return (default, *(Edition(code, f"/{code}", only=code) for code in codes))


def all_editions() -> tuple[Edition, ...]:
    """Return the editions of the site, the default one first."""
    return cast("tuple[Edition, ...]", current_app.extensions["editions"])


def current_edition() -> Edition:
    """Return the edition to whose lists a page leads; outside of pages the default one."""
    if not has_app_context():
        return Edition(i18n.SOURCE_LANGUAGE)
    default, *others = all_editions()
    if not others or not has_request_context():
        return default
    return cast(Edition, g.get("edition", default))


def split_path(path: str) -> tuple[Edition, str]:
    """Return the edition of a path and the path in it: `/fr/politics/` is `/politics/` in French.

    Paths of nothing else begin like those of a further edition.
    """
    default, *others = all_editions()
    match = _FIRST_PART.match(path) if others else None
    edition = next((other for other in others if match and other.only == match[1]), default)
    return edition, path[len(edition.prefix) :]


def in_edition(path: str) -> str:
    """Return a path of the default edition in the current one: `/fr/archive/` of `/archive/`."""
    return f"{current_edition().prefix}{path}"


def follow_story(tag: str) -> None:
    """Write the rest of a page in the language of its story, and lead to that language's lists.

    Without a catalogue or an edition of that language the site's own stand in.
    """
    if language := i18n.language_of_readers(tag):
        i18n.set_language(language)
    g.edition = edition_of(tag)


@contextmanager
def as_readers_see(tag: str) -> Iterator[None]:
    """Write in the language of the page of a story with this tag, and lead to its edition."""
    previous = current_edition()
    g.edition = edition_of(tag)
    try:
        with i18n.use_language(i18n.story_page_language(tag)):
            yield
    finally:
        g.edition = previous


def edition_of(tag: str) -> Edition:
    """Return the edition to which stories with this language tag belong."""
    default, *others = all_editions()
    code = base_language(tag)
    return next((other for other in others if other.only == code), default)


def register(app: Flask) -> None:
    """Find the edition of each request, and build URLs in it; with one language do nothing."""
    has_all = app.config["DEFAULT_EDITION"] == "all"
    editions = build_editions(app.config["LANGUAGES"], default_has_all=has_all)
    app.extensions["editions"] = editions
    if len(editions) == 1:
        return

    @app.url_value_preprocessor
    def find_edition(_endpoint: str | None, values: dict[str, Any] | None) -> None:
        if values is not None:
            values.pop("edition", None)
        g.edition, _ = split_path(request.path)

    @app.before_request
    def write_in_its_language() -> None:
        if g.edition.prefix:
            i18n.set_language(g.edition.language)

    @app.url_defaults
    def stay_in_edition(endpoint: str, values: dict[str, Any]) -> None:
        prefix = current_edition().prefix
        if prefix and app.url_map.is_endpoint_expecting(endpoint, "edition"):
            values.setdefault("edition", prefix[1:])


def add_rules(app: Flask, endpoints: Sequence[str]) -> None:
    """Register the rules of these endpoints a second time, below the codes of the languages."""
    codes = [edition.only for edition in app.extensions["editions"][1:]]
    if not codes:
        return
    app.url_map.converters["edition"] = EditionConverter
    first_part = f"/<edition({','.join(codes)}):edition>"
    for rule in [rule for rule in app.url_map.iter_rules() if rule.endpoint in endpoints]:
        view = app.view_functions[rule.endpoint]
        app.add_url_rule(first_part + rule.rule, rule.endpoint, view, methods=["GET"])
