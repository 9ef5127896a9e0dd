"""Search quality: how high search ranks a story of which a reader remembers a few words.

For at most 250 stories of each language, one random sentence of six words or more is chosen from
each story. The first query has 3 or 4 consecutive words of the sentence; the second has 3 or 4 of
its words with gaps, in order. Queries from headlines have 3 to 5 words. A figure is the mean
reciprocal rank in the top ten, averaged over both modes. One index contains all ten languages.

Readers remember distinctive words, so words shorter than four letters are skipped, except in
syllabaries. A query must identify one story: if a sentence of another story contains all its words
(for headlines: if another headline does), other words are chosen, at most ten times. The rows
"any words" have neither restriction.
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
from benchmarks.search.postgres import quality_figure, temporary_index
from spectator.search import Document, Index, SearchRequest, open_index
from spectator.text.words.folding import fold

SAMPLES = 250
BODY_GOALS = {"en": 0.96, "fr": 0.96, "sw": 0.96, "ha": 0.96, "yo": 0.93, "am": 0.93}
PLAIN_GOALS = {"fr": 0.95, "yo": 0.90}
HOMOPHONE_GOAL, HEADLINE_GOAL = 0.94, 0.98
BODY_WORDS, HEADLINE_WORDS = (3, 4), (3, 4, 5)
MIN_SENTENCE_WORDS = 6
MIN_WORD_LETTERS = 4
SYLLABARIES = ("am",)
TRIES = 10
# Ethiopic consonants that sound alike in Amharic. Each is followed in Unicode by its other vowels;
# a consonant with a vowel is called an order, and there are seven.
HOMOPHONES = ("ሀሐኀ", "ሰሠ", "አዐ", "ጸፀ")
ORDERS = 7

Best = Callable[[str], Sequence[int]]


@dataclass(frozen=True, slots=True)
class KnownItem:
    """Query text and the story that it should find."""

    text: str
    story: int


QueriesByMode = Mapping[str, Sequence[KnownItem]]
"""Queries with consecutive words and queries with scattered words."""


def figures(directory: Path, number: int = SAMPLES) -> Iterator[Figure]:
    """Yield the known-item rows; nothing if the real stories are absent."""
    if not real_stories():
        return
    index, fts5 = open_index(directory), Fts5(":memory:", real_stories())
    index.rebuild(real_stories(), 1)
    with temporary_index() as shared:
        if shared:
            shared.rebuild(real_stories(), 1)
        for name, queries, goal in query_sets(number):
            value, note = mean_reciprocal_rank(best_of(index), queries)
            baseline = mean_reciprocal_rank(fts5.best, queries)[0]
            yield Figure(
                f"MRR, {name}",
                value,
                "",
                goal,
                higher_is_better=True,
                baseline=baseline,
                note=note,
            )
            if shared:
                in_postgres, note = mean_reciprocal_rank(best_of(shared), queries)
                yield quality_figure(name, in_postgres, value, baseline, note)
    index.close()


def best_of(index: Index) -> Best:
    """Return a function that returns the ids of the ten best stories."""
    return lambda text: index.find(SearchRequest(text, per_page=10)).ids


def query_sets(number: int) -> Iterator[tuple[str, QueriesByMode, float | None]]:
    """Yield each row's name, its queries and its goal."""
    for language in LANGUAGES:
        yield (
            f"words of a sentence: {language}",
            body_queries(language, number),
            BODY_GOALS.get(language),
        )
        yield (
            f"any words of a sentence: {language}",
            body_queries(language, number, any_words=True),
            None,
        )
    for language, goal in PLAIN_GOALS.items():
        yield (
            f"words of a sentence, without accents: {language}",
            rewrite_queries(body_queries(language, number), without_accents),
            goal,
        )
    swap = partial(with_homophones, random.Random(SEED))
    yield (
        "words of a sentence, with homophone letters: am",
        rewrite_queries(body_queries("am", number), swap),
        HOMOPHONE_GOAL,
    )
    for language in LANGUAGES:
        yield (
            f"words of a headline: {language}",
            headline_queries(language, number),
            HEADLINE_GOAL,
        )
        yield (
            f"any words of a headline: {language}",
            headline_queries(language, number, any_words=True),
            None,
        )


def mean_reciprocal_rank(best: Best, queries: QueriesByMode) -> tuple[float, str]:
    """Return the mean reciprocal rank in the top ten, and the mean of each mode as text."""
    by_mode = {
        mode: mean(_reciprocal_rank(best(item.text), item.story) for item in items)
        for mode, items in queries.items()
    }
    texts = [f"{mode} {value:.3f} ({len(queries[mode])})" for mode, value in by_mode.items()]
    return mean(by_mode.values()), ", ".join(texts)


def _reciprocal_rank(ids: Sequence[int], story: int) -> float:
    return 1 / (ids.index(story) + 1) if story in ids[:10] else 0.0


