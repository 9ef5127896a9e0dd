"""A search as its address asks for it, and the addresses that ask for a little more or less."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from spectator.search import FACETS, MAX_PAGE, Request, Sort
from spectator.search.query import FACET_WORDS, LONGEST_TEXT
from spectator.text.characters import normal_text

FIELDS = ("q", *FACETS, "from", "to", "sort", "page")
SORTS: tuple[Sort, ...] = ("relevance", "newest", "oldest")
LONGEST_VALUE = 100

# What is typed before a colon for the same as a field of the address.
_TYPED = {facet: word for word, facet in FACET_WORDS.items()} | {"from": "after", "to": "before"}
_QUOTE = '"“”„‟«»＂'
_MINUS = "[-−‐‑–﹣－]"


class BadFilter(ValueError):
    """A filter that cannot be read; the message says which."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader asks for, by field of the address, as it was given but clean and cut; "" where nothing was."""

    given: Mapping[str, str]

    @property
    def text(self) -> str:
        """Return the reader's own words."""
        return self.given["q"]

    @property
    def is_blank(self) -> bool:
        """Return whether neither words nor filters are given."""
        return not any(self.given[name] for name in FIELDS if name not in {"sort", "page"})

    @property
    def title(self) -> str:
        """Return the search in a few words, for the title of a page or feed."""
        return ", ".join(filter(None, (self.given[name] for name in FIELDS if name not in {"sort", "page"})))

    def request(self, per_page: int) -> Request:
        """Return what to ask the index for; raises BadFilter."""
        sort = next((each for each in SORTS if each == (self.given["sort"] or "relevance")), None)
        if sort is None:
            raise BadFilter("Sort by relevance, newest or oldest.")
        if not re.fullmatch(r"[0-9]*", self.given["page"]):
            raise BadFilter("The page is a number.")
        return Request(
            text=self.text,
            **{name: self.given[name] for name in FACETS},
            published_from=_day(self.given["from"]),
            published_to=_day(self.given["to"]),
            sort=sort,
            page=min(max(1, int(self.given["page"] or 1)), MAX_PAGE + 1),
            per_page=per_page,
            among=None,
        )

    def address(self, changes: Mapping[str, str] | None = None, path: str = "/search") -> str:
        """Return the address of the same search with some fields changed, at its first page unless one is named."""
        fields = {**self.given, "page": "", **(changes or {})}
        fields["sort"] = fields["sort"].removeprefix("relevance")
        query = urlencode({name: fields[name] for name in FIELDS if fields[name]})
        return f"{path}?{query}" if query else path

    def without(self, *names: str) -> dict[str, str]:
        """Return the changes that take filters away, those in the address and those that were typed (`in:politics`)."""
        return dict.fromkeys(names, "") | self._untyped(f"{_MINUS}?", names)

    def without_wanted(self, name: str) -> dict[str, str]:
        """Return the changes that take a filter away, but not what was excluded by it (`-in:politics`)."""
        return {name: ""} | self._untyped("", (name,))

    def without_excluded(self, name: str) -> dict[str, str]:
        """Return the changes that let in what was excluded (`-in:politics`)."""
        return self._untyped(_MINUS, (name,))

    def _untyped(self, sign: str, names: Sequence[str]) -> dict[str, str]:
        words = "|".join(_TYPED[name] for name in names)
        typed = rf"(?<!\S){sign}(?:{words})[:：](?:[{_QUOTE}][^{_QUOTE}]*[{_QUOTE}]|[^\s{_QUOTE}]+)"
        return {"q": _one_line(re.sub(typed, " ", self.text, flags=re.IGNORECASE))}


def asked_in(arguments: Mapping[str, str]) -> Asked:
    """Return the search in the arguments of an address, whatever they hold."""
    longest = dict.fromkeys(FIELDS, LONGEST_VALUE) | {"q": LONGEST_TEXT}
    return Asked({name: _clean(arguments.get(name, ""), most) for name, most in longest.items()})


def _clean(text: str, longest: int) -> str:
    return _one_line(normal_text(text[:longest]))[:longest]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise BadFilter("Write dates as year-month-day, for example 2024-05-31.") from error
