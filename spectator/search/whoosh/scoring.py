"""Matching and BM25 scoring of a query's clauses, one block of postings at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import chain

from spectator.search.language.analysis import is_english
from spectator.search.language.query import Clause, Phrase
from spectator.search.relevance import (
    BM25_K1,
    EXACT_WEIGHT,
    NAMES_LENGTH_NORM,
    STEM_WEIGHT,
    TRANSLATED_WEIGHT,
    inverse_document_frequency,
)
from spectator.search.whoosh.budget import Budget
from spectator.search.whoosh.internals import PostingList, decode_positions, position_steps
from spectator.search.whoosh.reader import (
    MAX_VARIANTS,
    apostrophe_variants,
    posting_lists,
    posting_lists_by_prefix,
    total_frequency,
    word_frequency,
)
from spectator.search.whoosh.schema import EXACT, STEMS, TEXT_FIELDS
from spectator.search.whoosh.snapshot import Snapshot
from spectator.search.whoosh.stems import stem
from spectator.search.whoosh.visible_words import VisibleWords

# Shared by all prefixes of a query, because each matching word costs a posting list in every field.
MAX_EXPANSIONS = 50
MAX_PREFIX_CANDIDATES = 400
# Per clause. Every variant is looked up in addition to the words of the query.
MAX_CLAUSE_VARIANTS = 6

Scores = dict[int, float]


class PostingLists:
    """The posting lists of one snapshot, limited to `documents` unless that is None.

    `visible_words` has the words of the documents that the user may see, or is None if the user may
    see all. Prefixes and names are then looked up only in it, so that matches reveal nothing about
    other documents.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        documents: Collection[int] | None = None,
        visible_words: VisibleWords | None = None,
    ) -> None:
        self.snapshot = snapshot
        self.visible_words = visible_words
        self.sorted_documents = None if documents is None else sorted(documents)
        self.document_set = None if documents is None else frozenset(documents)

    def narrow(self, documents: Collection[int]) -> PostingLists:
        """Return the same posting lists, limited to these documents."""
        return PostingLists(self.snapshot, documents, self.visible_words)

    def add_scores(self, scores: Scores, posting_list: PostingList, weight: float) -> None:
        """Add the BM25 score of a posting list, times `weight`, to each document's score."""
        norms = self.snapshot.length_norms.get(posting_list.field)  # none for the field "names"
        allowed, max_score = self.document_set, weight * (BM25_K1 + 1)
        for block in posting_list.blocks(self.sorted_documents):
            if not self.snapshot.budget.spend_block():
                return
            for document, count in zip(block.documents, block.frequencies, strict=True):
                if allowed is None or document in allowed:
                    norm = norms[document] if norms else NAMES_LENGTH_NORM
                    score = max_score * count / (count + norm)
                    scores[document] = scores.get(document, 0.0) + score

    def idf(self, postings: Iterable[PostingList]) -> float:
        """Return a word's inverse document frequency, in the field where it is most frequent."""
        frequencies: dict[str, int] = {}
        for posting_list in postings:
            frequency = frequencies.get(posting_list.field, 0) + posting_list.document_frequency
            frequencies[posting_list.field] = frequency
        return self._idf(max(frequencies.values(), default=0))

    def _idf(self, frequency: int) -> float:
        return inverse_document_frequency(frequency, len(self.snapshot.article_ids))

    def match(self, clause: Clause, prefix_count: int = 1) -> Scores:
        """Return the scores of the documents that match a clause.

        `prefix_count` is the number of prefixes in the whole query.
        """
        if clause.is_prefix:
            return self._score_prefix(clause.words[0], prefix_count)
        if clause.alternative_names:
            return self._score_name(clause)
        scores = self._score_words(clause.words, clause.exact_spellings)
        for words in self._variants(clause):
            _merge_best(scores, self._score_words(words))
        return scores

    def estimate_frequency(self, clause: Clause) -> int:
        """Return a cheap estimate of the number of matches, to start with the rarest clause."""
        if self.visible_words is not None:
            return 0  # the order must not depend on other documents either
        if clause.is_prefix or clause.alternative_names:
            return len(self.snapshot.article_ids)
        phrases = [clause.words, *self._variants(clause)]
        return sum(
            min(word_frequency(self.snapshot, word) for word in words) for words in phrases
        )

    def _score_words(self, words: Phrase, exact_spellings: Sequence[str] = ()) -> Scores:
        return (
            self.score_phrase(words)
            if len(words) > 1
            else self.score_word(words[0], exact_spellings)
        )

    def _variants(self, clause: Clause) -> list[Phrase]:
        """Return the other spellings of a clause in the archive, with or without an apostrophe."""
        variants = dict.fromkeys(clause.variants)
        for words in (clause.words, *clause.variants):
            for index, word in enumerate(words):
                for name in self._apostrophe_names(word):
                    variants[(*words[:index], *name, *words[index + 1 :])] = None
        variants.pop(clause.words, None)
        return list(variants)[:MAX_CLAUSE_VARIANTS]

    def _apostrophe_names(self, word: str) -> Iterable[Phrase]:
        """Return the names that give a word without their apostrophe: "qur an" for "quran"."""
        if self.visible_words is not None:
            return self.visible_words.names(word, MAX_VARIANTS)
        return apostrophe_variants(self.snapshot, word)

    def _score_name(self, clause: Clause) -> Scores:
        """Return the scores of the documents with every word of a name, or an alternative name."""
        narrowed, scores = self, Scores()
        for index, word in enumerate(clause.words):
            word_scores = narrowed.score_word(word, clause.exact_spellings if index == 0 else ())
            scores = {
                document: score + scores.get(document, 0.0)
                for document, score in word_scores.items()
            }
            narrowed = narrowed.narrow(scores)
        weight = TRANSLATED_WEIGHT if clause.is_translated else 1.0
        for name in clause.alternative_names:
            name_scores = self._score_words(name)
            _merge_best(scores, {key: weight * score for key, score in name_scores.items()})
        return scores

    def score_word(self, word: str, exact_spellings: Sequence[str] = ()) -> Scores:
        """Return the scores of the documents with a word or, in English, with its stem."""
        scores: Scores = {}
        postings = [
            posting_list
            for field in TEXT_FIELDS
            for posting_list in posting_lists(self.snapshot, field, word)
        ]
        idf = self.idf(postings)
        for posting_list in postings:
            self.add_scores(scores, posting_list, TEXT_FIELDS[posting_list.field] * idf)
        self._add_stems(scores, word, idf if postings else None)
        if exact_spellings and scores:
            self._add_exact(scores, exact_spellings)
        return scores

    def _add_stems(self, scores: Scores, word: str, idf: float | None) -> None:
        stemmed = stem(word)
        postings = posting_lists(self.snapshot, STEMS, stemmed)
        own_postings = [
            posting_list
            for field in (("headline", "body") if stemmed != word else ())
            for posting_list in posting_lists(self.snapshot, field, stemmed)
        ]
        if idf is None:
            idf = self.idf([*postings, *own_postings])
        for posting_list in postings:
            self.add_scores(scores, posting_list, STEM_WEIGHT * idf)
        # The field of stems leaves out words that are their own stem: "market", the stem of
        # "markets", is only in the text fields.
        stem_scores: Scores = {}
        for posting_list in own_postings:
            weight = STEM_WEIGHT * TEXT_FIELDS[posting_list.field] * idf
            self.add_scores(stem_scores, posting_list, weight)
        language = self.snapshot.facets["language"]
        # A document's value is a code: the index of its combination of languages.
        english = {
            code
            for code, tags in enumerate(language.combinations)
            if tags and is_english(tags[0])
        }
        for document, score in stem_scores.items():
            if language.codes[document] in english:
                scores[document] = scores.get(document, 0.0) + score

    def _add_exact(self, scores: Scores, exact_spellings: Sequence[str]) -> None:
        restricted = self.narrow(scores)
        for word in exact_spellings:
            postings = posting_lists(self.snapshot, EXACT, word)
            weight = EXACT_WEIGHT * self.idf(postings)
            for posting_list in postings:
                restricted.add_scores(scores, posting_list, weight)

    def _score_prefix(self, prefix: str, prefix_count: int) -> Scores:
        """Return the scores of the documents with a word that starts with a prefix.

        At most the 50 most frequent words count, out of the first 400 of each field;
        the prefixes of a query share both limits. With `visible_words` there is no limit, and every
        matching document scores 1.
        """
        if self.visible_words is not None:
            documents = self.visible_words.documents_with_prefix(prefix)
            return {number: 1.0 for number in documents if number in (self.document_set or ())}
        words: dict[str, list[PostingList]] = {}
        for field in TEXT_FIELDS:
            for word, posting_list in posting_lists_by_prefix(
                self.snapshot,
                field,
                prefix,
                MAX_PREFIX_CANDIDATES // prefix_count,
            ):
                words.setdefault(word, []).append(posting_list)
        ranked = sorted(words.values(), key=lambda postings: -total_frequency(postings))
        expansions = list(chain(*ranked[: max(1, MAX_EXPANSIONS // prefix_count)]))
        idf = self.idf(expansions)
        scores: Scores = {}
        for posting_list in expansions:
            self.add_scores(scores, posting_list, TEXT_FIELDS[posting_list.field] * idf)
        for parts in apostrophe_variants(self.snapshot, prefix, is_prefix=True):
            _merge_best(scores, self.score_phrase(parts))
        return scores

    def score_phrase(
        self, words: Sequence[str], fields: Collection[str] = tuple(TEXT_FIELDS)
    ) -> Scores:
        """Return the scores of the documents with these words in a row in one of these fields."""
        scores: Scores = {}
        for field in fields:
            weight = TEXT_FIELDS[field]
            postings_by_word = {word: posting_lists(self.snapshot, field, word) for word in words}
            if all(postings_by_word.values()):
                idf = sum(self.idf(postings_by_word[word]) for word in words)
                norms = self.snapshot.length_norms.get(field)
                positions = self.term_positions(postings_by_word)
                # By article id: other documents must not decide which ones the budget reaches.
                for document in sorted(positions, key=self.snapshot.article_ids.__getitem__):
                    count = _count_phrase(words, positions[document], self.snapshot.budget)
                    if count:
                        norm = norms[document] if norms else NAMES_LENGTH_NORM
                        score = weight * idf * (BM25_K1 + 1) * count / (count + norm)
                        scores[document] = scores.get(document, 0.0) + score
        return scores

    def term_positions(
        self, postings_by_word: dict[str, list[PostingList]]
    ) -> dict[int, dict[str, bytes]]:
        """Return each word's encoded positions in every document that has all the words.

        The rarest word is looked up first, the others only in the documents that have it.
        """
        positions: dict[int, dict[str, bytes]] = {}
        narrowed = self
        rarest_first = sorted(
            postings_by_word, key=lambda word: total_frequency(postings_by_word[word])
        )
        for number, word in enumerate(rarest_first, 1):
            matches: dict[int, dict[str, bytes]] = {}
            for posting_list in postings_by_word[word]:
                for block in posting_list.blocks(narrowed.sorted_documents):
                    if not self.snapshot.budget.spend_block():
                        break
                    for document, encoded in zip(block.documents, block.positions, strict=True):
                        if narrowed.document_set is None or document in narrowed.document_set:
                            matches[document] = {**positions.get(document, {}), word: encoded}
            if not matches:
                return {}
            positions = matches
            if number < len(postings_by_word):
                narrowed = self.narrow(positions)
        return positions


def _merge_best(scores: Scores, others: Scores) -> None:
    """Merge `others` into `scores`, keeping the higher score of each document."""
    for document, score in others.items():
        scores[document] = max(score, scores.get(document, 0.0))


def _count_phrase(words: Sequence[str], positions: dict[str, bytes], budget: Budget) -> int:
    """Return how often the words occur in a row; 0 if the budget is exhausted."""
    decoded = {}
    starts: set[int] | None = None
    for index, word in sorted(enumerate(words), key=lambda item: len(positions[item[1]])):
        if not budget.spend(position_steps(positions[word])):
            return 0
        if word not in decoded:
            decoded[word] = decode_positions(positions[word])
        word_starts = {position - index for position in decoded[word]}
        starts = word_starts if starts is None else starts & word_starts
        if not starts:
            return 0
    return len(starts or ())
