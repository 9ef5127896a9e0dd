"""What the first letters of a search may become: headlines, and what stories are filed under."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from spectator.search import Suggested
from spectator.search.postings import entries, entries_beginning
from spectator.search.query import LONGEST_PHRASE, LONGEST_TEXT
from spectator.search.snapshot import Snapshot
from spectator.text.folding import tokens
from spectator.text.gazetteer import countries_like

SHORTEST = 2
MOST_WORDS = 200  # of headlines that begin with the letters, in each segment


def suggest(snapshot: Snapshot, text: str, limit: int) -> Suggested:
    """See `Index.suggest`."""
    words = [token.text for token in islice(tokens(text[:LONGEST_TEXT]), LONGEST_PHRASE)]
    position = snapshot.generation.position
    if sum(map(len, words)) < SHORTEST:
        return Suggested([], [], [], [], position)
    named = [country.slug for country in countries_like(text[:LONGEST_TEXT].strip())]
    return Suggested(
        articles=[snapshot.article[document] for document in _headlines(snapshot, words)[:limit]],
        countries=_filed(snapshot, "country", words, limit, named),
        topics=_filed(snapshot, "topic", words, limit),
        authors=_filed(snapshot, "author", words, limit),
        position=position,
    )


def _headlines(snapshot: Snapshot, words: Sequence[str]) -> list[int]:
    """The documents whose headline has every word, the last of them as the beginning of one; newest first."""
    found: set[int] | None = None
    for word in words[:-1]:
        lists = entries(snapshot, "headline", word)
        here = {document for entry in lists for block in entry.blocks() for document in block.documents}
        found = here if found is None else found & here
        if not found:
            return []
    last: set[int] = set()
    wanted = None if found is None else sorted(found)
    for _, entry in entries_beginning(snapshot, "headline", words[-1], MOST_WORDS):
        for block in entry.blocks(wanted):
            last.update(block.documents)
    documents = (last if found is None else found & last) - snapshot.deleted
    return sorted(documents, key=snapshot.age, reverse=True)


def _filed(snapshot: Snapshot, facet: str, words: Sequence[str], limit: int, named: Sequence[str] = ()) -> list[str]:
    """The slugs that have a word for every one typed, the last as the beginning of one; most stories first."""
    counts = snapshot.filed[facet]
    fitting = [slug for slug in counts if slug in named or _fits(slug.lower().split("-"), words)]
    return sorted(fitting, key=lambda slug: (-counts[slug], slug))[:limit]


def _fits(parts: Sequence[str], words: Sequence[str]) -> bool:
    return all(word in parts for word in words[:-1]) and any(part.startswith(words[-1]) for part in parts)
