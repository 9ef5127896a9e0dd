"""Countries by the names that editors and imports use, from the table `countries.tsv`."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from spectator.text.words.folding import tokens
from spectator.text.words.normalization import normalize

MAX_NAME_LENGTH = 120
MAX_ALTERNATIVE_NAMES = 8
MAX_NAME_WORDS = 8

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Country:
    """A country or territory of ISO 3166-1; `code` is its alpha-2, `name` its common English name.

    Aliases hold official, former and French names. Only members of the African Union, the countries
    with `is_african`, have a capital and demonyms here. Several capitals are separated by "; ".
    """

    code: str
    name: str
    slug: str
    aliases: tuple[str, ...] = ()
    capital: str = ""
    demonyms: tuple[str, ...] = ()
    is_african: bool = False


def country_by_code(code: str) -> Country | None:
    """Return the country of an ISO 3166-1 alpha-2 code in upper or lower case, or None."""
    return _BY_CODE.get(code.strip().upper()) if len(code) <= MAX_NAME_LENGTH else None


def find_country(text: str) -> Country | None:
    """Return the country that text names by code, English name, alias or slug.

    Case and accents are ignored. Returns None for an unknown name, for the name of two countries
    ("Congo", "Korea"), and for more than `MAX_NAME_LENGTH` characters.
    """
    if len(text) > MAX_NAME_LENGTH:
        return None
    return country_by_code(text) or _BY_NAME.get(_name_key(text))


def suggest_countries(text: str, limit: int = 8) -> list[Country]:
    """Return the countries with this code, or with a word in their names that starts with the text.

    Names include aliases, capitals and demonyms. African countries come first.
    """
    key = _name_key(text[:MAX_NAME_LENGTH])
    if not key:
        return []
    if country := country_by_code(key):
        return [country]
    matches = [
        country
        for country in COUNTRIES
        if any(f" {key}" in name for name in _SEARCH_NAMES[country.code])
    ]
    return sorted(matches, key=lambda country: (not country.is_african, country.name))[:limit]


def country_by_words(words: Words) -> Country | None:
    """Return the country that these folded words name in English or by an alias, or None."""
    return _BY_WORDS.get(words)


def alternative_names(words: Words, country: Country | None) -> tuple[Words, ...]:
    """Return the names and aliases of a country besides the folded words that name it.

    Names that contain another one are left out: "ivory coast" finds "republic of ivory coast"
    anyway. So are abbreviations that folding split into letters. At most the eight shortest names
    are returned.
    """
    if country is None:
        return ()
    names = sorted({name_words(name) for name in (country.name, *country.aliases)}, key=len)
    distinct = [words]
    for name in names:
        if max(map(len, name)) > 1 and not any(_contains(name, other) for other in distinct):
            distinct.append(name)
    return tuple(distinct[1 : 1 + MAX_ALTERNATIVE_NAMES])


def name_words(name: str) -> Words:
    """Return the folded words of a name."""
    return tuple(token.text for token in tokens(name))


def _contains(name: Words, part: Words) -> bool:
    return any(
        name[start : start + len(part)] == part for start in range(len(name) - len(part) + 1)
    )


def _name_key(text: str) -> str:
    folded = normalize(text, "NFKD").casefold().replace("&", " and ")
    plain = "".join(char for char in folded if not unicodedata.combining(char))
    return " ".join(re.findall(r"[^\W_]+", plain)).removeprefix("the ")


def _read_countries() -> tuple[Country, ...]:
    lines = Path(__file__).with_name("countries.tsv").read_text(encoding="utf-8").splitlines()
    return tuple(_country(*line.split("\t")) for line in lines[1:])


def _country(
    code: str, name: str, slug: str, african: str, capital: str, demonyms: str, aliases: str
) -> Country:
    return Country(
        code, name, slug, _split_cell(aliases), capital, _split_cell(demonyms), african == "yes"
    )


def _split_cell(cell: str) -> tuple[str, ...]:
    return tuple(cell.split("; ")) if cell else ()


def _by_name(countries: tuple[Country, ...]) -> dict[str, Country]:
    names: dict[str, Country] = {}
    for country in countries:
        for name in (country.name, country.slug, *country.aliases):
            if names.setdefault(_name_key(name), country) is not country:
                raise ValueError(f"countries.tsv gives the name {name!r} to two countries.")
    return names


COUNTRIES: tuple[Country, ...] = _read_countries()
_BY_CODE = {country.code: country for country in COUNTRIES}
_BY_NAME = _by_name(COUNTRIES)
_SEARCH_NAMES = {
    country.code: [
        f" {_name_key(name)}"
        for name in (
            country.name,
            *country.aliases,
            *country.capital.split("; "),
            *country.demonyms,
        )
    ]
    for country in COUNTRIES
}
_BY_WORDS = {
    name_words(name): country
    for country in COUNTRIES
    for name in (country.name, *country.aliases)
}
