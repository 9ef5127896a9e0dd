"""CPU time of results pages, of the search engine alone and of suggestions; indexing speed."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from flask import Flask

from benchmarks.figures import Figure, format_spread, quantile
from benchmarks.search.corpus import SEED, random_sentence, words
from benchmarks.search.fts5 import Fts5
from benchmarks.search.sites import ADDRESS, BenchSite, documents
from benchmarks.search.whoosh_matchers import WhooshMatchers
from spectator import indexing
from spectator.db import db
from spectator.indexing import PUBLIC
from spectator.search import SearchRequest

PAGE_GOALS = {10_000: 80.0, 50_000: 350.0}
SUGGEST_GOAL, REINDEX_GOAL = 30.0, 80.0
KINDS, KIND_PERCENTAGES = ("AND", "word", "phrase", "prefix"), (50, 30, 10, 10)
MIN_WORD_LETTERS = 4  # readers seldom search for shorter words
WARM_UPS = 20


def random_searches(number: int, seed: int = SEED) -> list[str]:
    """Return typical searches: 50 % two or three words, 30 % one, 10 % a phrase, 10 % a prefix.

    Words are drawn from sentences of the stories, so their frequencies are realistic.
    """
    rng = random.Random(seed)
    return [_search(rng) for _ in range(number)]


def _search(rng: random.Random) -> str:
    kind = rng.choices(KINDS, KIND_PERCENTAGES)[0]
    while True:
        sentence = words(random_sentence(rng))
        long_words = [word for word in sentence if len(word) >= MIN_WORD_LETTERS]
        if len(long_words) >= 3:
            break
    if kind == "AND":
        return " ".join(rng.sample(long_words, rng.choice((2, 3))))
    if kind == "phrase":
        start = rng.randrange(len(sentence) - 2)
        return f'"{" ".join(sentence[start : start + rng.choice((2, 3))])}"'
    word = rng.choice(long_words)
    return word if kind == "word" else f"{word[: rng.choice((3, 4))]}*"


def cpu_times(function: Callable[[str], object], texts: Sequence[str]) -> list[float]:
    """Return the CPU milliseconds that this process needs for each text."""
    times = []
    for text in texts:
        started = time.process_time()
        function(text)
        times.append((time.process_time() - started) * 1000)
    return times


def reindex_figure(site: BenchSite, path: Path) -> Figure:
    """Return the stories a second of `spectator reindex`; FTS5 reads the same database."""
    seconds = site.reindex()
    started = time.monotonic()
    with site.app_context():
        Fts5(path, documents())
    fts5 = site.number / (time.monotonic() - started)
    name = f"reindex, {site.number:,} stories"
    return Figure(
        name,
        site.number / seconds,
        "/s",
        REINDEX_GOAL,
        higher_is_better=True,
        baseline=fts5,
        note="wall time",
    )


def page_figures(site: BenchSite, fts5: Fts5, number: int) -> Iterator[Figure]:
    """Yield the cost of a results page, and of our engine, Whoosh's matchers and FTS5 alone."""
    texts = random_searches(number + WARM_UPS)
    with site.app_context() as app:
        page = cpu_times(page_opener(app, "/search?q="), texts)[WARM_UPS:]
        index = indexing.open_public_index(site.data)
        matchers = WhooshMatchers(site.data / PUBLIC.directory / "current")
        engines = interleaved_cpu_times(
            (lambda text: index.find(SearchRequest(text, per_page=10)), matchers.page, fts5.page),
            texts,
        )[WARM_UPS:]
    stories = f"{site.number:,} stories"
    yield Figure(
        f"whole results page, p95 CPU, {stories}",
        quantile(page, 0.95),
        "ms",
        page_goal(site),
        note=format_spread(page),
    )
    for kind in KINDS:
        times = [
            milliseconds
            for text, milliseconds in zip(texts[WARM_UPS:], page, strict=True)
            if search_kind(text) == kind
        ]
        yield Figure(
            f"  of these {kind}, p95 CPU", quantile(times, 0.95), "ms", note=format_spread(times)
        )
    yield engine_figure(f"engine with facets, p95 CPU, {stories}", engines)
    for kind in KINDS:
        rows = [
            row
            for text, row in zip(texts[WARM_UPS:], engines, strict=True)
            if search_kind(text) == kind
        ]
        yield engine_figure(f"  of these {kind}, p95 CPU", rows)


def interleaved_cpu_times(
    functions: Sequence[Callable[[str], object]], texts: Sequence[str]
) -> list[list[float]]:
    """Return for each text the CPU milliseconds of every function, called in turn."""
    return [[cpu_times(function, [text])[0] for function in functions] for text in texts]


def engine_figure(name: str, rows: Sequence[Sequence[float]]) -> Figure:
    """Return our engine's figure with FTS5 as its baseline and Whoosh's own matchers in the note.

    Each row holds the milliseconds of the three for one query, in this order: our engine, Whoosh's
    matchers, FTS5.
    """
    ours, matchers, fts5 = (list(column) for column in zip(*rows, strict=True))
    note = (
        f"{format_spread(ours)}; Whoosh's own matchers without facets "
        f"{_compare(matchers, ours, 0.95)}, p50 {_compare(matchers, ours, 0.5)}; "
        f"FTS5 {_compare(fts5, ours, 0.95)}, p50 {_compare(fts5, ours, 0.5)}"
    )
    return Figure(name, quantile(ours, 0.95), "ms", baseline=quantile(fts5, 0.95), note=note)


def _compare(times: Sequence[float], ours: Sequence[float], share: float) -> str:
    value = quantile(times, share)
    return f"{value:.3g} ms ({value / quantile(ours, share):.2g} × ours)"


def page_goal(site: BenchSite) -> float | None:
    """Return the goal for a results page; sizes without a goal use that of the next larger size."""
    return min((goal for size, goal in PAGE_GOALS.items() if size >= site.number), default=None)


def page_opener(app: Flask, address: str) -> Callable[[str], object]:
    """Return a function that requests `address` + text; AssertionError unless the status is 200."""
    client = app.test_client()

    def get(text: str) -> None:
        status = client.get(address + quote(text, errors="replace"), base_url=ADDRESS).status_code
        assert status == 200, (status, text)
        db.session.remove()

    return get


def suggestions_figure(site: BenchSite, number: int) -> Figure:
    """Return the cost of one request for suggestions while a reader types words of a sentence."""
    rng = random.Random(SEED)
    texts: list[str] = []
    while len(texts) < number + WARM_UPS:
        text = " ".join(words(random_sentence(rng))[: rng.choice((1, 2, 3))])
        texts.append(text[: rng.randint(2, 12)])
    with site.app_context() as app:
        times = cpu_times(page_opener(app, "/fragments/suggest?q="), texts)[WARM_UPS:]
        index = indexing.open_public_index(site.data)
        engine_times = cpu_times(index.suggest, texts)[WARM_UPS:]
    note = f"{format_spread(times)}; engine alone {quantile(engine_times, 0.95):.3g}"
    return Figure(
        f"suggestions, p95 CPU, {site.number:,} stories",
        quantile(times, 0.95),
        "ms",
        SUGGEST_GOAL,
        note=note,
    )


def search_kind(text: str) -> str:
    """Return which of KINDS a search is."""
    if text.startswith('"'):
        return "phrase"
    if text.endswith("*"):
        return "prefix"
    return "AND" if " " in text else "word"
