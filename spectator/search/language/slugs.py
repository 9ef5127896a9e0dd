"""The slugs that the filters in a query stand for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from heapq import nsmallest
from itertools import pairwise

from spectator.search.language.query import FieldFilter, Phrase
from spectator.text.places.country_names import find_translated_country
from spectator.text.places.gazetteer import find_country

# That one filter stands for. Pages show each, and PostgreSQL takes a megabyte in a condition.
MAX_SLUGS = 500


def resolve_filters(
    filters: Sequence[FieldFilter], indexed_slugs: Callable[[str], Collection[str]]
) -> Iterator[tuple[FieldFilter, list[str], bool]]:
    """Yield each filter with its slugs, and whether some of them are left out.

    `indexed_slugs` returns all slugs of a facet, which may be every name of an archive: it is
    called once for each facet, and its slugs are read once for all filters.
    """
    phrases: dict[str, list[Phrase]] = {}
    for query_filter in filters:
        phrases.setdefault(query_filter.facet, []).append(query_filter.words)
    slugs_by_phrase = {
        name: resolve_slugs(name, indexed_slugs(name), words) for name, words in phrases.items()
    }
    for query_filter in filters:
        slugs = slugs_by_phrase[query_filter.facet][query_filter.words]
        yield query_filter, slugs[:MAX_SLUGS], len(slugs) > MAX_SLUGS


def resolve_slugs(
    name: str, indexed_slugs: Collection[str], phrases: Iterable[Phrase]
) -> dict[Phrase, list[str]]:
    """Return the slug that each phrase spells exactly or, without one, every slug with all words.

    A slug has no apostrophe: "N'Golo" becomes "ngolo". Readers may type either. A slug has a word
    if it contains it alone or joined to its neighbour. Beyond `MAX_SLUGS` there is one more, which
    shows that some are left out.
    """
    resolved = {words: _exact_slug(name, indexed_slugs, words) for words in phrases}
    forms = {words: _word_forms(words) for words, slugs in resolved.items() if not slugs}
    slugs_by_form: dict[str, set[str]] = {
        form: set()
        for word_forms in forms.values()
        for alternatives in word_forms
        for form in alternatives
    }
    if slugs_by_form:
        for slug in indexed_slugs:
            for part in slug.lower().split("-"):
                if part in slugs_by_form:
                    slugs_by_form[part].add(slug)
    for words, word_forms in forms.items():
        slugs_by_word = (
            set().union(*map(slugs_by_form.__getitem__, alternatives))
            for alternatives in word_forms
        )
        resolved[words] = nsmallest(MAX_SLUGS + 1, set.intersection(*slugs_by_word))
    return resolved


def _exact_slug(name: str, indexed_slugs: Collection[str], words: Phrase) -> list[str]:
    country = None
    if name == "country":
        country = find_country(" ".join(words)) or find_translated_country(words)
    spellings = ("-".join(words), country.slug if country else "", "".join(words))
    return [slug for slug in spellings if slug in indexed_slugs][:1]


def _word_forms(words: Phrase) -> list[set[str]]:
    """Return each word's forms in a slug: alone, and joined to the next or the previous word."""
    pairs = ["", *map("".join, pairwise(words)), ""]
    return [{word, pairs[index], pairs[index + 1]} - {""} for index, word in enumerate(words)]


def add_pairs(
    pairs: Sequence[tuple[str, str]], name: str, slugs: Sequence[str]
) -> list[tuple[str, str]]:
    """Return (facet, slug) pairs with those of another filter, each once.

    A filter may stand for hundreds of names, so no pair may be looked up in a list.
    """
    return list(dict.fromkeys([*pairs, *((name, slug) for slug in slugs)]))
