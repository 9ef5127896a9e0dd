"""What the first letters of a search may become: headlines, and what stories are filed under."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from spectator.search import Suggested
from spectator.search.matching import Lists
from spectator.search.postings import Row, entries, entries_beginning, names_without_apostrophe
from spectator.search.query import LONGEST_PHRASE, LONGEST_TEXT
from spectator.search.snapshot import Snapshot
from spectator.text.folding import runs, tokens, without_invisible
from spectator.text.gazetteer import countries_like

SHORTEST = 2
MOST_WORDS = 200  # of headlines that begin with the letters, in each segment


def suggest(snapshot: Snapshot, text: str, limit: int) -> Suggested:
    """See `Index.suggest`."""
    text = without_invisible(text[:LONGEST_TEXT])
    words = [token.text for token in islice(tokens(text), LONGEST_PHRASE)]
    position = snapshot.generation.position
    if sum(map(len, words)) < SHORTEST:
        return Suggested([], [], [], [], position)
    named = [country.slug for country in countries_like(text.strip())]
    joined = ["".join(token.text for token in run) for run in islice(runs(text), LONGEST_PHRASE)]
    documents = _headlines(snapshot, words) | (_headlines(snapshot, joined) if joined != words else set())
    newest = sorted(documents - snapshot.deleted, key=snapshot.age, reverse=True)
    return Suggested(
        articles=[snapshot.article[document] for document in newest[:limit]],
        countries=_filed(snapshot, "country", words, limit, named),
        topics=_filed(snapshot, "topic", words, limit),
        authors=_filed(snapshot, "author", words, limit),
        position=position,
    )


def _headlines(snapshot: Snapshot, words: Sequence[str]) -> set[int]:
    """The documents whose headline has every word, the last of them as the beginning of one."""
    found: set[int] | None = None
    for word in words[:-1]:
        lists = entries(snapshot, "headline", word)
        here = {document for entry in lists for block in entry.blocks() for document in block.documents}
        here |= _headlines_with_name(snapshot, names_without_apostrophe(snapshot, word))
        found = here if found is None else found & here
        if not found:
            return set()
    names = names_without_apostrophe(snapshot, words[-1], is_prefix=True)
    last: set[int] = _headlines_with_name(snapshot, names)
    wanted = None if found is None else sorted(found)
    for _, entry in entries_beginning(snapshot, "headline", words[-1], MOST_WORDS):
        for block in entry.blocks(wanted):
            last.update(block.documents)
    return last if found is None else found & last


def _headlines_with_name(snapshot: Snapshot, names: Iterable[Row]) -> set[int]:
    """The documents whose headline has one of these names, which have an apostrophe there."""
    return {document for parts in names for document in Lists(snapshot).phrase(parts, fields=("headline",))}


def _filed(snapshot: Snapshot, facet: str, words: Sequence[str], limit: int, named: Sequence[str] = ()) -> list[str]:
    """The slugs that have a word for every one typed, the last as the beginning of one; most stories first."""
    counts = snapshot.filed[facet]
    fitting = [slug for slug in counts if slug in named or _fits(slug.lower().split("-"), words)]
    return sorted(fitting, key=lambda slug: (-counts[slug], slug))[:limit]


def _fits(parts: Sequence[str], words: Sequence[str]) -> bool:
    """Whether the words are in a slug; one that an apostrophe parted there is one word, and typed it may be two."""
    *whole, last = words
    rows = [words, [*whole[:-1], whole[-1] + last]] if whole else [words]
    return any(
        all(word in parts for word in row[:-1]) and any(part.startswith(row[-1]) for part in parts) for row in rows
    )
