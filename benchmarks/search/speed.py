"""What search costs in CPU time: the whole page, the engine alone, suggestions, and how fast an index is built."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import quote

from flask import Flask

from benchmarks.search.corpus import SEED, pools, words
from benchmarks.search.figures import Figure, quantile, spread
from benchmarks.search.fts5 import Fts5
from benchmarks.search.sites import BenchSite
from spectator import indexing, queries
from spectator.db import db
from spectator.search import Document, Request

PAGE_GOALS = {10_000: 80.0, 50_000: 350.0}
SUGGEST_GOAL, REINDEX_GOAL = 30.0, 80.0
KINDS, SHARES = ("AND", "word", "phrase", "prefix"), (50, 30, 10, 10)
SHORTEST_WORD = 4  # letters; what is looked for is seldom shorter
WARM_UPS = 20


def searches(number: int, seed: int = SEED) -> list[str]:
    """Return what readers type: half of it two or three words, 30 % one, 10 % a phrase, 10 % a prefix.

    Words are drawn from sentences of the stories, so that common ones come as often as they are common.
    """
    chance = random.Random(seed)
    pool = [sentence for each in pools().values() for sentence in each]
    return [_search(chance, pool) for _ in range(number)]


def _search(chance: random.Random, pool: Sequence[str]) -> str:
    kind = chance.choices(KINDS, SHARES)[0]
    while True:
        sentence = words(chance.choice(pool))
        telling = [word for word in sentence if len(word) >= SHORTEST_WORD]
        if len(telling) >= 3:
            break
    if kind == "AND":
        return " ".join(chance.sample(telling, chance.choice((2, 3))))
    if kind == "phrase":
        start = chance.randrange(len(sentence) - 2)
        return f'"{" ".join(sentence[start : start + chance.choice((2, 3))])}"'
    word = chance.choice(telling)
    return word if kind == "word" else f"{word[: chance.choice((3, 4))]}*"


def cpu(act: Callable[[str], object], texts: Sequence[str]) -> list[float]:
    """Return the milliseconds of CPU that each text takes in this process."""
    taken = []
    for text in texts:
        started = time.process_time()
        act(text)
        taken.append((time.process_time() - started) * 1000)
    return taken


def reindexing(site: BenchSite, other: Callable[[], Fts5] | None = None) -> Figure:
    """Return how many stories a second `spectator reindex` takes in, and FTS5."""
    seconds = site.reindex()
    started = time.monotonic()
    fts5 = site.number / (time.monotonic() - started) if other and other() else None
    return Figure(f"reindex, {site.number:,} stories", site.number / seconds, "/s", REINDEX_GOAL, is_floor=True, fts5=fts5)
