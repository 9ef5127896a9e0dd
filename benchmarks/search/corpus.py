"""Stories for the search benchmarks: real ones, and any number generated from their sentences.

The real stories are not part of the project. If `../shared/corpus` is absent, figures that need
them are left out, and generated stories consist of invented words.
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
# Shares of generated stories and searches; the other languages divide the rest equally.
SHARES = {"en": 0.5, "fr": 0.2}
NEWEST = datetime(2026, 11, 1, tzinfo=UTC)
SEED = 20261123

_SENTENCE_END = re.compile(r"(?<=[.!?።؟])\s+|\n+")


@cache
def real_stories() -> tuple[Document, ...]:
    """Return the real stories of the ten languages, numbered from 1; none without the folder."""
    paths = [FOLDER / f"news-{language}.jsonl" for language in LANGUAGES]
    lines = [line for path in paths if path.exists() for line in path.read_text().splitlines()]
    return tuple(_document(number, json.loads(line)) for number, line in enumerate(lines, 1))


def _document(number: int, record: dict[str, str]) -> Document:
    """Return a story as an import would store it, but with a body of plain text."""
    return Document(
        id=number,
        version=1,
        headline=record["headline"],
        dek="",
        body=record["body"],
        names=f"{record['section'].capitalize()}\n{record['source_name']}",
        section=record["section"],
        countries=(),
        topics=(),
        authors=(),
        language=record["language"],
        published_at=datetime.fromisoformat(record["published_at"]),
    )


def sentences(text: str) -> list[str]:
    """Return the sentences of a text; a line break also ends a sentence."""
    return [sentence for sentence in _SENTENCE_END.split(text) if sentence.strip()]


def words(text: str) -> list[str]:
    """Return the words of a text as written, without punctuation."""
    return [text[token.start : token.end] for token in tokens(text)]


def write_generated_stories(path: Path, number: int) -> None:
    """Write that many generated stories as JSON lines, the same ones on every run."""
    rng = random.Random(SEED)
    names = [word.capitalize() for word in vocabulary(rng)]
    with path.open("w", encoding="utf-8") as file:
        for index in range(number):
            language = random_language(rng)
            moment = NEWEST - timedelta(minutes=YEARS * 365 * 24 * 60 * index // number)
            record = {
                "id": f"g{index}",
                "language": language,
                "published_at": moment.isoformat(),
                "source_name": "Bench",
            }
            record |= _random_text(rng, sentence_pools()[language], names)
            record |= _random_facets(rng, names)
            file.write(json.dumps(record) + "\n")


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
    rng = random.Random(SEED)
    invented = vocabulary(rng)
    weights = [1 / (rank + 3) for rank in range(len(invented))]
    return {
        "en": [
            " ".join(rng.choices(invented, weights, k=18)).capitalize() + "."
            for _ in range(20_000)
        ]
    }


def random_language(rng: random.Random) -> str:
    """Return a random language, weighted by SHARES."""
    others = [language for language in sentence_pools() if language not in SHARES]
    rest = (1 - sum(SHARES.values())) / max(1, len(others))
    weights = {language: SHARES.get(language, rest) for language in sentence_pools()}
    return rng.choices(list(weights), list(weights.values()))[0]


def random_sentence(rng: random.Random) -> str:
    """Return a sentence drawn at random."""
    return rng.choice(sentence_pools()[random_language(rng)])


def _random_text(rng: random.Random, pool: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """Return a headline, dek and body of random sentences, some attributed to a speaker."""
    drawn, length = [], 0
    while length < AVERAGE_WORDS:
        drawn.append(rng.choice(pool))
        length += drawn[-1].count(" ") + 1
    for index in rng.sample(range(len(drawn)), min(SPEAKERS, len(drawn))):
        # New names keep appearing in an archive, so its vocabulary grows.
        drawn[index] = f"{rng.choice(names)} {rng.choice(names)}: {drawn[index]}"
    paragraphs = [" ".join(drawn[start : start + 3]) for start in range(0, len(drawn), 3)]
    headline = rng.choice(pool).split()[: rng.randint(6, 9)]
    dek = " ".join(rng.choice(pool).split()[:20])
    return {"headline": " ".join(headline)[:200], "dek": dek[:300], "body": "\n".join(paragraphs)}


def _random_facets(rng: random.Random, names: Sequence[str]) -> dict[str, object]:
    """Return random facet values, of which a few are far more frequent than the rest."""
    return {
        "section": rng.choices(SECTIONS, range(len(SECTIONS), 0, -1))[0],
        "countries": _random_values(rng, COUNTRIES, 2),
        "topics": _random_values(rng, [f"Topic {name}" for name in names[:TOPICS]], 3),
        "authors": _random_values(
            rng, [f"{names[number]} {names[-number - 1]}" for number in range(AUTHORS)], 2
        ),
    }


def _random_values(rng: random.Random, values: Sequence[str], max_count: int) -> list[str]:
    weights = [1 / (rank + 2) for rank in range(len(values))]
    return list(dict.fromkeys(rng.choices(values, weights, k=rng.randint(1, max_count))))
