"""What a page of results shows: stories with their passages, and the links that narrow, widen and turn the pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from spectator import queries
from spectator.models import Article
from spectator.presentation import long_date
from spectator.search import FACETS, MAX_PAGE, Found
from spectator.search.query import MOST_CLAUSES
from spectator.site.asked import SORTS, Asked
from spectator.text.html import plain_text
from spectator.text.languages import language_name
from spectator.text.snippets import highlight, snippet

Names = Mapping[tuple[str, str], str]

PER_PAGE = 10
FIRST_VALUES = 6  # of a facet; the others wait behind “more”
MOST_YEARS = 40
BAR_STEP, BAR_HEIGHT = 10, 40  # in the units of the drawing
LABELS = {"section": "Section", "country": "Country", "topic": "Topic", "author": "Author", "language": "Language"}
ORDERS = {"relevance": "Best match", "newest": "Newest first", "oldest": "Oldest first"}


@dataclass(frozen=True, slots=True)
class Result:
    """A hit: the story, its headline and its best passage as (piece, is_hit) pairs."""

    article: Article
    headline: list[tuple[str, bool]]
    snippet: list[tuple[str, bool]]


@dataclass(frozen=True, slots=True)
class Choice:
    """A link to the same search with one thing changed, and how many stories it leads to."""

    label: str
    url: str
    count: int = 0
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """A year in the drawing; `x` and `height` are in its units, and a year without stories has no height."""

    year: Choice
    x: int
    height: int


def shown(asked: Asked, found: Found) -> dict[str, object]:
    """Return all that the templates show of an answer."""
    names = names_of(found)
    years = year_choices(asked, found)
    unfiltered = asked.without("from", "to", *FACETS)
    return {
        "found": found,
        "results": results_of(found),
        "remarks": remarks(found),
        "chips": chips(asked, found, names),
        "facets": facets(asked, found, names),
        "years": [each for each in years if each.count],
        "bars": bars(years),
        "orders": [_order(asked, sort) for sort in SORTS],
        "meant": Choice(found.meant, asked.address({"q": found.meant})) if found.meant else None,
        "words": [Choice(word, asked.address(unfiltered | {"q": word}), count) for word, count in found.words],
        "whole_url": asked.address(unfiltered),
        "feed_url": asked.address({"sort": ""}, path="/search/feed.xml"),
    } | pager(asked, found)


def results_of(found: Found) -> list[Result]:
    """Return the stories found with their highlighted passages; one withdrawn a moment ago is left out."""
    return [
        Result(
            article,
            highlight(article.headline, found.terms, found.prefixes),
            snippet(plain_text(article.body), found.terms, prefixes=found.prefixes),
        )
        for article in queries.articles_by_id(found.ids, has_bodies=True)
    ]


def names_of(found: Found) -> Names:
    """Return what the values of all facets are called, by (facet, slug)."""
    slugs: dict[str, set[str]] = {name: {slug for slug, _ in found.facets.get(name, ())} for name in FACETS}
    for name, slug in (*found.chosen, *found.excluded):
        slugs[name].add(slug)
    return queries.filed_names(slugs) | {("language", tag): language_name(tag) for tag in slugs["language"]}


def facets(asked: Asked, found: Found, names: Names) -> list[tuple[str, list[Choice], list[Choice]]]:
    """Return (label, first values, other values) of each facet that has something to choose from."""
    groups = []
    for name in FACETS:
        values = [_value(asked, found, names, name, slug, count) for slug, count in found.facets.get(name, ())]
        if len(values) > 1 or any(each.is_chosen for each in values):
            groups.append((LABELS[name], values[:FIRST_VALUES], values[FIRST_VALUES:]))
    return groups


def _value(asked: Asked, found: Found, names: Names, name: str, slug: str, count: int) -> Choice:
    is_chosen = (name, slug) in found.chosen
    changes = asked.without(name) | ({} if is_chosen else {name: slug})
    return Choice(names.get((name, slug), slug), asked.address(changes), count, is_chosen)


def chips(asked: Asked, found: Found, names: Names) -> list[Choice]:
    """Return the filters in force, each with the address of the search without it."""
    chosen: list[Choice] = []
    for name in FACETS:
        values = [names.get((name, slug), slug) for facet, slug in found.chosen if facet == name]
        if values:
            label = f"{LABELS[name]}: {_listed(values)}"
            chosen.append(Choice(label, asked.address(asked.without_wanted(name))))
        values = [names.get((name, slug), slug) for facet, slug in found.excluded if facet == name]
        if values:
            label = f"Not {LABELS[name].lower()}: {_listed(values)}"
            chosen.append(Choice(label, asked.address(asked.without_excluded(name))))
    if found.published_from or found.published_to:
        label = _stretch(found.published_from, found.published_to)
        chosen.append(Choice(label, asked.address(asked.without("from", "to"))))
    return chosen


def _listed(values: Sequence[str]) -> str:
    return f"{', '.join(values[:3])}{' …' if len(values) > 3 else ''}"


def remarks(found: Found) -> list[str]:
    """Return what of a search could not be used, in a sentence each."""
    unknown = [f"No {LABELS[facet].lower()} here is called “{value}”." for facet, value in found.unknown]
    if found.is_cut:
        unknown.append(f"Only the first {MOST_CLAUSES} words and filters are used.")
    if found.is_partial:
        unknown.append("This search was too broad to finish. These are the stories found so far; use fewer words.")
    return unknown


def _stretch(start: date | None, end: date | None) -> str:
    if start and end:
        is_year = (start, end) == (date(start.year, 1, 1), date(start.year, 12, 31))
        return f"Year: {start.year}" if is_year else f"{long_date(start)} to {long_date(end)}"
    return f"From {long_date(start)}" if start else f"Until {long_date(end)}" if end else ""


def year_choices(asked: Asked, found: Found) -> Sequence[Choice]:
    """Return every year from the first to the last that has stories, at most the last forty; nothing for one alone."""
    counts = dict(found.years)
    if len(counts) < 2:
        return ()
    chosen = (found.published_from, found.published_to)
    years = range(max(min(counts), max(counts) - MOST_YEARS + 1), max(counts) + 1)
    return [_year(asked, year, counts.get(year, 0), chosen) for year in years]


def _year(asked: Asked, year: int, count: int, chosen: tuple[date | None, date | None]) -> Choice:
    start, end = date(year, 1, 1), date(year, 12, 31)
    is_chosen = any(chosen) and (chosen[0] or date.min) <= start and end <= (chosen[1] or date.max)
    dates = {"from": start.isoformat(), "to": end.isoformat()}
    return Choice(str(year), asked.address(asked.without("from", "to") | dates), count, is_chosen)


def bars(years: Sequence[Choice]) -> list[Bar]:
    """Return the years as bars beside each other, the highest as high as the drawing."""
    most = max((year.count for year in years), default=1)
    return [Bar(year, place * BAR_STEP, -(-BAR_HEIGHT * year.count // most)) for place, year in enumerate(years)]


def _order(asked: Asked, sort: str) -> Choice:
    return Choice(ORDERS[sort], asked.address({"sort": sort}), is_chosen=sort == (asked.given["sort"] or "relevance"))


def pager(asked: Asked, found: Found) -> dict[str, object]:
    """Return the page's number, the number of pages, the addresses of its neighbours, and where the pages stop."""
    page = asked.request(PER_PAGE).page
    pages = min(-(-found.total // PER_PAGE), MAX_PAGE)
    return {
        "page": page,
        "pages": pages,
        "first_url": asked.address(),
        "previous_url": _page_address(asked, page - 1) if 1 < page <= pages + 1 else "",
        "next_url": _page_address(asked, page + 1) if page < pages else "",
        "stops_at": MAX_PAGE * PER_PAGE if page >= MAX_PAGE and found.total > MAX_PAGE * PER_PAGE else 0,
    }


def _page_address(asked: Asked, number: int) -> str:
    return asked.address({"page": str(number)} if number > 1 else {})
