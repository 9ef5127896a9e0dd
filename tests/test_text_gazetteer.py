"""Countries match every name in use and never a neighbour's."""

from __future__ import annotations

import re

import pytest

from spectator.text.places.gazetteer import (
    COUNTRIES,
    MAX_NAME_LENGTH,
    Country,
    country_by_code,
    find_country,
)

AFRICAN = [country for country in COUNTRIES if country.is_african]


def code_of(text: str) -> str | None:
    country = find_country(text)
    return country.code if country else None


def test_every_assigned_code_is_there_once() -> None:
    codes = [country.code for country in COUNTRIES]
    assert len(codes) == len(set(codes)) == 249
    assert all(re.fullmatch(r"[A-Z]{2}", code) for code in codes)


def test_names_and_slugs_are_unique() -> None:
    assert len({country.name for country in COUNTRIES}) == 249
    assert len({country.slug for country in COUNTRIES}) == 249
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", country.slug) for country in COUNTRIES)


def test_names_can_stand_in_a_list_separated_by_commas() -> None:
    assert [country.name for country in COUNTRIES if "," in country.name] == []


def test_african_countries_are_the_members_of_the_african_union() -> None:
    assert len(AFRICAN) == 55
    assert {"DZ", "EH", "MU", "SS", "ZA"} <= {country.code for country in AFRICAN}
    assert not {"RE", "YT", "SH", "YE", "FR"} & {country.code for country in AFRICAN}


@pytest.mark.parametrize("country", AFRICAN, ids=lambda country: country.code)
def test_african_countries_are_described(country: Country) -> None:
    assert country.aliases
    assert country.demonyms
    assert country.capital or country.code == "EH"


@pytest.mark.parametrize("country", COUNTRIES, ids=lambda country: country.code)
def test_each_country_is_found_by_all_its_names(country: Country) -> None:
    names = (country.code, country.code.lower(), country.name, country.name.upper(), country.slug)
    assert {find_country(name) for name in (*names, *country.aliases)} == {country}
    assert country_by_code(country.code) is country_by_code(country.code.lower()) is country


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Niger", "NE"),
        ("République du Niger", "NE"),
        ("Nigeria", "NG"),
        ("Nigéria", "NG"),
        ("DR Congo", "CD"),
        ("DRC", "CD"),
        ("D.R. Congo", "CD"),
        ("Congo-Kinshasa", "CD"),
        ("The Democratic Republic of the Congo", "CD"),
        ("République Démocratique du Congo", "CD"),
        ("Republic of the Congo", "CG"),
        ("Congo-Brazzaville", "CG"),
        ("République du Congo", "CG"),
        ("Guinea", "GN"),
        ("Guinée", "GN"),
        ("Guinea-Bissau", "GW"),
        ("guinea bissau", "GW"),
        ("Equatorial Guinea", "GQ"),
        ("Guinée équatoriale", "GQ"),
        ("Papua New Guinea", "PG"),
        ("Côte d'Ivoire", "CI"),
        ("Côte d’Ivoire", "CI"),
        ("Cote d'Ivoire", "CI"),
        ("cote divoire", "CI"),
        ("COTE D IVOIRE", "CI"),
        ("ivory coast", "CI"),
        ("Co\u0302te d'Ivoire", "CI"),
        ("Cabo Verde", "CV"),
        ("Swaziland", "SZ"),
        ("eSwatini", "SZ"),
        ("The Gambia", "GM"),
        ("Sao Tome & Principe", "ST"),
        ("Sudan", "SD"),
        ("South Sudan", "SS"),
        ("Soudan du Sud", "SS"),
        ("  kenya \n", "KE"),
        ("UK", "GB"),
        ("Türkiye", "TR"),
    ],
)
def test_common_names_find_their_country(text: str, code: str) -> None:
    assert code_of(text) == code


@pytest.mark.parametrize("text", ["Congo", "Korea", "Virgin Islands"])
def test_a_name_of_two_countries_finds_neither(text: str) -> None:
    assert find_country(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "the",
        "Wakanda",
        "Niger Nigeria",
        "XX",
        "ZZ",
        "\x00",
        "🦁",
        "Nigerian",
        "'--",
        "é",
    ],
)
def test_unknown_names_find_no_country(text: str) -> None:
    assert find_country(text) is None


@pytest.mark.parametrize("code", ["", "KEN", "XK", "Kenya", "K E", "\u212aE\u0301"])
def test_unknown_codes_find_no_country(code: str) -> None:
    assert country_by_code(code) is None


def test_overlong_input_is_refused() -> None:
    assert find_country(" " * (MAX_NAME_LENGTH - 4) + "Mali") is not None
    assert find_country(" " * (MAX_NAME_LENGTH - 3) + "Mali") is None
    assert find_country("ﷺ" * 10_000_000) is None
    assert country_by_code("M" * 10_000_000) is None
