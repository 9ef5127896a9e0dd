"""A `Lexicon` (search/language/lexicon.py) of a generation, for spelling and suggestions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from spectator.search import FACETS, LanguageTest
from spectator.search.postgres.filters import language_query
from spectator.search.postgres.matchers import all_of, any_of, quote
from spectator.search.postgres.ranker import sort_by_date
from spectator.search.postgres.reader import Reader
from spectator.search.postgres.selection import Selection
from spectator.search.postgres.terms import HEADLINE, JOINED, NAME, is_indexable

# Of words that share a part with a misspelt one, the most frequent.
MAX_COMPARED = 5_000
SIMILAR = """
SELECT substr(term, 2) AS word FROM {terms}
WHERE (term >= :headline AND term < :headline_end OR term >= :name AND term < :name_end)
  AND documents > 0 AND char_length(term) BETWEEN :shortest AND :longest
  AND EXISTS (
    SELECT FROM unnest(CAST(:pieces AS text[])) AS piece WHERE strpos(substr(term, 3), piece) > 0
  )
GROUP BY word ORDER BY max(documents) DESC, word LIMIT :most
"""


class DatabaseLexicon:
    """An implementation of the protocol `Lexicon`, which documents the methods."""

    def __init__(self, reader: Reader, has_language: LanguageTest | None = None) -> None:
        self._reader = reader
        self._has_language = has_language
        self._frequencies: dict[str, int] = {}

    @property
    def offset(self) -> int:
        """See `Lexicon.offset`."""
        return self._reader.generation.offset

    @property
    def facet_counts(self) -> Mapping[str, Mapping[str, int]]:
        """See `Lexicon.facet_counts`."""
        return {name: self._reader.facet_counts(name) for name in FACETS}

    def word_frequency(self, word: str) -> int:
        """See `Lexicon.word_frequency`."""
        if word not in self._frequencies:
            self._read_frequencies([word])
        return self._frequencies[word]

    def is_name_without_apostrophe(self, word: str) -> bool:
        """See `Lexicon.is_name_without_apostrophe`."""
        return bool(self._reader.terms_with_prefix(f"{JOINED}{word} "))

    def similar_words(self, word: str, distance: int) -> set[str]:
        """See `Lexicon.similar_words`."""
        first = word[0]
        after = chr(ord(first) + 1)
        values = {
            "headline": HEADLINE + first,
            "headline_end": HEADLINE + after,
            "name": NAME + first,
            "name_end": NAME + after,
            "shortest": len(word) + 1 - distance,
            "longest": len(word) + 1 + distance,
            "most": MAX_COMPARED,
            "pieces": list(_pieces(word[1:], distance + 1)),
        }
        rows = self._reader.execute(SIMILAR, values)
        words = {other for (other,) in rows if is_within(word, other, distance)}
        if words:
            self._read_frequencies(words)  # in one statement: the caller compares them
        return words

    def newest_ids_by_headline(
        self, word_lists: Sequence[Sequence[str]], limit: int
    ) -> list[int]:
        """See `Lexicon.newest_ids_by_headline`."""
        queries = [
            all_of(
                quote(HEADLINE + word, is_prefix=number == len(words))
                for number, word in enumerate(words, 1)
            )
            for words in word_lists
            if all(map(is_indexable, words))
        ]
        if not queries:
            return []
        selection = Selection().matching(any_of(queries))
        if self._has_language:
            selection = selection.matching(language_query(self._reader, self._has_language))
        return sort_by_date(self._reader, selection, limit)

    def _read_frequencies(self, words: Collection[str]) -> None:
        self._frequencies |= dict.fromkeys(words, 0) | self._reader.document_frequencies(words)


def _pieces(text: str, number: int) -> Iterator[str]:
    """Yield a text in that many pieces; fewer edits than that leave one of them as it is."""
    size, rest = divmod(len(text), number)
    start = 0
    for index in range(number):
        end = start + size + (index < rest)
        if start < end:
            yield text[start:end]
        start = end


def is_within(one: str, other: str, distance: int) -> bool:
    """Return whether at most `distance` insertions, deletions and replacements separate words."""
    if abs(len(one) - len(other)) > distance:
        return False
    previous = list(range(len(other) + 1))
    for number, character in enumerate(one, 1):
        row = [number]
        for index, compared in enumerate(other):
            row.append(
                min(
                    previous[index] + (character != compared),
                    previous[index + 1] + 1,
                    row[-1] + 1,
                )
            )
        if min(row) > distance:
            return False
        previous = row
    return previous[-1] <= distance
