"""Countries by every name that editors and imports use for them; the table beside this module has the names."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from spectator.text.words.folding import tokens

MAX_NAME_LENGTH = 120
MAX_ALTERNATIVE_NAMES = 8


@dataclass(frozen=True, slots=True)
class Country:
    """A country or territory of ISO 3166-1; `code` is its alpha-2, `name` its common English name.

    Aliases hold official, former and French names. Capitals (several parted by "; ") and demonyms are given for the
    members of the African Union, which are the countries with `is_african`; others leave them empty.
    """

    code: str
    name: str
    slug: str
    aliases: tuple[str, ...] = ()
    capital: str = ""
    demonyms: tuple[str, ...] = ()
    is_african: bool = False


def country_by_code(code: str) -> Country | None:
    """Return the country of an ISO 3166-1 alpha-2 code in any case; None if it is not assigned."""
    return _BY_CODE.get(code.strip().upper()) if len(code) <= MAX_NAME_LENGTH else None


def find_country(text: str) -> Country | None:
    """Return the country that text names by code, English name, alias or slug, whatever its accents and case.

    A name that fits two countries ("Congo", "Korea") names neither: None, as for an unknown name or one of more
    than 120 characters.
    """
    if len(text) > MAX_NAME_LENGTH:
        return None
    return country_by_code(text) or _BY_NAME.get(_name_key(text))


def suggest_countries(text: str, limit: int = 8) -> list[Country]:
    """Return the countries of this code, or of which a name, alias, capital or demonym has a word that begins so.

    African ones first.
    """
    key = _name_key(text[:MAX_NAME_LENGTH])
    if not key:
        return []
    if country := country_by_code(key):
        return [country]
    fitting = [
        country
        for country in COUNTRIES
        if any(f" {key}" in name for name in _SEARCH_NAMES[country.code])
    ]
    return sorted(fitting, key=lambda country: (not country.is_african, country.name))[:limit]


def alternative_names(words: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Return what else a country is called whose name these folded words are, as folded words; nothing for others.

    Names that hold another of them are left out: who looks for "ivory coast" finds "republic of ivory coast" anyway.
    So are spelt-out abbreviations; of many names the eight shortest are returned.
    """
    country = _BY_WORDS.get(words)
    if country is None:
        return ()
    names = sorted({_words(name) for name in (country.name, *country.aliases)}, key=len)
    kept = [words]
    for name in names:
        if max(map(len, name)) > 1 and not any(_contains(name, other) for other in kept):
            kept.append(name)
    return tuple(kept[1 : 1 + MAX_ALTERNATIVE_NAMES])


def _words(name: str) -> tuple[str, ...]:
    return tuple(token.text for token in tokens(name))


def _contains(name: tuple[str, ...], part: tuple[str, ...]) -> bool:
    return any(
        name[start : start + len(part)] == part for start in range(len(name) - len(part) + 1)
    )


def _name_key(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text).casefold().replace("&", " and ")
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
    each.code: [
        f" {_name_key(name)}"
        for name in (each.name, *each.aliases, *each.capital.split("; "), *each.demonyms)
    ]
    for each in COUNTRIES
}
_BY_WORDS = {
    _words(name): country for country in COUNTRIES for name in (country.name, *country.aliases)
}
MAX_NAME_WORDS = max(map(len, _BY_WORDS))
