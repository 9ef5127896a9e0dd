"""Completions of the start of a search: headlines, countries, topics and authors."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import islice

from spectator.search import Suggestions
from spectator.search.language.lexicon import Lexicon
from spectator.search.language.parser import MAX_PHRASE_WORDS, MAX_QUERY_LENGTH
from spectator.text.places.country_names import countries_by_name_start
from spectator.text.places.gazetteer import suggest_countries
from spectator.text.words.folding import strip_invisible, tokens, word_runs

MIN_LETTERS = 2


def suggest(lexicon: Lexicon, text: str, limit: int) -> Suggestions:
    """Return completions, as `Index.suggest` describes."""
    text = strip_invisible(text[:MAX_QUERY_LENGTH])
    words = [token.text for token in islice(tokens(text), MAX_PHRASE_WORDS)]
    if sum(map(len, words)) < MIN_LETTERS:
        return Suggestions([], [], [], [], lexicon.offset)
    countries = (*suggest_countries(text.strip()), *countries_by_name_start(tuple(words)))
    country_slugs = {country.slug for country in countries}
    runs = islice(word_runs(text), MAX_PHRASE_WORDS)
    joined = ["".join(token.text for token in run) for run in runs]
    word_lists = [words] if joined == words else [words, joined]
    counts = lexicon.facet_counts
    return Suggestions(
        articles=lexicon.newest_ids_by_headline(word_lists, limit),
        countries=_match_slugs(counts["country"], words, limit, country_slugs),
        topics=_match_slugs(counts["topic"], words, limit),
        authors=_match_slugs(counts["author"], words, limit),
        index_offset=lexicon.offset,
    )


def _match_slugs(
    counts: Mapping[str, int],
    words: Sequence[str],
    limit: int,
    named_slugs: Collection[str] = (),
) -> list[str]:
    """Return `named_slugs` and slugs with every word (the last a prefix), most stories first."""
    matches = [
        slug
        for slug in counts
        if slug in named_slugs or _slug_matches(slug.lower().split("-"), words)
    ]
    return sorted(matches, key=lambda slug: (-counts[slug], slug))[:limit]


def _slug_matches(parts: Sequence[str], words: Sequence[str]) -> bool:
    """Return whether a slug has every word, the last as a prefix.

    A name with an apostrophe is one word in a slug but two in a query, so its parts are also tried
    joined.
    """
    *whole_words, prefix = words
    alternatives = [words]
    if whole_words:
        alternatives.append([*whole_words[:-1], whole_words[-1] + prefix])
    return any(
        all(word in parts for word in alternative[:-1])
        and any(part.startswith(alternative[-1]) for part in parts)
        for alternative in alternatives
    )
