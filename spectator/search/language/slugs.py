"""The slugs that a filter in a query stands for."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from spectator.text.places.country_names import find_translated_country
from spectator.text.places.gazetteer import find_country


def resolve_slugs(name: str, indexed_slugs: Collection[str], words: Sequence[str]) -> list[str]:
    """Return the slug that the words spell exactly or, without one, every slug with all words.

    A slug has no apostrophe: "N'Golo" becomes "ngolo". Readers may type either.
    """
    country = None
    if name == "country":
        country = find_country(" ".join(words)) or find_translated_country(tuple(words))
    for slug in ("-".join(words), country.slug if country else "", "".join(words)):
        if slug in indexed_slugs:
            return [slug]
    return sorted(slug for slug in indexed_slugs if slug_matches(slug, words))


def add_pairs(
    pairs: Sequence[tuple[str, str]], name: str, slugs: Sequence[str]
) -> list[tuple[str, str]]:
    """Return (facet, slug) pairs with those of another filter, each once.

    A filter may stand for every name of an archive, so no pair may be looked up in a list.
    """
    return list(dict.fromkeys([*pairs, *((name, slug) for slug in slugs)]))


def slug_matches(slug: str, words: Sequence[str]) -> bool:
    """Return whether a slug contains every word, alone or joined to its neighbour."""
    parts = frozenset(slug.lower().split("-"))
    return all(
        word in parts
        or "".join(words[index : index + 2]) in parts
        or (index > 0 and "".join(words[index - 1 : index + 1]) in parts)
        for index, word in enumerate(words)
    )
