"""Which documents have what a clause asks for, and how well: BM25 over the fields, worked out a block at a time."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from itertools import islice

from spectator.search.language.analysis import is_english, stem
from spectator.search.language.query import Clause
from spectator.search.whoosh.reader import (
    Phrase,
    PostingList,
    apostrophe_variants,
    decode_positions,
    posting_lists,
    posting_lists_by_prefix,
)
from spectator.search.whoosh.schema import EXACT, STEMS, TEXT_FIELDS
from spectator.search.whoosh.snapshot import BM25_K1, Snapshot

# For all prefixes of a query together: each word found costs a list in every field.
MAX_EXPANSIONS = 50
MAX_PREFIX_CANDIDATES = 400
# Of one clause: each is looked up besides the words as they were typed.
MAX_CLAUSE_VARIANTS = 6

# How much a word counts that only shares its English stem with the one typed, and one written just as it was typed.
STEM_WEIGHT, EXACT_WEIGHT = 0.4, 0.6
# Names have no length to speak of.
_NAMES_LENGTH_NORM = BM25_K1

Scores = dict[int, float]


class PostingLists:
    """The lists of one snapshot, for one query: `wanted` narrows every answer to some documents, None does not."""

    def __init__(self, snapshot: Snapshot, documents: Collection[int] | None = None) -> None:
        self.snapshot = snapshot
        self.sorted_documents = None if documents is None else sorted(documents)
        self.document_set = None if documents is None else frozenset(documents)

    def restricted_to(self, documents: Collection[int]) -> PostingLists:
        """The same lists, narrowed to these documents."""
        return PostingLists(self.snapshot, documents)

    def add_scores(self, scores: Scores, postings: PostingList, weight: float) -> None:
        """Add BM25 of one list, times `weight`, to each document's score."""
        dampers = self.snapshot.length_norms.get(postings.field)
        wanted, most = self.document_set, weight * (BM25_K1 + 1)
        for block in postings.blocks(self.sorted_documents):
            if not self.snapshot.budget.spend():
                return
            for document, count in zip(block.documents, block.frequencies, strict=True):
                if wanted is None or document in wanted:
                    damper = dampers[document] if dampers else _NAMES_LENGTH_NORM
                    scores[document] = scores.get(document, 0.0) + most * count / (count + damper)

    def idf(self, postings: Iterable[PostingList]) -> float:
        """How much a word says (inverse document frequency), by the field that has it most often."""
        frequencies: dict[str, int] = {}
        for entry in postings:
            frequencies[entry.field] = frequencies.get(entry.field, 0) + entry.document_frequency
        return self._idf(max(frequencies.values(), default=0))

    def _idf(self, frequency: int) -> float:
        number = max(len(self.snapshot.article_ids), frequency)
        return math.log(1 + (number - frequency + 0.5) / (frequency + 0.5))

    def match(self, clause: Clause, prefix_count: int = 1) -> Scores:
        """The documents that fit a clause, with their scores; `share` is the number of prefixes in the query."""
        if clause.is_prefix:
            return self._score_prefix(clause.words[0], prefix_count)
        if clause.alternative_names:
            return self._score_name(clause)
        scores = self._score_words(clause.words, clause.exact)
        for row in self._variants(clause):
            _merge_best(scores, self._score_words(row))
        return scores

    def estimate_frequency(self, clause: Clause) -> int:
        """About how many documents fit a clause: what is cheap to know, to begin with the rarest."""
        if clause.is_prefix or clause.alternative_names:
            return len(self.snapshot.article_ids)
        rows = [clause.words, *self._variants(clause)]
        return sum(min(self._word_frequency(word) for word in row) for row in rows)

    def _word_frequency(self, word: str) -> int:
        return sum(entry.document_frequency for entry in posting_lists(self.snapshot, "body", word))

    def _score_words(self, words: Phrase, exact: Sequence[str] = ()) -> Scores:
        return self.score_phrase(words) if len(words) > 1 else self.score_word(words[0], exact)

    def _variants(self, clause: Clause) -> list[Phrase]:
        """How else the archive writes the words of a clause, with an apostrophe or without."""
        rows = [clause.words, *clause.variants]
        found = dict.fromkeys(clause.variants)
        for row in rows:
            for place, word in enumerate(row):
                for parts in apostrophe_variants(self.snapshot, word):
                    found[(*row[:place], *parts, *row[place + 1 :])] = None
        found.pop(clause.words, None)
        return list(found)[:MAX_CLAUSE_VARIANTS]

    def _score_name(self, clause: Clause) -> Scores:
        """The documents with all words of a name, or with another name of the same."""
        lists, scores = self, Scores()
        for number, word in enumerate(clause.words):
            here = lists.score_word(word, clause.exact if not number else ())
            scores = {each: score + scores.get(each, 0.0) for each, score in here.items()}
            lists = self.restricted_to(scores)
        for name in clause.alternative_names:
            _merge_best(scores, self._score_words(name))
        return scores

    def score_word(self, word: str, exact: Sequence[str] = ()) -> Scores:
        """The documents with a word, or in English stories with one of the same stem."""
        scores: Scores = {}
        found = [
            entry for field in TEXT_FIELDS for entry in posting_lists(self.snapshot, field, word)
        ]
        rarity = self.idf(found)
        for entry in found:
            self.add_scores(scores, entry, TEXT_FIELDS[entry.field] * rarity)
        self._add_stems(scores, word, rarity if found else None)
        if exact and scores:
            self._add_exact(scores, exact)
        return scores

    def _add_stems(self, scores: Scores, word: str, rarity: float | None) -> None:
        stemmed = stem(word)
        found = posting_lists(self.snapshot, STEMS, stemmed)
        if rarity is None:
            rarity = self.idf(found)
        for entry in found:
            self.add_scores(scores, entry, STEM_WEIGHT * rarity)
        if stemmed == word:
            return
        # A story that has the stem itself as a word has it under its words: "election" of "elections".
        plain: Scores = {}
        for field in ("headline", "body"):
            for entry in posting_lists(self.snapshot, field, stemmed):
                self.add_scores(plain, entry, STEM_WEIGHT * TEXT_FIELDS[field] * rarity)
        language = self.snapshot.facets["language"]
        english = {
            code for code, tags in enumerate(language.combinations) if tags and is_english(tags[0])
        }
        for document, score in plain.items():
            if language.codes[document] in english:
                scores[document] = scores.get(document, 0.0) + score

    def _add_exact(self, scores: Scores, exact: Sequence[str]) -> None:
        inside = self.restricted_to(scores)
        for word in exact:
            found = posting_lists(self.snapshot, EXACT, word)
            weight = EXACT_WEIGHT * self.idf(found)
            for entry in found:
                inside.add_scores(scores, entry, weight)

    def _score_prefix(self, prefix: str, prefix_count: int) -> Scores:
        """The documents with a word that begins so: the 50 most frequent among each field's first 400, by the share."""
        words: dict[str, list[PostingList]] = {}
        for field in TEXT_FIELDS:
            for word, entry in posting_lists_by_prefix(
                self.snapshot, field, prefix, MAX_PREFIX_CANDIDATES // prefix_count
            ):
                words.setdefault(word, []).append(entry)
        ranked = sorted(
            words.values(), key=lambda found: -sum(entry.document_frequency for entry in found)
        )
        scores: Scores = {}
        for found in islice(ranked, max(1, MAX_EXPANSIONS // prefix_count)):
            for entry in found:
                self.add_scores(scores, entry, TEXT_FIELDS[entry.field])
        rarity = self._idf(min(len(scores), len(self.snapshot.article_ids)))
        scores = {document: score * rarity for document, score in scores.items()}
        for parts in apostrophe_variants(self.snapshot, prefix, is_prefix=True):
            _merge_best(scores, self.score_phrase(parts))
        return scores

    def score_phrase(
        self, words: Sequence[str], fields: Collection[str] = tuple(TEXT_FIELDS)
    ) -> Scores:
        """The documents that have these words in a row in one of these fields."""
        scores: Scores = {}
        for field in fields:
            weight = TEXT_FIELDS[field]
            lists = {word: posting_lists(self.snapshot, field, word) for word in words}
            if all(lists.values()):
                rarity = sum(self.idf(lists[word]) for word in words)
                dampers = self.snapshot.length_norms.get(field)
                for document, places in self.term_positions(lists).items():
                    count = _count_phrase(words, places)
                    if count:
                        damper = dampers[document] if dampers else _NAMES_LENGTH_NORM
                        most = weight * rarity * (BM25_K1 + 1)
                        scores[document] = scores.get(document, 0.0) + most * count / (
                            count + damper
                        )
        return scores

    def term_positions(self, postings: dict[str, list[PostingList]]) -> dict[int, dict[str, bytes]]:
        """Of each document that has all the words, where it has each; the rarest word is looked up first."""
        found: dict[int, dict[str, bytes]] = {}
        inside = self
        for number, word in enumerate(
            sorted(
                postings, key=lambda each: sum(entry.document_frequency for entry in postings[each])
            )
        ):
            here: dict[int, dict[str, bytes]] = {}
            for entry in postings[word]:
                for block in entry.blocks(inside.sorted_documents):
                    if not self.snapshot.budget.spend():
                        break
                    for document, places in zip(block.documents, block.positions, strict=True):
                        if inside.document_set is None or document in inside.document_set:
                            here[document] = {**found.get(document, {}), word: places}
            if not here:
                return {}
            found = here
            if number + 1 < len(postings):
                inside = self.restricted_to(found)
        return found


def _merge_best(scores: Scores, others: Scores) -> None:
    """Add other scores to some, the higher one where a document has both."""
    for document, score in others.items():
        scores[document] = max(score, scores.get(document, 0.0))


def _count_phrase(words: Sequence[str], positions: dict[str, bytes]) -> int:
    """How often the words stand in a row."""
    known = {}
    starts: set[int] | None = None
    for step, word in sorted(enumerate(words), key=lambda each: len(positions[each[1]])):
        if word not in known:
            known[word] = decode_positions(positions[word])
        here = {place - step for place in known[word]}
        starts = here if starts is None else starts & here
        if not starts:
            return 0
    return len(starts or ())
