"""The links between the editions of a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import request

from spectator import queries
from spectator.editions import Edition, all_editions, current_edition, split_path
from spectator.formats import native_language_name
from spectator.site.search_params import parse_search_params
from spectator.text.words.language_tags import base_language

# Pages that every edition has.
COMMON_ENDPOINTS = frozenset({"site.archive", "site.search", "site.section"})


@dataclass(frozen=True, slots=True)
class EditionLink:
    """A link to another edition, or to this one: `name` is what its speakers call the language."""

    name: str
    language: str
    url: str
    is_current: bool


def edition_links(
    listing: queries.Listing | None = None, versions: Sequence[queries.LanguageVersion] = ()
) -> list[EditionLink]:
    """Return a link to each edition of a page, none if there is only one.

    It leads to the version in its language of a story, or to the page of the same listing, if it
    has stories there, else to the front page.
    """
    editions = all_editions()
    if len(editions) == 1:
        return []
    is_common, tags = request.endpoint in COMMON_ENDPOINTS, set[str]()
    if listing is not None and not is_common and listing.kind != "latest":
        tags = set(queries.language_counts(listing))
    path = _path_in_default_edition(listing)
    stories = {base_language(version.language): version.path for version in versions}
    stories.pop(base_language(current_edition().language), None)
    return [
        EditionLink(
            native_language_name(edition.language),
            edition.language,
            stories.get(base_language(edition.language))
            or edition.prefix + (path if is_common or _has_any(edition, tags) else "/"),
            edition == current_edition(),
        )
        for edition in editions
    ]


def _has_any(edition: Edition, tags: set[str]) -> bool:
    return any(map(edition.includes, tags))


def _path_in_default_edition(listing: queries.Listing | None) -> str:
    """Return the path of the page in the default edition, of a search with its parameters."""
    path = request.path if listing is None else listing.path
    if request.endpoint == "site.search":
        path = parse_search_params(request.args).url({"language": ""})
    return split_path(path)[1]
