"""A `Lexicon` (search/language/lexicon.py) of a Whoosh snapshot, for spelling and suggestions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from spectator.search import LanguageTest
from spectator.search.language.query import Phrase
from spectator.search.language.spelling import suggest_spelling
from spectator.search.whoosh.budget import MAX_SPELLING_STEPS, Budget
from spectator.search.whoosh.filters import language_predicate
from spectator.search.whoosh.internals import similar_words
from spectator.search.whoosh.reader import (
    apostrophe_variants,
    posting_lists,
    posting_lists_by_prefix,
    word_frequency,
)
from spectator.search.whoosh.scoring import PostingLists
from spectator.search.whoosh.snapshot import Snapshot

# Spellings are suggested from these, because headlines and names are seldom misspelt.
DICTIONARY_FIELDS = ("headline", "names")
MAX_PREFIX_WORDS = 200  # in each segment


class SnapshotLexicon:
    """An implementation of the protocol `Lexicon`, which documents the methods."""

    def __init__(self, snapshot: Snapshot, has_language: LanguageTest | None = None) -> None:
        self._snapshot = snapshot
        self._has_language = has_language

    @property
    def offset(self) -> int:
        """See `Lexicon.offset`."""
        return self._snapshot.generation.offset

    @property
    def facet_counts(self) -> dict[str, Counter[str]]:
        """See `Lexicon.facet_counts`."""
        return self._snapshot.facet_counts

    def word_frequency(self, word: str) -> int:
        """See `Lexicon.word_frequency`."""
        return word_frequency(self._snapshot, word)

    def is_name_without_apostrophe(self, word: str) -> bool:
        """See `Lexicon.is_name_without_apostrophe`."""
        return bool(apostrophe_variants(self._snapshot, word))

    def similar_words(self, word: str, distance: int) -> set[str]:
        """See `Lexicon.similar_words`."""
        leaves = [leaf for leaf, _ in self._snapshot.leaves]
        budget = self._snapshot.budget
        return set(similar_words(leaves, DICTIONARY_FIELDS, word, distance, budget))

    def newest_ids_by_headline(
        self, word_lists: Sequence[Sequence[str]], limit: int
    ) -> list[int]:
        """See `Lexicon.newest_ids_by_headline`."""
        snapshot = self._snapshot
        documents = set[int]().union(*(_match_headlines(snapshot, words) for words in word_lists))
        documents -= snapshot.deleted
        if self._has_language:
            documents = set(filter(language_predicate(snapshot, self._has_language), documents))
        newest = sorted(documents, key=snapshot.date_sort_key, reverse=True)
        return [snapshot.article_ids[document] for document in newest[:limit]]


def suggest_spelling_of(snapshot: Snapshot, text: str) -> str:
    """Return a better spelling of the text, or "".

    Its steps are limited separately, and then charged to the search's budget too.
    """
    search_budget, snapshot.budget = snapshot.budget, Budget(MAX_SPELLING_STEPS)
    try:
        return suggest_spelling(SnapshotLexicon(snapshot), text)
    finally:
        spent = snapshot.budget.spent
        snapshot.budget = search_budget
        snapshot.budget.spend(min(spent, MAX_SPELLING_STEPS))


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
    for _, posting_list in posting_lists_by_prefix(
        snapshot, "headline", prefix, MAX_PREFIX_WORDS
    ):
        for block in posting_list.blocks(candidates):
            matches.update(block.documents)
    return matches if documents is None else documents & matches


def _headlines_with_name(snapshot: Snapshot, names: Iterable[Phrase]) -> set[int]:
    """Return the documents whose headline has one of these names.

    Each name is given as the parts around its apostrophe.
    """
    return {
        document
        for parts in names
        for document in PostingLists(snapshot).score_phrase(parts, fields=("headline",))
    }
