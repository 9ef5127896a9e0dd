"""Completions of the start of a search: headlines, countries, topics and authors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from spectator.search import Suggestions
from spectator.search.language.query import MAX_PHRASE_WORDS, MAX_QUERY_LENGTH
from spectator.search.whoosh.reader import (
    Phrase,
    apostrophe_variants,
    posting_lists,
    posting_lists_by_prefix,
)
from spectator.search.whoosh.scoring import PostingLists
from spectator.search.whoosh.snapshot import Snapshot
from spectator.text.places.gazetteer import suggest_countries
from spectator.text.words.folding import strip_invisible, tokens, word_runs

MIN_LETTERS = 2
MAX_PREFIX_WORDS = 200  # in each segment


def suggest(snapshot: Snapshot, text: str, limit: int) -> Suggestions:
    """Return completions, as `Index.suggest` describes."""
    text = strip_invisible(text[:MAX_QUERY_LENGTH])
    words = [token.text for token in islice(tokens(text), MAX_PHRASE_WORDS)]
    offset = snapshot.generation.offset
    if sum(map(len, words)) < MIN_LETTERS:
        return Suggestions([], [], [], [], offset)
    country_slugs = [country.slug for country in suggest_countries(text.strip())]
    runs = islice(word_runs(text), MAX_PHRASE_WORDS)
    joined = ["".join(token.text for token in run) for run in runs]
    documents = _match_headlines(snapshot, words)
    if joined != words:
        documents = documents | _match_headlines(snapshot, joined)
    newest = sorted(documents - snapshot.deleted, key=snapshot.date_sort_key, reverse=True)
    return Suggestions(
        articles=[snapshot.article_ids[document] for document in newest[:limit]],
        countries=_match_slugs(snapshot, "country", words, limit, country_slugs),
        topics=_match_slugs(snapshot, "topic", words, limit),
        authors=_match_slugs(snapshot, "author", words, limit),
        index_offset=offset,
    )


def _match_headlines(snapshot: Snapshot, words: Sequence[str]) -> set[int]:
    """Return the documents whose headline has every word; the last word is a prefix."""
    *whole_words, prefix = words
    documents: set[int] | None = None
    for word in whole_words:
        lists = posting_lists(snapshot, "headline", word)
        blocks = [block for posting_list in lists for block in posting_list.blocks()]
        matches = {document for block in blocks for document in block.documents}
        matches |= _headlines_with_name(snapshot, apostrophe_variants(snapshot, word))
        documents = matches if documents is None else documents & matches
        if not documents:
            return set()
    names = apostrophe_variants(snapshot, prefix, is_prefix=True)
    matches = _headlines_with_name(snapshot, names)
    candidates = None if documents is None else sorted(documents)
    for _, posting_list in posting_lists_by_prefix(snapshot, "headline", prefix, MAX_PREFIX_WORDS):
        for block in posting_list.blocks(candidates):
            matches.update(block.documents)
    return matches if documents is None else documents & matches


def _headlines_with_name(snapshot: Snapshot, names: Iterable[Phrase]) -> set[int]:
    """Return the documents whose headline has one of these names, with its apostrophe."""
    return {
        document
        for parts in names
        for document in PostingLists(snapshot).score_phrase(parts, fields=("headline",))
    }


def _match_slugs(
    snapshot: Snapshot,
    facet: str,
    words: Sequence[str],
    limit: int,
    named_slugs: Sequence[str] = (),
) -> list[str]:
    """Return the slugs with every word, most stories first; the last word is a prefix."""
    counts = snapshot.facet_counts[facet]
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
    *whole, last = words
    rows = [words, [*whole[:-1], whole[-1] + last]] if whole else [words]
    return any(
        all(word in parts for word in row[:-1]) and any(part.startswith(row[-1]) for part in parts)
        for row in rows
    )
