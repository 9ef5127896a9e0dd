"""What the first letters of a search may become: headlines, and what stories are filed under."""

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
MAX_PREFIX_WORDS = 200  # of headlines that begin with the letters, in each segment


def suggest(snapshot: Snapshot, text: str, limit: int) -> Suggestions:
    """See `Index.suggest`."""
    text = strip_invisible(text[:MAX_QUERY_LENGTH])
    words = [token.text for token in islice(tokens(text), MAX_PHRASE_WORDS)]
    position = snapshot.generation.offset
    if sum(map(len, words)) < MIN_LETTERS:
        return Suggestions([], [], [], [], position)
    named = [country.slug for country in suggest_countries(text.strip())]
    joined = [
        "".join(token.text for token in run) for run in islice(word_runs(text), MAX_PHRASE_WORDS)
    ]
    documents = _match_headlines(snapshot, words) | (
        _match_headlines(snapshot, joined) if joined != words else set()
    )
    newest = sorted(documents - snapshot.deleted, key=snapshot.date_sort_key, reverse=True)
    return Suggestions(
        articles=[snapshot.article_ids[document] for document in newest[:limit]],
        countries=_match_slugs(snapshot, "country", words, limit, named),
        topics=_match_slugs(snapshot, "topic", words, limit),
        authors=_match_slugs(snapshot, "author", words, limit),
        index_offset=position,
    )


def _match_headlines(snapshot: Snapshot, words: Sequence[str]) -> set[int]:
    """The documents whose headline has every word, the last of them as the beginning of one."""
    found: set[int] | None = None
    for word in words[:-1]:
        lists = posting_lists(snapshot, "headline", word)
        here = {
            document for entry in lists for block in entry.blocks() for document in block.documents
        }
        here |= _headlines_with_name(snapshot, apostrophe_variants(snapshot, word))
        found = here if found is None else found & here
        if not found:
            return set()
    names = apostrophe_variants(snapshot, words[-1], is_prefix=True)
    last: set[int] = _headlines_with_name(snapshot, names)
    wanted = None if found is None else sorted(found)
    for _, entry in posting_lists_by_prefix(snapshot, "headline", words[-1], MAX_PREFIX_WORDS):
        for block in entry.blocks(wanted):
            last.update(block.documents)
    return last if found is None else found & last


def _headlines_with_name(snapshot: Snapshot, names: Iterable[Phrase]) -> set[int]:
    """The documents whose headline has one of these names, which have an apostrophe there."""
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
    """The slugs that have a word for every one typed, the last as the beginning of one; most stories first."""
    counts = snapshot.facet_counts[facet]
    fitting = [
        slug
        for slug in counts
        if slug in named_slugs or _slug_matches(slug.lower().split("-"), words)
    ]
    return sorted(fitting, key=lambda slug: (-counts[slug], slug))[:limit]


def _slug_matches(parts: Sequence[str], words: Sequence[str]) -> bool:
    """Whether the words are in a slug; one that an apostrophe parted there is one word, and typed it may be two."""
    *whole, last = words
    rows = [words, [*whole[:-1], whole[-1] + last]] if whole else [words]
    return any(
        all(word in parts for word in row[:-1]) and any(part.startswith(row[-1]) for part in parts)
        for row in rows
    )
