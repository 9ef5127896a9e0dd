"""How fast an archive comes in: `spectator import jsonl` on short stories, without the index."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.end_to_end import COUNTRIES, SECTIONS
from benchmarks.figures import Figure
from benchmarks.search.sites import BenchSite
from benchmarks.speed import goals
from benchmarks.speed.rows import SENTENCE

TOPICS, AUTHORS = 40, 30


def figures(number: int, folder: Path) -> Iterator[Figure]:
    """Yield the stories a second of one import into an empty site by wall clock, less the command's own start."""
    file, site = folder / "archive.jsonl", BenchSite(folder / "imported", number)
    write_short(file, number)
    site.run("init")
    nothing = folder / "nothing.jsonl"
    nothing.touch()
    start = site.run("import", "jsonl", str(nothing))
    seconds = site.run("import", "jsonl", str(file)) - start
    yield goals.IMPORT.measured(number / seconds, f"{number:,} stories of 60 words in {seconds:.1f} s")


def write_short(file: Path, number: int) -> None:
    """Write that many stories of three short paragraphs as JSON lines, each filed in every way."""
    newest = datetime(2026, 11, 1, tzinfo=UTC)
    with file.open("w") as stream:
        for each in range(number):
            moment = newest - timedelta(minutes=7 * each)
            line = {"id": f"s{each}", "headline": f"What the river left behind, part {each}"}
            line |= {"dek": f"Part {each} of a long series.", "body": f"<p>{SENTENCE * 2}</p>" * 3}
            line |= {"published_at": moment.isoformat(), "source_name": "Bench"}
            filed = {"countries": [COUNTRIES[each % len(COUNTRIES)]], "topics": [f"Topic {each % TOPICS}"]}
            filed |= {"authors": [f"Author {each % AUTHORS}"]}
            stream.write(json.dumps(line | filed | {"section": SECTIONS[each % len(SECTIONS)]}) + "\n")
