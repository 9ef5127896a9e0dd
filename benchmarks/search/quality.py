"""Known items: the rank of a story of which a reader remembers a few words.

The figure is the mean reciprocal rank in the top ten. From at most 250 stories of a language one
sentence of six words or more is drawn. Of it 3 or 4 words are searched for, once consecutive and
once scattered in order; the figure is the mean of both. Headlines give 3 to 5 words. One index
holds all ten languages.

Readers remember distinctive words, so words of a sentence shorter than four letters are skipped (in
a syllabary none is). Words that another story's sentence or headline also has together are drawn
again, because they would not identify the story. The result for arbitrary words is printed beside
it.
"""

from __future__ import annotations

import random
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from statistics import mean

from benchmarks.figures import Figure
from benchmarks.search.corpus import LANGUAGES, SEED, real_stories, sentences, words
from benchmarks.search.fts5 import Fts5
from spectator.search import Document, SearchRequest, open_index
from spectator.text.words.folding import fold

SAMPLES = 250
BODY_GOALS = {"en": 0.96, "fr": 0.96, "sw": 0.96, "ha": 0.96, "yo": 0.93, "am": 0.93}
PLAIN_GOALS = {"fr": 0.95, "yo": 0.90}
HOMOPHONE_GOAL, HEADLINE_GOAL = 0.94, 0.98
BODY_WORDS, HEADLINE_WORDS = (3, 4), (3, 4, 5)
MIN_SENTENCE_WORDS = 6  # words
MIN_WORD_LETTERS = 4  # letters
SYLLABARIES = ("am",)
TRIES = 10
# The first of the seven orders of letters that sound alike in Amharic.
HOMOPHONES = ("ሀሐኀ", "ሰሠ", "አዐ", "ጸፀ")
ORDERS = 7

Best = Callable[[str], Sequence[int]]


@dataclass(frozen=True, slots=True)
class KnownItem:
    """Query text and the story that it should find."""

    text: str
    story: int


QueriesByMode = Mapping[str, Sequence[KnownItem]]
"""What is typed in each way of typing."""


def figures(directory: Path, number: int = SAMPLES) -> Iterator[Figure]:
    """Yield the known-item rows; nothing if the real stories are absent."""
    if not real_stories():
        return
    index, other = open_index(directory), Fts5(":memory:", real_stories())
    index.rebuild(real_stories(), 1)

    def best(text: str) -> Sequence[int]:
        return index.find(SearchRequest(text, per_page=10)).ids

    for name, queries, goal in questions(number):
        value, note = mean_reciprocal_rank(best, queries)
        yield Figure(
            f"MRR, {name}",
            value,
            "",
            goal,
            higher_is_better=True,
            baseline=mean_reciprocal_rank(other.best, queries)[0],
            note=note,
        )
    index.close()


def questions(number: int) -> Iterator[tuple[str, QueriesByMode, float | None]]:
    """Yield each row's name, its queries and its goal."""
    for language in LANGUAGES:
        yield (
            f"words of a sentence: {language}",
            body_queries(language, number),
            BODY_GOALS.get(language),
        )
        yield (
            f"any words of a sentence: {language}",
            body_queries(language, number, shortest=1),
            None,
        )
    for language, goal in PLAIN_GOALS.items():
        yield (
            f"the same without accents: {language}",
            rewrite_queries(body_queries(language, number), without_accents),
            goal,
        )
    swap = partial(with_homophones, random.Random(SEED))
    yield (
        "the same with homophone letters: am",
        rewrite_queries(body_queries("am", number), swap),
        HOMOPHONE_GOAL,
    )
    for language in LANGUAGES:
        yield f"words of a headline: {language}", headline_queries(language, number), HEADLINE_GOAL
        yield (
            f"any words of a headline: {language}",
            headline_queries(language, number, any_words=True),
            None,
        )


def mean_reciprocal_rank(best: Best, queries: QueriesByMode) -> tuple[float, str]:
    """Return the mean reciprocal rank in the top ten, and each way's as text."""
    by_way = {
        way: mean(_reciprocal_rank(best(item.text), item.story) for item in items)
        for way, items in queries.items()
    }
    parts = [f"{way} {value:.3f} ({len(queries[way])})" for way, value in by_way.items()]
    return mean(by_way.values()), ", ".join(parts)


def _reciprocal_rank(ids: Sequence[int], story: int) -> float:
    return 1 / (ids.index(story) + 1) if story in ids[:10] else 0.0


