"""The parameters of a search URL, and the URLs of the same search with changes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import urlencode

from spectator import queries
from spectator.editions import current_edition, in_edition
from spectator.i18n import gettext
from spectator.search import FACETS, MAX_PAGE, LanguageTest, SearchRequest, Sort
from spectator.search.language.parser import FACET_KEYWORDS, MAX_QUERY_LENGTH
from spectator.text.words.normalization import normalize_text

FIELDS = ("q", *FACETS, "from", "to", "sort", "page")
SORTS: tuple[Sort, ...] = ("relevance", "newest", "oldest")
MAX_VALUE_LENGTH = 100

# The keyword in a query that has the same effect as a query parameter.
_FILTER_PREFIXES = {facet: word for word, facet in FACET_KEYWORDS.items()} | {
    "from": "after",
    "to": "before",
}
_QUOTE = '"“”„‟«»＂'
_MINUS = "[-−‐‑–﹣－]"


class InvalidFilter(ValueError):
    """A filter with an invalid value; the message says which."""


@dataclass(frozen=True, slots=True)
class SearchParams:
    """The query parameters of a search by name, normalized and truncated; "" for missing ones."""

    raw: Mapping[str, str]

    @property
    def text(self) -> str:
        """Return the reader's own words."""
        return self.raw["q"]

    @property
    def is_blank(self) -> bool:
        """Return whether there are neither words nor filters."""
        return not any(self.raw[name] for name in FIELDS if name not in {"sort", "page"})

    @property
    def title(self) -> str:
        """Return a short form of the search for the title of a page or feed."""
        return ", ".join(
            filter(None, (self.raw[name] for name in FIELDS if name not in {"sort", "page"}))
        )

    def to_search_request(self, per_page: int) -> SearchRequest:
        """Return the request for the index; raises InvalidFilter."""
        sort = next((name for name in SORTS if name == (self.raw["sort"] or "relevance")), None)
        if sort is None:
            raise InvalidFilter(gettext("Sort by relevance, newest or oldest."))
        if not re.fullmatch(r"[0-9]*", self.raw["page"]):
            raise InvalidFilter(gettext("The page must be a number."))
        return SearchRequest(
            text=self.text,
            **{name: self.raw[name] for name in FACETS},
            published_from=_parse_date(self.raw["from"]),
            published_to=_parse_date(self.raw["to"]),
            sort=sort,
            page=min(max(1, int(self.raw["page"] or 1)), MAX_PAGE + 1),
            per_page=per_page,
            article_ids=None,
            is_for_editors=False,
            has_language=None if self.raw["language"] else edition_test(),
            synonyms={},
        )

    def url(self, changes: Mapping[str, str] | None = None, path: str = "/search") -> str:
        """Return the URL of the same search in this edition, with changes, on its first page."""
        fields = {**self.raw, "page": "", **(changes or {})}
        fields["sort"] = fields["sort"].removeprefix("relevance")
        query = urlencode({name: fields[name] for name in FIELDS if fields[name]})
        return in_edition(f"{path}?{query}" if query else path)

    def changes_without(self, *names: str) -> dict[str, str]:
        """Return the changes that remove filters, in parameters or typed (`in:politics`)."""
        return dict.fromkeys(names, "") | self._text_without(f"{_MINUS}?", names)

    def changes_without_included(self, name: str) -> dict[str, str]:
        """Return the changes that remove a filter but keep its exclusions (`-in:politics`)."""
        return {name: ""} | self._text_without("", (name,))

    def changes_without_excluded(self, name: str) -> dict[str, str]:
        """Return the changes that remove the exclusions of a filter (`-in:politics`)."""
        return self._text_without(_MINUS, (name,))

    def _text_without(self, sign: str, names: Sequence[str]) -> dict[str, str]:
        words = "|".join(_FILTER_PREFIXES[name] for name in names)
        pattern = (
            rf"(?<!\S){sign}(?:{words})[:：](?:[{_QUOTE}][^{_QUOTE}]*[{_QUOTE}]|[^\s{_QUOTE}]+)"
        )
        return {"q": _collapse_whitespace(re.sub(pattern, " ", self.text, flags=re.IGNORECASE))}


def edition_test() -> LanguageTest | None:
    """Return the test of the languages that searches find in the current edition, None for all."""
    edition = current_edition()
    return None if edition.has_all_stories else edition.includes


def parse_search_params(arguments: Mapping[str, str]) -> SearchParams:
    """Return the search parameters of a URL; never raises."""
    limits = dict.fromkeys(FIELDS, MAX_VALUE_LENGTH) | {"q": MAX_QUERY_LENGTH}
    return SearchParams(
        {name: _clean(arguments.get(name, ""), limit) for name, limit in limits.items()}
    )


def with_synonyms(search_request: SearchRequest) -> SearchRequest:
    """Return a request that also finds the names of topics in other languages."""
    return replace(search_request, synonyms=queries.topic_synonyms(search_request.text))


def _clean(text: str, max_length: int) -> str:
    return _collapse_whitespace(normalize_text(text[:max_length]))[:max_length]


def _collapse_whitespace(text: str) -> str:
    return " ".join(text.split())


def _parse_date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InvalidFilter(
            gettext("Write dates as year-month-day, for example 2024-05-31.")
        ) from error
