"""Elements of a results page: facets, chips, years, spelling suggestions, the last page."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from spectator import indexing
from spectator.search import MAX_PAGE, SearchRequest, SearchResults
from spectator.site.results import (
    MAX_YEARS,
    PER_PAGE,
    bars,
    chips,
    facets,
    pagination,
    year_links,
)
from spectator.site.search_params import parse_search_params

NO_RESULTS = SearchResults(
    ids=[], total=0, terms=frozenset(), prefixes=(), mode="all", index_offset=1
)
NAMES = {
    ("section", "politics"): "Politics",
    ("author", "f-diallo"): "Fatou Diallo",
    ("language", "ha"): "Hausa",
}


class FixedIndex:
    """Index that always returns the same results."""

    def __init__(self, results: SearchResults) -> None:
        self.results = results

    def find(self, _request: SearchRequest) -> SearchResults:
        return self.results


@pytest.fixture
def fix_results(monkeypatch: pytest.MonkeyPatch) -> Callable[[SearchResults], None]:
    """Return a function that makes the index return fixed results."""
    return lambda results: monkeypatch.setattr(
        indexing, "open_public_index", lambda _: FixedIndex(results)
    )


def test_a_facet_lists_its_values_with_counts_and_urls() -> None:
    results = replace(
        NO_RESULTS,
        facets={"section": [("politics", 5), ("gone", 2)], "language": [("ha", 7)], "topic": []},
    )
    groups = facets(parse_search_params({"q": "rain", "page": "2"}), results, NAMES)
    assert [label for label, _, _ in groups] == ["Section"], "one value alone is no choice"
    politics, gone = groups[0][1]
    assert (politics.label, politics.count, politics.url) == (
        "Politics",
        5,
        "/search?q=rain&section=politics",
    )
    assert gone.label == "gone", "a name that is not known is its slug"


def test_a_selected_value_links_to_the_search_without_it() -> None:
    results = replace(
        NO_RESULTS, facets={"section": [("politics", 5)]}, filters=[("section", "politics")]
    )
    for arguments in ({"q": "rain", "section": "politics"}, {"q": "rain in:politics"}):
        [(_, [politics], _)] = facets(parse_search_params(arguments), results, NAMES)
        assert politics.is_selected
        assert politics.url == "/search?q=rain"
        assert [
            (chip.label, chip.url)
            for chip in chips(parse_search_params(arguments), results, NAMES)
        ] == [("Section: Politics", "/search?q=rain")]


def test_another_value_replaces_a_filter_typed_in_the_query() -> None:
    results = replace(
        NO_RESULTS,
        facets={"section": [("politics", 5), ("health", 2)]},
        filters=[("section", "politics")],
    )
    [(_, [_, health], _)] = facets(parse_search_params({"q": "rain in:politics"}), results, NAMES)
    assert health.url == "/search?q=rain&section=health"


def test_only_six_values_are_shown_at_first() -> None:
    results = replace(
        NO_RESULTS, facets={"topic": [(f"topic-{number}", 20 - number) for number in range(20)]}
    )
    [(_, first, others)] = facets(parse_search_params({"q": "rain"}), results, {})
    assert (len(first), len(others)) == (6, 14)


def test_excluded_filters_have_their_own_chips() -> None:
    results = replace(
        NO_RESULTS, filters=[("language", "ha")], excluded_filters=[("section", "politics")]
    )
    result_chips = chips(
        parse_search_params({"q": "rain -in:politics language:ha"}), results, NAMES
    )
    assert [(chip.label, chip.url) for chip in result_chips] == [
        ("Not section: Politics", "/search?q=rain+language%3Aha"),
        ("Language: Hausa", "/search?q=rain+-in%3Apolitics"),
    ]


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ("rain -in:politcs", "There is no section “politcs”."),
        ("rain by:&lt;b&gt;", "There is no author “&lt;b&gt;”."),
        ("a b c d e f g h i j k", "Only the first 10 words and filters are used."),
    ],
)
def test_unknown_filters_and_truncated_queries_are_reported(
    app: Flask, client: FlaskClient, text: str, remark: str
) -> None:
    indexing.rebuild(indexing.open_public_index(app.config["DATA_DIR"]))
    html = client.get("/search", query_string={"q": unescape(text)}).text
    assert remark in html


def test_a_chip_names_the_first_three_authors() -> None:
    results = replace(
        NO_RESULTS,
        filters=[("author", "f-diallo"), *(("author", f"{initial}-diallo") for initial in "mno")],
    )
    [chip] = chips(parse_search_params({"q": "by:diallo rain"}), results, NAMES)
    assert (chip.label, chip.url) == (
        "Author: Fatou Diallo, m-diallo, n-diallo …",
        "/search?q=rain",
    )


@pytest.mark.parametrize(
    ("start", "end", "label"),
    [
        (date(2024, 1, 1), date(2024, 12, 31), "Year: 2024"),
        (date(2024, 1, 1), date(2024, 3, 31), "1 January 2024 to 31 March 2024"),
        (date(2024, 5, 1), None, "From 1 May 2024"),
        (None, date(2024, 5, 1), "Until 1 May 2024"),
    ],
)
def test_dates_have_one_chip(start: date | None, end: date | None, label: str) -> None:
    results = replace(NO_RESULTS, published_from=start, published_to=end)
    [chip] = chips(
        parse_search_params({"q": "rain after:2024", "from": "2020-01-01"}), results, NAMES
    )
    assert (chip.label, chip.url) == (label, "/search?q=rain")


def test_years_are_bars_that_link_to_their_stories() -> None:
    results = replace(
        NO_RESULTS, year_counts=[(2020, 1), (2022, 40)], published_from=date(2022, 1, 1)
    )
    years = year_links(
        parse_search_params({"q": "rain before:2024", "from": "2022-01-01"}), results
    )
    assert [(year.label, year.count, year.is_selected) for year in years] == [
        ("2020", 1, False),
        ("2021", 0, False),
        ("2022", 40, True),
    ]
    assert years[0].url == "/search?q=rain&from=2020-01-01&to=2020-12-31"
    assert [(bar.x, bar.height) for bar in bars(years)] == [(0, 1), (10, 0), (20, 40)]


def test_the_number_of_years_is_limited() -> None:
    results = replace(NO_RESULTS, year_counts=[(1, 1), (9998, 3)])
    assert len(year_links(parse_search_params({"q": "rain"}), results)) == MAX_YEARS
    assert (
        year_links(
            parse_search_params({"q": "rain"}), replace(NO_RESULTS, year_counts=[(2020, 9)])
        )
        == ()
    )


def test_the_last_page_has_no_next_page() -> None:
    results = replace(NO_RESULTS, total=MAX_PAGE * PER_PAGE + 1)
    first = pagination(parse_search_params({"q": "rain"}), results)
    assert (first["pages"], first["next_url"], first["previous_url"]) == (
        MAX_PAGE,
        "/search?q=rain&page=2",
        "",
    )
    last = pagination(parse_search_params({"q": "rain", "page": str(MAX_PAGE)}), results)
    assert (last["next_url"], last["result_limit"]) == ("", MAX_PAGE * PER_PAGE)
    assert (
        pagination(
            parse_search_params({"q": "rain", "page": "2"}), replace(NO_RESULTS, total=11)
        )["result_limit"]
        == 0
    )


def test_the_page_after_the_last_leads_back_to_it() -> None:
    previous = [
        pagination(
            parse_search_params({"q": "rain", "page": page}), replace(NO_RESULTS, total=11)
        )["previous_url"]
        for page in ("1", "2", "3", "4")
    ]
    assert previous == ["", "/search?q=rain", "/search?q=rain&page=2", ""]


def test_the_last_page_says_that_more_results_are_not_shown(
    client: FlaskClient, fix_results: Callable[[SearchResults], None], story: Callable[..., int]
) -> None:
    fix_results(replace(NO_RESULTS, ids=[story()], total=12_345))
    assert "12,345 stories" in client.get("/search?q=rain").text
    assert (
        "Search shows the first 500 stories."
        in client.get(f"/search?q=rain&page={MAX_PAGE}").text
    )
    fix_results(replace(NO_RESULTS, total=12_345))
    assert "Search shows the first 500 stories." in client.get("/search?q=rain&page=51").text
    fix_results(replace(NO_RESULTS, total=12))
    html = client.get("/search?q=rain&page=3").text
    assert "There are no results on this page." in html and 'href="/search?q=rain"' in html


@pytest.mark.parametrize(
    ("sort", "label"),
    [("", "Best match"), ("relevance", "Best match"), ("oldest", "Oldest first")],
)
def test_the_order_of_the_results_is_marked(
    client: FlaskClient, fix_results: Callable[[SearchResults], None], sort: str, label: str
) -> None:
    fix_results(replace(NO_RESULTS, total=2))
    page = client.get("/search", query_string={"q": "rain", "sort": sort}).text
    assert re.findall(r'aria-current="true">([^<]*)<', page.partition("<h1")[2]) == [label]


def test_a_suggested_spelling_is_a_link(
    client: FlaskClient, fix_results: Callable[[SearchResults], None]
) -> None:
    fix_results(replace(NO_RESULTS, suggestion="president of <mali>"))
    html = client.get("/search?q=presidnt&sort=newest").text
    assert 'href="/search?q=president+of+%3Cmali%3E&amp;sort=newest"' in html
    assert "<bdi>president of &lt;mali&gt;</bdi>" in html


def test_a_page_without_results_offers_other_searches(
    client: FlaskClient, fix_results: Callable[[SearchResults], None]
) -> None:
    fix_results(
        replace(
            NO_RESULTS,
            term_counts=[("rain", 1_200), ("qwertz", 0)],
            filters=[("section", "health")],
        )
    )
    html = client.get("/search?q=rain+qwertz&section=health").text
    one = '<a href="/search?q=rain" rel="nofollow"><bdi>rain</bdi> <small>1,200</small></a>'
    assert one in " ".join(html.split())
    assert "no stories" in html
    assert '<a href="/search?q=rain+qwertz" rel="nofollow">Search without filters</a>' in html
    assert '<a href="/politics/">Politics</a>' in html


def test_partial_matches_are_announced(
    client: FlaskClient, fix_results: Callable[[SearchResults], None], story: Callable[..., int]
) -> None:
    words = [("rain", 3), ("qwertz", 0), ("xyzzy", 0)]
    fix_results(replace(NO_RESULTS, ids=[story()], total=1, mode="any", term_counts=words))
    html = " ".join(client.get("/search?q=rain+qwertz").text.split())
    assert (
        "No story has all the words. Showing partial matches. No stories with: <bdi>"
        "qwertz</bdi>, <bdi>xyzzy</bdi>." in html
    )


def test_names_of_all_facets_take_one_select(
    client: FlaskClient,
    app: Flask,
    fix_results: Callable[[SearchResults], None],
    take_selects: Callable[[], list[str]],
) -> None:
    filed = {
        name: [("one", 2), ("two", 1)]
        for name in ("section", "country", "topic", "author", "language")
    }
    fix_results(replace(NO_RESULTS, total=3, facets=filed))
    take_selects()
    client.get("/search?q=rain")
    selects = take_selects()
    reasons = "names of topics in the search, names of facets, stories, sections, menus"
    assert len(selects) == 5, reasons
    assert sum("country" in select for select in selects) == 1