def body_queries(language: str, number: int, shortest: int = MIN_WORD_LETTERS) -> QueriesByMode:
    """Return words of a sentence of each story, with at least that many letters."""
    chance = random.Random(f"{SEED} body {language}")
    least = 1 if language in SYLLABARIES else shortest
    drawn = []
    for story in _stories(chance, language):
        parts = [
            sentence
            for sentence in map(words, sentences(story.body))
            if len(sentence) >= MIN_SENTENCE_WORDS
        ]
        filtered = [[word for word in part if len(fold(word)) >= least] for part in parts]
        long = [sentence for sentence in filtered if len(sentence) >= BODY_WORDS[0]]
        if long:
            drawn.append((chance.choice(long), story.id))
    return _draw_queries(
        chance, drawn[:number], BODY_WORDS, _identifies_one_story if shortest > 1 else None
    )


def headline_queries(language: str, number: int, *, any_words: bool = False) -> QueriesByMode:
    """Return words of each long enough headline that no other headline has together."""
    chance = random.Random(f"{SEED} headline {language}")
    drawn = [(words(story.headline), story.id) for story in _stories(chance, language)]
    long = [headline for headline in drawn if len(headline[0]) >= HEADLINE_WORDS[0]][:number]
    return _draw_queries(
        chance, long, HEADLINE_WORDS, None if any_words else _identifies_one_headline
    )


def _identifies_one_headline(text: str) -> bool:
    terms = {fold(word) for word in words(text)}
    return sum(terms <= headline for headline in _headline_words()) == 1


def _identifies_one_story(text: str) -> bool:
    """Return whether only one story has a sentence with all these words."""
    places = [_sentence_index().get(fold(word), frozenset()) for word in words(text)]
    return len({story for story, _ in frozenset.intersection(*places)}) == 1


@cache
def _sentence_index() -> dict[str, frozenset[tuple[int, int]]]:
    """Return the (story, sentence) pairs of each folded word."""
    postings: dict[str, set[tuple[int, int]]] = defaultdict(set)
    for story in real_stories():
        for number, sentence in enumerate(sentences(story.body)):
            for word in words(sentence):
                postings[fold(word)].add((story.id, number))
    return {word: frozenset(places) for word, places in postings.items()}


@cache
def _headline_words() -> tuple[frozenset[str], ...]:
    return tuple(
        frozenset(fold(word) for word in words(story.headline)) for story in real_stories()
    )


def _stories(chance: random.Random, language: str) -> list[Document]:
    """Return a language's stories in random order."""
    stories = [story for story in real_stories() if story.language == language]
    return chance.sample(stories, len(stories))


def _draw_queries(
    chance: random.Random,
    drawn: Sequence[tuple[Sequence[str], int]],
    lengths: Sequence[int],
    is_fit: Callable[[str], bool] | None = None,
) -> QueriesByMode:
    """Return words of each sentence in both ways; unfit draws are retried, then left out."""
    return {
        way: [
            KnownItem(text, story)
            for sentence, story in drawn
            if (text := _draw_fitting(partial(way_of, chance, sentence, lengths), is_fit))
        ]
        for way, way_of in (("in a row", _consecutive_words), ("scattered", _scattered_words))
    }


def _draw_fitting(draw: Callable[[], str], is_fit: Callable[[str], bool] | None) -> str:
    texts = (draw() for _ in range(TRIES))
    return next((text for text in texts if is_fit is None or is_fit(text)), "")


def _consecutive_words(
    chance: random.Random, sentence: Sequence[str], lengths: Sequence[int]
) -> str:
    length = min(chance.choice(lengths), len(sentence))
    start = chance.randint(0, len(sentence) - length)
    return " ".join(sentence[start : start + length])


def _scattered_words(chance: random.Random, sentence: Sequence[str], lengths: Sequence[int]) -> str:
    places = chance.sample(range(len(sentence)), min(chance.choice(lengths), len(sentence)))
    return " ".join(sentence[index] for index in sorted(places))


def rewrite_queries(queries: QueriesByMode, change: Callable[[str], str]) -> QueriesByMode:
    """Return queries for the same stories with changed spelling."""
    return {
        way: [KnownItem(change(item.text), item.story) for item in items]
        for way, items in queries.items()
    }


def without_accents(text: str) -> str:
    """Return a text without accents, tone marks and dots below."""
    return "".join(
        char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char)
    )


def with_homophones(chance: random.Random, text: str) -> str:
    """Return an Amharic text with letters that sound alike exchanged."""
    rows = {
        ord(first) + order: (row, order)
        for row in HOMOPHONES
        for first in row
        for order in range(ORDERS)
    }
    written = []
    for char in text:
        row, order = rows.get(ord(char), ("", 0))
        others = [chr(ord(first) + order) for first in row if ord(first) + order != ord(char)]
        written.append(chance.choice(others) if others else char)
    return "".join(written)
