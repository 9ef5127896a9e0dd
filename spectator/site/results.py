"""The context of the search results page: hits, facets, filters, links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from spectator import queries
from spectator.formats import language_name
from spectator.i18n import gettext, lazy_gettext
from spectator.models import Article
from spectator.search import FACETS, MAX_PAGE, SearchResults
from spectator.search.language.parser import MAX_CLAUSES
from spectator.site.search_params import SORTS, SearchParams
from spectator.templating import UNKNOWN_FILTERS, long_date, partial_sentence
from spectator.text.words.snippets import body_snippets, highlight

FacetLabels = Mapping[tuple[str, str], str]

PER_PAGE = 10
VISIBLE_VALUES = 6  # of a facet; the others are behind “more”
MAX_YEARS = 40
BAR_STEP, BAR_HEIGHT = 10, 40  # in SVG units
FACET_NAMES = {
    "section": lazy_gettext("Section"),
    "country": lazy_gettext("Country"),
    "topic": lazy_gettext("Topic"),
    "author": lazy_gettext("Author"),
    "language": lazy_gettext("Language"),
}
# What a search includes and excludes, above its results.
INCLUDED_FILTERS = {
    "section": lazy_gettext("Section: %(values)s"),
    "country": lazy_gettext("Country: %(values)s"),
    "topic": lazy_gettext("Topic: %(values)s"),
    "author": lazy_gettext("Author: %(values)s"),
    "language": lazy_gettext("Language: %(values)s"),
}
EXCLUDED_FILTERS = {
    "section": lazy_gettext("Not section: %(values)s"),
    "country": lazy_gettext("Not country: %(values)s"),
    "topic": lazy_gettext("Not topic: %(values)s"),
    "author": lazy_gettext("Not author: %(values)s"),
    "language": lazy_gettext("Not language: %(values)s"),
}
SORT_LABELS = {
    "relevance": lazy_gettext("Best match"),
    "newest": lazy_gettext("Newest first"),
    "oldest": lazy_gettext("Oldest first"),
}


@dataclass(frozen=True, slots=True)
class Hit:
    """A story with its headline and best passage as (piece, is_match) pairs."""

    article: Article
    headline: list[tuple[str, bool]]
    snippet: list[tuple[str, bool]]


@dataclass(frozen=True, slots=True)
class SearchLink:
    """A link to the same search with one change, and its number of stories."""

    label: str
    url: str
    count: int = 0
    is_selected: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """A year in the bar chart; `x` and `height` are in SVG units."""

    link: SearchLink
    x: int
    height: int


def search_context(params: SearchParams, results: SearchResults) -> dict[str, object]:
    """Return the template context of search results."""
    labels = facet_labels(results)
    links_by_year = year_links(params, results)
    no_filters = params.changes_without("from", "to", *FACETS)
    return {
        "results": results,
        "hits": build_hits(results),
        "warnings": warnings(results),
        "chips": chips(params, results, labels),
        "facets": facets(params, results, labels),
        "years": [link for link in links_by_year if link.count],
        "bars": bars(links_by_year),
        "sort_links": [_sort_link(params, sort) for sort in SORTS],
        "suggestion": SearchLink(results.suggestion, params.url({"q": results.suggestion}))
        if results.suggestion
        else None,
        "term_links": [
            SearchLink(word, params.url(no_filters | {"q": word}), count)
            for word, count in results.term_counts
        ],
        "unfiltered_url": params.url(no_filters),
        "feed_url": params.url({"sort": ""}, path="/search/feed.xml"),
    } | pagination(params, results)


def build_hits(results: SearchResults) -> list[Hit]:
    """Return the hits of the page, without stories that were withdrawn a moment ago."""
    articles = queries.articles_by_id(results.ids, with_bodies=True)
    bodies = [article.body for article in articles]
    snippets = body_snippets(bodies, results.terms, results.prefixes)
    return [
        Hit(article, highlight(article.headline, results.terms, results.prefixes), pieces)
        for article, pieces in zip(articles, snippets, strict=True)
    ]


def facet_labels(results: SearchResults) -> FacetLabels:
    """Return the labels of all facet values by (facet, slug)."""
    slugs: dict[str, set[str]] = {
        name: {slug for slug, _ in results.facets.get(name, ())} for name in FACETS
    }
    for name, slug in (*results.filters, *results.excluded_filters):
        slugs[name].add(slug)
    return queries.taxonomy_names(slugs) | {
        ("language", tag): language_name(tag) for tag in slugs["language"]
    }


def facets(
    params: SearchParams, results: SearchResults, labels: FacetLabels
) -> list[tuple[str, list[SearchLink], list[SearchLink]]]:
    """Return (label, first values, other values) of each facet with a choice."""
    groups, selected = [], frozenset(results.filters)
    for name in FACETS:
        values = [
            _facet_link(params, labels, name, slug, count, (name, slug) in selected)
            for slug, count in results.facets.get(name, ())
        ]
        if len(values) > 1 or any(value.is_selected for value in values):
            groups.append((FACET_NAMES[name], values[:VISIBLE_VALUES], values[VISIBLE_VALUES:]))
    return groups


def _facet_link(
    params: SearchParams,
    labels: FacetLabels,
    name: str,
    slug: str,
    count: int,
    is_selected: bool,
) -> SearchLink:
    changes = params.changes_without(name) | ({} if is_selected else {name: slug})
    return SearchLink(labels.get((name, slug), slug), params.url(changes), count, is_selected)


def chips(params: SearchParams, results: SearchResults, labels: FacetLabels) -> list[SearchLink]:
    """Return the active filters, each with the URL of the search without it."""
    links: list[SearchLink] = []
    for name in FACETS:
        values = [
            labels.get((name, slug), slug) for facet, slug in results.filters if facet == name
        ]
        if values:
            label = str(INCLUDED_FILTERS[name]) % {"values": _join_values(values)}
            links.append(SearchLink(label, params.url(params.changes_without_included(name))))
        values = [
            labels.get((name, slug), slug)
            for facet, slug in results.excluded_filters
            if facet == name
        ]
        if values:
            label = str(EXCLUDED_FILTERS[name]) % {"values": _join_values(values)}
            links.append(SearchLink(label, params.url(params.changes_without_excluded(name))))
    if results.published_from or results.published_to:
        label = _date_range_label(results.published_from, results.published_to)
        links.append(SearchLink(label, params.url(params.changes_without("from", "to"))))
    return links


def _join_values(values: Sequence[str]) -> str:
    return f"{', '.join(values[:3])}{' …' if len(values) > 3 else ''}"


def warnings(results: SearchResults) -> list[str]:
    """Return a sentence for each part of the search that was not used."""
    sentences = [
        str(UNKNOWN_FILTERS[facet]) % {"value": value} for facet, value in results.unknown_filters
    ]
    if results.is_truncated:
        sentences.append(
            gettext("Only the first %(limit)s words and filters are used.", limit=MAX_CLAUSES)
        )
    if results.is_partial:
        sentences.append(partial_sentence())
    return sentences


def _date_range_label(start: date | None, end: date | None) -> str:
    if start and end:
        if (start, end) == (date(start.year, 1, 1), date(start.year, 12, 31)):
            return gettext("Year: %(year)s", year=start.year)
        return gettext("%(start)s to %(end)s", start=long_date(start), end=long_date(end))
    if start:
        return gettext("From %(date)s", date=long_date(start))
    return gettext("Until %(date)s", date=long_date(end)) if end else ""


def year_links(params: SearchParams, results: SearchResults) -> Sequence[SearchLink]:
    """Return a link for each year from the first to the last with stories, at most forty."""
    counts = dict(results.year_counts)
    if len(counts) < 2:
        return ()
    selected = (results.published_from, results.published_to)
    years = range(max(min(counts), max(counts) - MAX_YEARS + 1), max(counts) + 1)
    return [_year_link(params, year, counts.get(year, 0), selected) for year in years]


def _year_link(
    params: SearchParams, year: int, count: int, selected_range: tuple[date | None, date | None]
) -> SearchLink:
    start, end = date(year, 1, 1), date(year, 12, 31)
    is_selected = (
        any(selected_range)
        and (selected_range[0] or date.min) <= start
        and end <= (selected_range[1] or date.max)
    )
    dates = {"from": start.isoformat(), "to": end.isoformat()}
    return SearchLink(
        str(year), params.url(params.changes_without("from", "to") | dates), count, is_selected
    )


def bars(links: Sequence[SearchLink]) -> list[Bar]:
    """Return the years as bars, the tallest as tall as the chart."""
    max_count = max((link.count for link in links), default=1)
    return [
        Bar(link, index * BAR_STEP, -(-BAR_HEIGHT * link.count // max_count))
        for index, link in enumerate(links)
    ]


def _sort_link(params: SearchParams, sort: str) -> SearchLink:
    return SearchLink(
        SORT_LABELS[sort],
        params.url({"sort": sort}),
        is_selected=sort == (params.raw["sort"] or "relevance"),
    )


def pagination(params: SearchParams, results: SearchResults) -> dict[str, object]:
    """Return the numbers of the page and of pages, and the URLs of the pages next to it.

    `result_limit` is how many results can be reached: on the last page if there are more, else 0.
    """
    page = params.to_search_request(PER_PAGE).page
    pages = min(-(-results.total // PER_PAGE), MAX_PAGE)
    return {
        "page": page,
        "pages": pages,
        "first_url": params.url(),
        "previous_url": _page_url(params, page - 1) if 1 < page <= pages + 1 else "",
        "next_url": _page_url(params, page + 1) if page < pages else "",
        "result_limit": MAX_PAGE * PER_PAGE
        if page >= MAX_PAGE and results.total > MAX_PAGE * PER_PAGE
        else 0,
    }


def _page_url(params: SearchParams, number: int) -> str:
    return params.url({"page": str(number)} if number > 1 else {})
