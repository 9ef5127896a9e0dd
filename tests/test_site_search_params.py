"""Search parameters: parsed from any URL, and written back with one change."""

from __future__ import annotations

from datetime import date
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spectator.search import MAX_PAGE
from spectator.search.language.parser import MAX_QUERY_LENGTH
from spectator.site.search_params import FIELDS, InvalidFilter, parse_search_params


def test_a_url_is_parsed_and_written_again() -> None:
    params = parse_search_params(
        {
            "q": " rain  in Kano ",
            "section": "health",
            "from": "2024-05-01",
            "sort": "oldest",
            "page": "3",
        }
    )
    assert params.url() == "/search?q=rain+in+Kano&section=health&from=2024-05-01&sort=oldest"
    search_request = params.to_search_request(10)
    assert (
        search_request.text,
        search_request.section,
        search_request.sort,
        search_request.page,
    ) == (
        "rain in Kano",
        "health",
        "oldest",
        3,
    )
    assert search_request.published_from == date(2024, 5, 1)
    assert params.title == "rain in Kano, health, 2024-05-01"


def test_a_changed_parameter_leads_to_the_first_page() -> None:
    params = parse_search_params({"q": "rain", "page": "3", "sort": "relevance"})
    assert params.url() == "/search?q=rain"
    assert params.url({"section": "health"}) == "/search?q=rain&section=health"
    assert params.url({"page": "4"}) == "/search?q=rain&page=4"
    assert params.url({}, "/search/feed.xml") == "/search/feed.xml?q=rain"
    assert parse_search_params({"q": "relevance"}).url() == "/search?q=relevance"
    assert parse_search_params({}).url() == "/search"


@pytest.mark.parametrize(
    ("text", "names", "remaining"),
    [
        ("rain in:politics kano", ["section"], "rain kano"),
        ('rain by:"Ama Serwaa"', ["author"], "rain"),
        ("rain by:“Ama Serwaa” dry", ["author"], "rain dry"),
        ("IN:politics IN:health rain", ["section"], "rain"),
        ("rain after:2023 before:2024-05", ["from", "to"], "rain"),
        (
            "rain after:2023 before:2024-05",
            ["section", "country"],
            "rain after:2023 before:2024-05",
        ),
        ("begin:politics", ["section"], "begin:politics"),
        ("rain -in:politics in:health", ["section"], "rain"),
        ("rain –in:politics -before:2024", ["section", "from", "to"], "rain"),
    ],
)
def test_removing_a_filter_removes_it_from_the_query_text(
    text: str, names: list[str], remaining: str
) -> None:
    changes = parse_search_params({"q": text}).changes_without(*names)
    assert changes["q"] == remaining
    assert {name: changes[name] for name in names} == dict.fromkeys(names, "")


def test_included_and_excluded_filters_are_removed_separately() -> None:
    params = parse_search_params({"q": "rain -in:politics in:health", "section": "health"})
    assert params.changes_without_excluded("section") == {"q": "rain in:health"}
    assert params.changes_without_included("section") == {"q": "rain -in:politics", "section": ""}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("from", "31 May"),
        ("to", "2024-02-30"),
        ("sort", "random"),
        ("page", "two"),
        ("page", "-1"),
    ],
)
def test_an_invalid_parameter_is_refused_with_a_message(field: str, value: str) -> None:
    with pytest.raises(InvalidFilter, match=r"\."):
        parse_search_params({field: value}).to_search_request(10)


@pytest.mark.parametrize(
    ("page", "number"), [("", 1), ("0", 1), ("7", 7), ("9" * 90, MAX_PAGE + 1)]
)
def test_pages_after_the_last_count_as_one_page(page: str, number: int) -> None:
    assert parse_search_params({"page": page}).to_search_request(10).page == number


def test_a_search_without_words_or_filters_is_blank() -> None:
    assert parse_search_params({"q": " \x00 ", "sort": "newest", "page": "2"}).is_blank
    assert not parse_search_params({"to": "2024-01-01"}).is_blank


@given(st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=400)))
def test_any_text_is_cut_and_fits_in_a_url(arguments: dict[str, str]) -> None:
    params = parse_search_params(arguments)
    assert len(params.text) <= MAX_QUERY_LENGTH
    address = params.url(params.changes_without("section", "from"))
    assert address.isascii() and len(address) < 12_000
    again = parse_search_params(
        {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    )
    assert again.url() == address
