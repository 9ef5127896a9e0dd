"""Which documents have what a clause asks for, and how well: BM25 over the fields, worked out a block at a time."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from itertools import islice

from spectator.search.analysis import is_english, stem
from spectator.search.postings import Entry, Row, entries, entries_beginning, names_without_apostrophe, positions_in
from spectator.search.query import Clause
from spectator.search.snapshot import SATURATION, Snapshot
from spectator.search.whoosh_schema import EXACT, STEMS, TEXT_FIELDS

# For all prefixes of a query together: each word found costs a list in every field.
MOST_EXPANSIONS = 50
MOST_CANDIDATES = 400
# Of one clause: each is looked up besides the words as they were typed.
MOST_SPELLINGS = 6

# How much a word counts that only shares its English stem with the one typed, and one written just as it was typed.
STEM_WEIGHT, EXACT_WEIGHT = 0.4, 0.6
# Names have no length to speak of.
_NAMES_DAMPER = SATURATION

Scores = dict[int, float]


class Lists:
    """The lists of one snapshot, for one query: `wanted` narrows every answer to some documents, None does not."""

    def __init__(self, snapshot: Snapshot, wanted: Collection[int] | None = None) -> None:
        self.snapshot = snapshot
        self.sorted = None if wanted is None else sorted(wanted)
        self.wanted = None if wanted is None else frozenset(wanted)

    def among(self, wanted: Collection[int]) -> Lists:
        """The same lists, narrowed to these documents."""
        return Lists(self.snapshot, wanted)

    def add(self, scores: Scores, entry: Entry, weight: float) -> None:
        """Add BM25 of one list, times `weight`, to each document's score."""
        dampers = self.snapshot.dampers.get(entry.field)
        wanted, most = self.wanted, weight * (SATURATION + 1)
        for block in entry.blocks(self.sorted):
            if not self.snapshot.budget.spend():
                return
            for document, count in zip(block.documents, block.weights, strict=True):
                if wanted is None or document in wanted:
                    damper = dampers[document] if dampers else _NAMES_DAMPER
                    scores[document] = scores.get(document, 0.0) + most * count / (count + damper)

    def rarity(self, found: Iterable[Entry]) -> float:
        """How much a word says (inverse document frequency), by the field that has it most often."""
        frequencies: dict[str, int] = {}
        for entry in found:
            frequencies[entry.field] = frequencies.get(entry.field, 0) + entry.frequency
        return self._rarity(max(frequencies.values(), default=0))

    def _rarity(self, frequency: int) -> float:
        number = max(len(self.snapshot.article), frequency)
        return math.log(1 + (number - frequency + 0.5) / (frequency + 0.5))

    def match(self, clause: Clause, share: int = 1) -> Scores:
        """The documents that fit a clause, with their scores; `share` is the number of prefixes in the query."""
        if clause.is_prefix:
            return self._prefix(clause.words[0], share)
        if clause.other_names:
            return self._named(clause)
        scores = self._row(clause.words, clause.exact)
        for row in self._spellings(clause):
            _add_best(scores, self._row(row))
        return scores

    def frequency(self, clause: Clause) -> int:
        """About how many documents fit a clause: what is cheap to know, to begin with the rarest."""
        if clause.is_prefix or clause.other_names:
            return len(self.snapshot.article)
        rows = [clause.words, *self._spellings(clause)]
        return sum(min(self._frequency(word) for word in row) for row in rows)

    def _frequency(self, word: str) -> int:
        return sum(entry.frequency for entry in entries(self.snapshot, "body", word))

    def _row(self, words: Row, exact: Sequence[str] = ()) -> Scores:
        return self.phrase(words) if len(words) > 1 else self.word(words[0], exact)

    def _spellings(self, clause: Clause) -> list[Row]:
        """How else the archive writes the words of a clause, with an apostrophe or without."""
        rows = [clause.words, *clause.spellings]
        found = dict.fromkeys(clause.spellings)
        for row in rows:
            for place, word in enumerate(row):
                for parts in names_without_apostrophe(self.snapshot, word):
                    found[(*row[:place], *parts, *row[place + 1 :])] = None
        found.pop(clause.words, None)
        return list(found)[:MOST_SPELLINGS]

    def _named(self, clause: Clause) -> Scores:
        """The documents with all words of a name, or with another name of the same."""
        lists, scores = self, Scores()
        for number, word in enumerate(clause.words):
            here = lists.word(word, clause.exact if not number else ())
            scores = {each: score + scores.get(each, 0.0) for each, score in here.items()}
            lists = self.among(scores)
        for name in clause.other_names:
            _add_best(scores, self._row(name))
        return scores

    def word(self, word: str, exact: Sequence[str] = ()) -> Scores:
        """The documents with a word, or in English stories with one of the same stem."""
        scores: Scores = {}
        found = [entry for field in TEXT_FIELDS for entry in entries(self.snapshot, field, word)]
        rarity = self.rarity(found)
        for entry in found:
            self.add(scores, entry, TEXT_FIELDS[entry.field] * rarity)
        self._add_stems(scores, word, rarity if found else None)
        if exact and scores:
            self._add_exact(scores, exact)
        return scores

    def _add_stems(self, scores: Scores, word: str, rarity: float | None) -> None:
        stemmed = stem(word)
        found = entries(self.snapshot, STEMS, stemmed)
        if rarity is None:
            rarity = self.rarity(found)
        for entry in found:
            self.add(scores, entry, STEM_WEIGHT * rarity)
        if stemmed == word:
            return
        # A story that has the stem itself as a word has it under its words: "election" of "elections".
        plain: Scores = {}
        for field in ("headline", "body"):
            for entry in entries(self.snapshot, field, stemmed):
                self.add(plain, entry, STEM_WEIGHT * TEXT_FIELDS[field] * rarity)
        language = self.snapshot.facets["language"]
        english = {code for code, tags in enumerate(language.combinations) if tags and is_english(tags[0])}
        for document, score in plain.items():
            if language.codes[document] in english:
                scores[document] = scores.get(document, 0.0) + score

    def _add_exact(self, scores: Scores, exact: Sequence[str]) -> None:
        inside = self.among(scores)
        for word in exact:
            found = entries(self.snapshot, EXACT, word)
            weight = EXACT_WEIGHT * self.rarity(found)
            for entry in found:
                inside.add(scores, entry, weight)

    def _prefix(self, prefix: str, share: int) -> Scores:
        """The documents with a word that begins so: the 50 most frequent among each field's first 400, by the share."""
        words: dict[str, list[Entry]] = {}
        for field in TEXT_FIELDS:
            for word, entry in entries_beginning(self.snapshot, field, prefix, MOST_CANDIDATES // share):
                words.setdefault(word, []).append(entry)
        ranked = sorted(words.values(), key=lambda found: -sum(entry.frequency for entry in found))
        scores: Scores = {}
        for found in islice(ranked, max(1, MOST_EXPANSIONS // share)):
            for entry in found:
                self.add(scores, entry, TEXT_FIELDS[entry.field])
        rarity = self._rarity(min(len(scores), len(self.snapshot.article)))
        scores = {document: score * rarity for document, score in scores.items()}
        for parts in names_without_apostrophe(self.snapshot, prefix, is_prefix=True):
            _add_best(scores, self.phrase(parts))
        return scores

    def phrase(self, words: Sequence[str], fields: Collection[str] = tuple(TEXT_FIELDS)) -> Scores:
        """The documents that have these words in a row in one of these fields."""
        scores: Scores = {}
        for field in fields:
            weight = TEXT_FIELDS[field]
            lists = {word: entries(self.snapshot, field, word) for word in words}
            if all(lists.values()):
                rarity = sum(self.rarity(lists[word]) for word in words)
                dampers = self.snapshot.dampers.get(field)
                for document, places in self.places(lists).items():
                    count = _times_in_a_row(words, places)
                    if count:
                        damper = dampers[document] if dampers else _NAMES_DAMPER
                        most = weight * rarity * (SATURATION + 1)
                        scores[document] = scores.get(document, 0.0) + most * count / (count + damper)
        return scores

    def places(self, lists: dict[str, list[Entry]]) -> dict[int, dict[str, bytes]]:
        """Of each document that has all the words, where it has each; the rarest word is looked up first."""
        found: dict[int, dict[str, bytes]] = {}
        inside = self
        for number, word in enumerate(sorted(lists, key=lambda each: sum(entry.frequency for entry in lists[each]))):
            here: dict[int, dict[str, bytes]] = {}
            for entry in lists[word]:
                for block in entry.blocks(inside.sorted):
                    if not self.snapshot.budget.spend():
                        break
                    for document, places in zip(block.documents, block.positions, strict=True):
                        if inside.wanted is None or document in inside.wanted:
                            here[document] = {**found.get(document, {}), word: places}
            if not here:
                return {}
            found = here
            if number + 1 < len(lists):
                inside = self.among(found)
        return found


def _add_best(scores: Scores, others: Scores) -> None:
    """Add other scores to some, the higher one where a document has both."""
    for document, score in others.items():
        scores[document] = max(score, scores.get(document, 0.0))


def _times_in_a_row(words: Sequence[str], places: dict[str, bytes]) -> int:
    """How often the words stand in a row."""
    known = {}
    starts: set[int] | None = None
    for step, word in sorted(enumerate(words), key=lambda each: len(places[each[1]])):
        if word not in known:
            known[word] = positions_in(places[word])
        here = {place - step for place in known[word]}
        starts = here if starts is None else starts & here
        if not starts:
            return 0
    return len(starts or ())
