"""Hostile queries: none may fail, and none may cost much.

Each goes to the engine as a search and as an autocomplete prefix; some also go to the page as a
URL.
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
PAGE_SAMPLING = 5  # every so many queries also go to the page
SIGNS = "\"*-()[]{}:^~&|+!?\\/<>=@#$%;,.'`“”«»_"
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
    """Return that many hostile texts; the output never varies."""
    chance = random.Random(SEED)
    pool = [
        word
        for pool in sentence_pools().values()
        for sentence in pool[:500]
        for word in words(sentence)
    ]
    makers: tuple[Callable[[random.Random, list[str]], str], ...] = (
        _operators, _nested, _long, _wildcards, _signs, _controls, _field_filters, _expensive,
        _twenty_thousand, _nonsense, _random_characters,
    )  # fmt: skip
    return [makers[index % len(makers)](chance, pool) for index in range(number)]


def _operators(chance: random.Random, pool: list[str]) -> str:
    parts = [
        chance.choice(OPERATORS if chance.random() < 0.6 else pool)
        for _ in range(chance.randint(1, 60))
    ]
    return " ".join(parts)


def _nested(chance: random.Random, pool: list[str]) -> str:
    opening, closing = chance.choice(("()", "[]", "{}", '""', "“”", "<>"))
    depth = chance.randint(1, 2000)
    return opening * depth + chance.choice(pool) + closing * chance.randint(0, depth)


def _long(chance: random.Random, pool: list[str]) -> str:
    return chance.choice((chance.choice(pool), *"aሀẹ٣ß")) * chance.randint(50, 400) + chance.choice(
        ("", "*", '"')
    )


def _wildcards(chance: random.Random, pool: list[str]) -> str:
    parts = [
        f"{chance.choice(pool)[: chance.randint(1, 3)]}{chance.choice('*?')}"
        for _ in range(chance.randint(1, 12))
    ]
    return " ".join(chance.choice(("", "*", "-")) + part for part in parts)


def _signs(chance: random.Random, _pool: list[str]) -> str:
    return "".join(chance.choices(SIGNS + " ", k=chance.randint(1, 300)))


def _controls(chance: random.Random, pool: list[str]) -> str:
    signs = CONTROLS + DIRECTION_MARKS + MARKS
    parts = [
        chance.choice(pool) + "".join(chance.choices(signs, k=chance.randint(1, 9)))
        for _ in range(chance.randint(1, 9))
    ]
    return chance.choice(("", " ", "*", '"')).join(parts)


def _field_filters(chance: random.Random, pool: list[str]) -> str:
    parts = []
    for _ in range(chance.randint(1, 12)):
        value = chance.choice(
            (*INVALID_VALUES, chance.choice(pool), chance.choice(SIGNS), chance.choice(CONTROLS))
        )
        key, opening, closing = (chance.choice(texts) for texts in (KEYS, QUOTES, QUOTES))
        parts.append(f"{key}:{opening}{value}{closing}")
    return " ".join(parts)


def _expensive(chance: random.Random, pool: list[str]) -> str:
    """Return costly queries: rows of common words, as prefixes, as exclusions."""
    parts = [
        chance.choice(COMMON) if chance.random() < 0.7 else chance.choice(pool)
        for _ in range(chance.randint(2, 12))
    ]
    ways = ("{}", '"{}"', "-{}", '{} "{}"', "{}*")
    return chance.choice(ways).replace("{}", " ".join(parts))


def _twenty_thousand(chance: random.Random, pool: list[str]) -> str:
    return (chance.choice((" ", "", '" "', "* ", "-")).join(chance.choices(pool, k=4000)))[:20_000]


def _nonsense(chance: random.Random, _pool: list[str]) -> str:
    """Return four unknown words of 48 letters, each of which needs a spelling lookup."""
    return " ".join("".join(chance.choices("bcdfghjklmnpqrstvwxyz", k=48)) for _ in range(4))


def _random_characters(chance: random.Random, _pool: list[str]) -> str:
    return "".join(chr(chance.randrange(0x110000)) for _ in range(chance.randint(1, 250)))


def figures(site: BenchSite, number: int) -> Iterator[Figure]:
    """Yield the number of faults and the worst cost."""
    texts, chance = hostile_texts(number), random.Random(SEED)
    faults: list[str] = []
    with site.app_context() as app:
        index, page = indexing.open_public_index(site.data), page_opener(app, "/search?q=")
        functions = {
            "search": (lambda text: index.find(random_request(chance, text)), texts),
            "suggestions": (index.suggest, texts),
            "page": (page, texts[::PAGE_SAMPLING]),
        }
        milliseconds = {
            name: cpu_times(record_faults(function, name, faults), inputs)
            for name, (function, inputs) in functions.items()
        }
    name = f"hostile queries, faults, {site.number:,} stories"
    yield Figure(
        name, len(faults), "", 0, note=f"{len(texts)} queries; {'; '.join(faults[:3])[:300]}"
    )
    for name, times in milliseconds.items():
        note = f"p99 {quantile(times, 0.99):.3g}, {format_spread(times)}"
        yield Figure(f"hostile queries, worst CPU, {name}", max(times), "ms", WORST_GOAL, note=note)
        yield Figure(f"hostile queries, p99 CPU, {name}", quantile(times, 0.99), "ms", P99_GOAL)


def random_request(chance: random.Random, text: str) -> SearchRequest:
    """Return a search for a text, often with hostile filters, sort order and page."""
    filters = {name: chance.choice(INVALID_VALUES) for name in FACETS if chance.random() < 0.1}
    sort = chance.choice(("relevance", "newest", "oldest"))
    return SearchRequest(
        text, **filters, sort=sort, page=chance.choice((1, 1, 1, 2, MAX_PAGE, 10**9, -1))
    )  # type: ignore[arg-type]


def record_faults(
    function: Callable[[str], object], name: str, faults: list[str]
) -> Callable[[str], object]:
    """Return a function that does the same, records its faults and goes on."""

    def careful(text: str) -> None:
        try:
            function(text)
        except Exception as error:
            faults.append(f"{name}: {error!r:.100} for {text!r:.80}")

    return careful