def body_queries(language: str, number: int, *, any_words: bool = False) -> QueriesByMode:
    """Return queries of words from a random sentence of each story."""
    rng = random.Random(f"{SEED} body {language}")
    min_letters = 1 if any_words or language in SYLLABARIES else MIN_WORD_LETTERS
    chosen_sentences = []
    for story in _stories(rng, language):
        long_sentences = [
            sentence
            for sentence in map(words, sentences(story.body))
            if len(sentence) >= MIN_SENTENCE_WORDS
        ]
        candidates = [
            [word for word in sentence if len(fold(word)) >= min_letters]
            for sentence in long_sentences
        ]
        candidates = [sentence for sentence in candidates if len(sentence) >= min(BODY_WORDS)]
        if candidates:
            chosen_sentences.append((rng.choice(candidates), story.id))
    is_suitable = None if any_words else _identifies_one_story
    return _draw_queries(rng, chosen_sentences[:number], BODY_WORDS, is_suitable)


def headline_queries(language: str, number: int, *, any_words: bool = False) -> QueriesByMode:
    """Return queries of words from each headline of three words or more."""
    rng = random.Random(f"{SEED} headline {language}")
    headlines = [(words(story.headline), story.id) for story in _stories(rng, language)]
    headlines = [(text, story) for text, story in headlines if len(text) >= min(HEADLINE_WORDS)]
    is_suitable = None if any_words else _identifies_one_headline
    return _draw_queries(rng, headlines[:number], HEADLINE_WORDS, is_suitable)


def _identifies_one_headline(text: str) -> bool:
    """Return whether only one headline has all these words."""
    terms = {fold(word) for word in words(text)}
    return sum(terms <= headline for headline in _headline_words()) == 1


def _identifies_one_story(text: str) -> bool:
    """Return whether only one story has a sentence with all these words."""
    postings = [_sentence_index().get(fold(word), frozenset()) for word in words(text)]
    return len({story for story, _ in frozenset.intersection(*postings)}) == 1


@cache
def _sentence_index() -> dict[str, frozenset[tuple[int, int]]]:
    """Return the (story, sentence) pairs of each folded word."""
    postings: dict[str, set[tuple[int, int]]] = defaultdict(set)
    for story in real_stories():
        for number, sentence in enumerate(sentences(story.body)):
            for word in words(sentence):
                postings[fold(word)].add((story.id, number))
    return {word: frozenset(pairs) for word, pairs in postings.items()}


@cache
def _headline_words() -> tuple[frozenset[str], ...]:
    return tuple(
        frozenset(fold(word) for word in words(story.headline)) for story in real_stories()
    )


def _stories(rng: random.Random, language: str) -> list[Document]:
    """Return a language's stories in random order."""
    stories = [story for story in real_stories() if story.language == language]
    return rng.sample(stories, len(stories))


def _draw_queries(
    rng: random.Random,
    sources: Sequence[tuple[Sequence[str], int]],
    lengths: Sequence[int],
    is_suitable: Callable[[str], bool] | None,
) -> QueriesByMode:
    """Return the queries of both modes from each (words, story id).

    A source is left out if none of TRIES random queries is suitable.
    """
    queries: dict[str, list[KnownItem]] = {"in a row": [], "scattered": []}
    for mode, draw in (("in a row", _consecutive_words), ("scattered", _scattered_words)):
        for source, story in sources:
            texts = (draw(rng, source, lengths) for _ in range(TRIES))
            text = next((text for text in texts if is_suitable is None or is_suitable(text)), "")
            if text:
                queries[mode].append(KnownItem(text, story))
    return queries


def _consecutive_words(
    rng: random.Random, sentence: Sequence[str], lengths: Sequence[int]
) -> str:
    length = min(rng.choice(lengths), len(sentence))
    start = rng.randint(0, len(sentence) - length)
    return " ".join(sentence[start : start + length])


def _scattered_words(rng: random.Random, sentence: Sequence[str], lengths: Sequence[int]) -> str:
    positions = rng.sample(range(len(sentence)), min(rng.choice(lengths), len(sentence)))
    return " ".join(sentence[position] for position in sorted(positions))


def rewrite_queries(queries: QueriesByMode, change: Callable[[str], str]) -> QueriesByMode:
    """Return queries for the same stories with changed spelling."""
    return {
        mode: [KnownItem(change(item.text), item.story) for item in items]
        for mode, items in queries.items()
    }


def without_accents(text: str) -> str:
    """Return a text without accents, tone marks and dots below."""
    return "".join(
        char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char)
    )


def with_homophones(rng: random.Random, text: str) -> str:
    """Return an Amharic text with every possible character replaced by a random homophone."""
    homophones = {}
    for consonants in HOMOPHONES:
        for order in range(ORDERS):
            group = [chr(ord(consonant) + order) for consonant in consonants]
            for char in group:
                homophones[char] = [other for other in group if other != char]
    return "".join(rng.choice(homophones.get(char, [char])) for char in text)
