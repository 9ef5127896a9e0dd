"""The stories that search is measured on: real ones, and any number generated from them.

The real ones are no part of the project. If `../shared/corpus` is absent, figures that need them
are left out, and generated stories use invented words.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from benchmarks.end_to_end import SECTIONS, vocabulary
from spectator.search import Document
from spectator.text.words.folding import tokens

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "corpus"
LANGUAGES = ("am", "en", "fr", "ha", "ig", "pcm", "so", "sw", "xh", "yo")
COUNTRIES = tuple(
    "NG KE ML SN ZA ET GH CI CD TZ UG RW CM BF NE TD SD SO MZ AO ZM ZW MA DZ TN EG".split()
)
TOPICS, AUTHORS, SPEAKERS = 120, 40, 2
AVERAGE_WORDS, YEARS = 380, 12
# Shares of generated stories and searches; the other languages share the rest.
# Fewer languages make words more common.
SHARES = {"en": 0.5, "fr": 0.2}
NEWEST = datetime(2026, 11, 1, tzinfo=UTC)
SEED = 20261123

_SENTENCE_END = re.compile(r"(?<=[.!?።؟])\s+|\n+")


@cache
def real_stories() -> tuple[Document, ...]:
    """Return the real stories of the ten languages, numbered from 1; empty if the folder is
    absent.
    """
    paths = [FOLDER / f"news-{language}.jsonl" for language in LANGUAGES]
    lines = [line for path in paths if path.exists() for line in path.read_text().splitlines()]
    return tuple(_document(number, json.loads(line)) for number, line in enumerate(lines, 1))


def _document(number: int, line: dict[str, str]) -> Document:
    """Return a story with its metadata as an import would store it; bodies are plain text."""
    return Document(
        id=number,
        version=1,
        headline=line["headline"],
        dek="",
        body=line["body"],
        names=f"{line['section'].capitalize()}\n{line['source_name']}",
        section=line["section"],
        countries=(),
        topics=(),
        authors=(),
        language=line["language"],
        published_at=datetime.fromisoformat(line["published_at"]),
    )


def sentences(text: str) -> list[str]:
    """Return the sentences of a text; a line break ends one too."""
    return [part for part in _SENTENCE_END.split(text) if part.strip()]


def words(text: str) -> list[str]:
    """Return the words of a text as written, without punctuation."""
    return [text[token.start : token.end] for token in tokens(text)]


def write_generated_stories(path: Path, number: int) -> None:
    """Write that many generated stories as JSON lines; the output never varies."""
    chance = random.Random(SEED)
    names = [word.capitalize() for word in vocabulary(chance)]
    with path.open("w", encoding="utf-8") as file:
        for index in range(number):
            language = random_language(chance)
            moment = NEWEST - timedelta(minutes=YEARS * 365 * 24 * 60 * index // number)
            line = {
                "id": f"g{index}",
                "language": language,
                "published_at": moment.isoformat(),
                "source_name": "Bench",
            }
            line |= _random_text(chance, sentence_pools()[language], names)
            line |= _random_facets(chance, names)
            file.write(json.dumps(line) + "\n")


@cache
def sentence_pools() -> dict[str, list[str]]:
    """Return sentences of two words or more by language; invented ones without real stories."""
    pools: dict[str, list[str]] = {}
    for story in real_stories():
        pools.setdefault(story.language, []).extend(
            sentence for sentence in sentences(story.body) if " " in sentence.strip()
        )
    if pools:
        return pools
    chance = random.Random(SEED)
    invented = vocabulary(chance)
    weights = [1 / (rank + 3) for rank in range(len(invented))]
    return {
        "en": [
            " ".join(chance.choices(invented, weights, k=18)).capitalize() + "."
            for _ in range(20_000)
        ]
    }


def random_language(chance: random.Random) -> str:
    """Return a language at random, weighted by its number of stories."""
    others = [language for language in sentence_pools() if language not in SHARES]
    rest = (1 - sum(SHARES.values())) / max(1, len(others))
    weights = {language: SHARES.get(language, rest) for language in sentence_pools()}
    return chance.choices(list(weights), list(weights.values()))[0]


def random_sentence(chance: random.Random) -> str:
    """Return a sentence drawn at random."""
    return chance.choice(sentence_pools()[random_language(chance)])


def _random_text(
    chance: random.Random, pool: Sequence[str], names: Sequence[str]
) -> dict[str, str]:
    """Return headline, dek and body: drawn sentences, some attributed to a speaker."""
    drawn, length = [], 0
    while length < AVERAGE_WORDS:
        drawn.append(chance.choice(pool))
        length += drawn[-1].count(" ") + 1
    for index in chance.sample(range(len(drawn)), min(SPEAKERS, len(drawn))):
        # New names keep appearing in an archive, so its vocabulary grows.
        drawn[index] = f"{chance.choice(names)} {chance.choice(names)}: {drawn[index]}"
    paragraphs = [" ".join(drawn[start : start + 3]) for start in range(0, len(drawn), 3)]
    headline = chance.choice(pool).split()[: chance.randint(6, 9)]
    dek = " ".join(chance.choice(pool).split()[:20])
    return {"headline": " ".join(headline)[:200], "dek": dek[:300], "body": "\n".join(paragraphs)}


def _random_facets(chance: random.Random, names: Sequence[str]) -> dict[str, object]:
    """Return facet values, some far more frequent than others."""
    return {
        "section": chance.choices(SECTIONS, range(len(SECTIONS), 0, -1))[0],
        "countries": _random_values(chance, COUNTRIES, 2),
        "topics": _random_values(chance, [f"Topic {name}" for name in names[:TOPICS]], 3),
        "authors": _random_values(
            chance, [f"{names[number]} {names[-number - 1]}" for number in range(AUTHORS)], 2
        ),
    }


def _random_values(chance: random.Random, values: Sequence[str], most: int) -> list[str]:
    weights = [1 / (rank + 2) for rank in range(len(values))]
    return list(dict.fromkeys(chance.choices(values, weights, k=chance.randint(1, most))))
