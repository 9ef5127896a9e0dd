"""Names of countries in the languages of Africa, from Unicode's CLDR, for searches.

Babel stores each language in a file of its own. Its cache would keep all of a language's data, some
16 MB for these; only the names of countries are kept here.
"""

from __future__ import annotations

import pickle
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

from babel.localedata import resolve_locale_filename

from spectator.text.places.gazetteer import (
    COUNTRIES,
    MAX_NAME_WORDS,
    Country,
    Words,
    country_by_words,
    name_words,
)

# English names are in the gazetteer. Those outside of Africa are read in the first languages only.
WORLD_LANGUAGES = ("fr", "pt", "ar", "sw", "ha", "am", "yo")
LANGUAGES = (*WORLD_LANGUAGES, "ig", "so", "zu", "xh", "ti", "om", "ak", "wo", "pcm", "ln")
# Their names in one word stand for both countries.
SHARED_NAMES = frozenset({"CD", "CG", "KP", "KR"})
# What names of one word in Latin letters mean elsewhere: these name no country in a search.
COMMON_WORDS = frozenset(
    "barani franca gene granada grenade helena island naija romani saina suede swede".split()
)
MIN_PREFIX_LENGTH = 3
MIN_AFRICAN_LENGTH, MIN_LENGTH = 4, 5  # of names of one word in Latin letters


@cache
def _countries_by_words() -> dict[Words, Country]:
    """Return the countries by the folded words of their names in other languages."""
    codes: dict[Words, set[str]] = defaultdict(set)
    words_of: dict[str, Words] = {}  # many languages share a name
    for code, name in _names():
        if name not in words_of:
            words_of[name] = name_words(name)
        codes[words_of[name]].add(code)
    by_code = {country.code: country for country in COUNTRIES}
    return {
        words: by_code[next(iter(owners))]
        for words, owners in codes.items()
        if len(owners) == 1 and _is_distinct(words, by_code[next(iter(owners))])
    }


def _names() -> Iterator[tuple[str, str]]:
    """Yield (code, name) of the countries in each language."""
    for language in LANGUAGES:
        with open(resolve_locale_filename(language), "rb") as file:
            territories = pickle.load(file)["territories"]  # noqa: S301 - Babel's own data
        for country in COUNTRIES:
            is_read = country.is_african or language in WORLD_LANGUAGES
            if is_read and country.code in territories:
                yield country.code, territories[country.code]


def _is_distinct(words: Words, country: Country) -> bool:
    """Return whether a name means only this country, as far as can be told."""
    if len(words) > MAX_NAME_WORDS or country_by_words(words) is not None:
        return False
    if len(words) > 1:
        return True
    (word,) = words
    if country.code in SHARED_NAMES or word in COMMON_WORDS:
        return False
    min_length = MIN_AFRICAN_LENGTH if country.is_african else MIN_LENGTH
    return not word.isascii() or len(word) >= min_length


def find_translated_country(words: Words) -> Country | None:
    """Return the country that these folded words name in another language than English, if any."""
    return _countries_by_words().get(words)


def countries_by_name_start(words: Words) -> list[Country]:
    """Return the countries with a name in another language that starts with these folded words.

    The last word is a prefix; fewer than three characters return none.
    """
    if sum(map(len, words)) < MIN_PREFIX_LENGTH:
        return []
    *whole, prefix = words
    size, start = len(whole), tuple(whole)
    countries = {
        country.code: country
        for name, country in _countries_by_words().items()
        if name[:size] == start and len(name) > size and name[size].startswith(prefix)
    }
    return list(countries.values())
