"""Hostile queries: none may fail, and none may cost much CPU time.

Each is sent to the engine as a search and as a prefix for suggestions; every fifth is also sent to
the search page.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from benchmarks.figures import Figure, format_spread, quantile
from benchmarks.search.corpus import SEED, sentence_pools, words
from benchmarks.search.sites import BenchSite
from benchmarks.search.speed import cpu_times, page_opener
from spectator import indexing
from spectator.search import FACETS, MAX_PAGE, SearchRequest

WORST_GOAL, P99_GOAL = 500.0, 300.0
PAGE_SAMPLING = 5
PUNCTUATION = "\"*-()[]{}:^~&|+!?\\/<>=@#$%;,.'`“”«»_"
QUOTES = ("", '"')
CONTROLS = (
    "\x00\x01\x07\x08\t\n\r\x0b\x1b\x7f\u0085\u00ad\u200b\u200d\u2028\ufeff\ufffe\U000e0041"
    "\ud800\udfff"
)
DIRECTION_MARKS = "\u202a\u202b\u202d\u202e\u2066\u2067\u2069\u200f\u061cשלום مرحبا ߒߞߏ 𞤀𞤣"
MARKS = "\u0300\u0301\u0323\u064b\u0651\u20dd\ufe0f"
OPERATORS = (
    "AND",
    "OR",
    "NOT",
    "ANDNOT",
    "NEAR",
    "TO",
    "REQUIRE",
    "IN",
    "LIKE",
    "UNION SELECT",
    "--",
    "||",
    "~0.1",
    "^9",
)
KEYS = (
    "in",
    "by",
    "country",
    "topic",
    "language",
    "before",
    "after",
    "id",
    "body",
    "headline",
    "exact",
    "*",
)
INVALID_VALUES = (
    "",
    "*",
    "0000-00-00",
    "9999-99-99",
    "9999",
    "0001-01-01",
    "-1",
    "2024-02-30",
    "\x00",
    "a" * 300,
    "../..",
    "%00",
)
COMMON = ("the", "de", "na", "ya", "ti", "ku", "በ", "እና", "a*", "the*", "con*", "mwa*")


def hostile_texts(number: int) -> list[str]:
    """Return that many hostile texts, the same ones on every run."""
    rng = random.Random(SEED)
    pool = [
        word
        for pool in sentence_pools().values()
        for sentence in pool[:500]
        for word in words(sentence)
    ]
    generators: tuple[Callable[[random.Random, list[str]], str], ...] = (
        _operators, _nested, _long, _wildcards, _punctuation, _controls, _field_filters, _expensive,
        _twenty_thousand, _nonsense, _random_characters,
    )  # fmt: skip
    return [generators[index % len(generators)](rng, pool) for index in range(number)]


def _operators(rng: random.Random, pool: list[str]) -> str:
    parts = [
        rng.choice(OPERATORS if rng.random() < 0.6 else pool) for _ in range(rng.randint(1, 60))
    ]
    return " ".join(parts)


def _nested(rng: random.Random, pool: list[str]) -> str:
    opening, closing = rng.choice(("()", "[]", "{}", '""', "“”", "<>"))
    depth = rng.randint(1, 2000)
    return opening * depth + rng.choice(pool) + closing * rng.randint(0, depth)


def _long(rng: random.Random, pool: list[str]) -> str:
    return rng.choice((rng.choice(pool), *"aሀẹ٣ß")) * rng.randint(50, 400) + rng.choice(
        ("", "*", '"')
    )


def _wildcards(rng: random.Random, pool: list[str]) -> str:
    parts = [
        f"{rng.choice(pool)[: rng.randint(1, 3)]}{rng.choice('*?')}"
        for _ in range(rng.randint(1, 12))
    ]
    return " ".join(rng.choice(("", "*", "-")) + part for part in parts)


def _punctuation(rng: random.Random, _pool: list[str]) -> str:
    return "".join(rng.choices(PUNCTUATION + " ", k=rng.randint(1, 300)))


def _controls(rng: random.Random, pool: list[str]) -> str:
    characters = CONTROLS + DIRECTION_MARKS + MARKS
    parts = [
        rng.choice(pool) + "".join(rng.choices(characters, k=rng.randint(1, 9)))
        for _ in range(rng.randint(1, 9))
    ]
    return rng.choice(("", " ", "*", '"')).join(parts)


def _field_filters(rng: random.Random, pool: list[str]) -> str:
    parts = []
    for _ in range(rng.randint(1, 12)):
        value = rng.choice(
            (
                *INVALID_VALUES,
                rng.choice(pool),
                rng.choice(PUNCTUATION),
                rng.choice(CONTROLS),
            )
        )
        key, opening, closing = (rng.choice(texts) for texts in (KEYS, QUOTES, QUOTES))
        parts.append(f"{key}:{opening}{value}{closing}")
    return " ".join(parts)


def _expensive(rng: random.Random, pool: list[str]) -> str:
    """Return common words, possibly as a phrase, excluded or as a prefix."""
    parts = [
        rng.choice(COMMON) if rng.random() < 0.7 else rng.choice(pool)
        for _ in range(rng.randint(2, 12))
    ]
    patterns = ("{}", '"{}"', "-{}", '{} "{}"', "{}*")
    return rng.choice(patterns).replace("{}", " ".join(parts))


def _twenty_thousand(rng: random.Random, pool: list[str]) -> str:
    return (rng.choice((" ", "", '" "', "* ", "-")).join(rng.choices(pool, k=4000)))[:20_000]


def _nonsense(rng: random.Random, _pool: list[str]) -> str:
    """Return four unknown words of 48 letters, each of which needs a spelling lookup."""
    return " ".join("".join(rng.choices("bcdfghjklmnpqrstvwxyz", k=48)) for _ in range(4))


def _random_characters(rng: random.Random, _pool: list[str]) -> str:
    return "".join(chr(rng.randrange(0x110000)) for _ in range(rng.randint(1, 250)))


def figures(site: BenchSite, number: int) -> Iterator[Figure]:
    """Yield the number of errors and the highest costs."""
    texts, rng = hostile_texts(number), random.Random(SEED)
    errors: list[str] = []
    with site.app_context() as app:
        index, page = indexing.open_public_index(site.data), page_opener(app, "/search?q=")
        functions = {
            "search": (lambda text: index.find(random_request(rng, text)), texts),
            "suggestions": (index.suggest, texts),
            "page": (page, texts[::PAGE_SAMPLING]),
        }
        milliseconds = {
            name: cpu_times(record_errors(function, name, errors), inputs)
            for name, (function, inputs) in functions.items()
        }
    name = f"hostile queries, errors, {site.number:,} stories"
    yield Figure(
        name, len(errors), "", 0, note=f"{len(texts)} queries; {'; '.join(errors[:3])[:300]}"
    )
    for name, times in milliseconds.items():
        note = f"p99 {quantile(times, 0.99):.3g}, {format_spread(times)}"
        yield Figure(
            f"hostile queries, worst CPU, {name}", max(times), "ms", WORST_GOAL, note=note
        )
        yield Figure(f"hostile queries, p99 CPU, {name}", quantile(times, 0.99), "ms", P99_GOAL)


def random_request(rng: random.Random, text: str) -> SearchRequest:
    """Return a search for a text, often with hostile filters, sort order and page."""
    filters = {name: rng.choice(INVALID_VALUES) for name in FACETS if rng.random() < 0.1}
    sort = rng.choice(("relevance", "newest", "oldest"))
    return SearchRequest(
        text, **filters, sort=sort, page=rng.choice((1, 1, 1, 2, MAX_PAGE, 10**9, -1))
    )  # type: ignore[arg-type]


def record_errors(
    function: Callable[[str], object], name: str, errors: list[str]
) -> Callable[[str], object]:
    """Return a function that calls another and records its exceptions instead of raising them."""

    def call(text: str) -> None:
        try:
            function(text)
        except Exception as error:
            errors.append(f"{name}: {error!r:.100} for {text!r:.80}")

    return call
