"""CPU time of search: whole page, engine alone, suggestions; and indexing speed."""

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
KINDS, SHARES = ("AND", "word", "phrase", "prefix"), (50, 30, 10, 10)
MIN_WORD_LETTERS = 4  # letters; searches are seldom for shorter words
WARM_UPS = 20


def random_searches(number: int, seed: int = SEED) -> list[str]:
    """Return typical searches: half two or three words, 30 % one, 10 % a phrase, 10 % a prefix.

    Words are drawn from sentences of the stories, so their frequencies are realistic.
    """
    chance = random.Random(seed)
    return [_search(chance) for _ in range(number)]


def _search(chance: random.Random) -> str:
    kind = chance.choices(KINDS, SHARES)[0]
    while True:
        sentence = words(random_sentence(chance))
        telling = [word for word in sentence if len(word) >= MIN_WORD_LETTERS]
        if len(telling) >= 3:
            break
    if kind == "AND":
        return " ".join(chance.sample(telling, chance.choice((2, 3))))
    if kind == "phrase":
        start = chance.randrange(len(sentence) - 2)
        return f'"{" ".join(sentence[start : start + chance.choice((2, 3))])}"'
    word = chance.choice(telling)
    return word if kind == "word" else f"{word[: chance.choice((3, 4))]}*"


def cpu_times(function: Callable[[str], object], texts: Sequence[str]) -> list[float]:
    """Return the CPU milliseconds of each text in this process."""
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


def page_figures(site: BenchSite, other: Fts5, number: int) -> Iterator[Figure]:
    """Yield the cost of a results page, and of our engine, Whoosh's matchers and FTS5 alone."""
    texts = random_searches(number + WARM_UPS)
    with site.app_context() as app:
        page = cpu_times(page_opener(app, "/search?q="), texts)[WARM_UPS:]
        index = indexing.open_public_index(site.data)
        matchers = WhooshMatchers(site.data / PUBLIC.directory / "current")
        engines = interleaved_cpu_times(
            (lambda text: index.find(SearchRequest(text, per_page=10)), matchers.page, other.page),
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
        part = [
            milliseconds
            for text, milliseconds in zip(texts[WARM_UPS:], page, strict=True)
            if search_kind(text) == kind
        ]
        yield Figure(
            f"  of these {kind}, p95 CPU", quantile(part, 0.95), "ms", note=format_spread(part)
        )
    yield engine_figure(f"engine with facets, p95 CPU, {stories}", engines)
    for kind in KINDS:
        part = [
            times
            for text, times in zip(texts[WARM_UPS:], engines, strict=True)
            if search_kind(text) == kind
        ]
        yield engine_figure(f"  of these {kind}, p95 CPU", part)


def interleaved_cpu_times(
    acts: Sequence[Callable[[str], object]], texts: Sequence[str]
) -> list[list[float]]:
    """Return for each text the CPU milliseconds of every act, measured in turn."""
    return [[cpu_times(act, [text])[0] for act in acts] for text in texts]


def engine_figure(name: str, times: Sequence[Sequence[float]]) -> Figure:
    """Return our engine's row, with FTS5 beside it and Whoosh's own matchers in the note."""
    ours, matchers, fts5 = (list(column) for column in zip(*times, strict=True))
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
    """Return the goal for a results page; a size without one has that of the next larger size."""
    return min((goal for size, goal in PAGE_GOALS.items() if size >= site.number), default=None)


def page_opener(app: Flask, address: str) -> Callable[[str], object]:
    """Return a function that requests a URL ending in a text; AssertionError on a fault."""
    client = app.test_client()

    def get(text: str) -> None:
        status = client.get(address + quote(text, errors="replace"), base_url=ADDRESS).status_code
        assert status == 200, (status, text)
        db.session.remove()

    return get


def suggestions_figure(site: BenchSite, number: int) -> Figure:
    """Return the cost of one request for suggestions while headline words are typed."""
    chance = random.Random(SEED)
    texts: list[str] = []
    while len(texts) < number + WARM_UPS:
        text = " ".join(words(random_sentence(chance))[: chance.choice((1, 2, 3))])
        texts.append(text[: chance.randint(2, 12)])
    with site.app_context() as app:
        times = cpu_times(page_opener(app, "/fragments/suggest?q="), texts)[WARM_UPS:]
        index = indexing.open_public_index(site.data)
        alone = cpu_times(index.suggest, texts)[WARM_UPS:]
    note = f"{format_spread(times)}; engine alone {quantile(alone, 0.95):.3g}"
    return Figure(
        f"suggestions, p95 CPU, {site.number:,} stories",
        quantile(times, 0.95),
        "ms",
        SUGGEST_GOAL,
        note=note,
    )


def search_kind(text: str) -> str:
    """Return which of the four kinds a search is."""
    return (
        "phrase"
        if text[0] == '"'
        else "prefix"
        if text[-1] == "*"
        else "AND"
        if " " in text
        else "word"
    )
