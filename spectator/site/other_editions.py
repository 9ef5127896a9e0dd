"""Links from a search to the stories that it finds in the other editions."""

from __future__ import annotations

from dataclasses import dataclass, replace

from spectator.editions import all_editions, current_edition
from spectator.formats import native_language_name
from spectator.search import Index, SearchRequest
from spectator.site.search_params import SearchParams


@dataclass(frozen=True, slots=True)
class OtherEdition:
    """An edition in which a search finds stories; `name` is what its speakers call the language."""

    language: str
    name: str
    url: str
    count: int


def other_editions(
    index: Index, search_request: SearchRequest, params: SearchParams
) -> list[OtherEdition]:
    """Return the other editions with stories that match every word, and the search in each.

    There are none if the search finds stories in all languages, nor on later pages. Raises
    IndexUnavailableError.
    """
    if search_request.has_language is None or search_request.page > 1:
        return []
    everywhere = index.find(replace(search_request, has_language=None, per_page=1))
    if everywhere.mode != "all":
        return []
    current, path = current_edition(), params.url()
    path = path.removeprefix(current.prefix)
    editions = []
    for edition in all_editions():
        counts = [
            count
            for tag, count in everywhere.facets.get("language", ())
            if edition.includes(tag) and not current.includes(tag)
        ]
        if edition != current and counts:
            name = native_language_name(edition.language)
            url = edition.prefix + path
            editions.append(OtherEdition(edition.language, name, url, sum(counts)))
    return editions
