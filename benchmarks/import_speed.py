"""Speed and peak memory of `spectator import jsonl` on a large archive.

`python -m benchmarks.import_speed [STORIES]` creates a site in a temporary directory and writes
that many generated stories (100,000 by default: 60 words, a section, one or two countries, two
topics and an author). It imports them without the index, again unchanged, and again with another
dek, which makes every story an update. It prints one figure a line; the goals are 1,500 stories a
second and less than 200 MB.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.end_to_end import COUNTRIES, SECTIONS, vocabulary

TOPICS, AUTHORS = 400, 60


def write_short_stories(path: Path, number: int) -> None:
    """Write generated stories of 60 words as JSON lines, newest first."""
    chance = random.Random(5)
    words = vocabulary(chance)
    newest = datetime(2026, 11, 1, tzinfo=UTC)

    def sentence(length: int) -> str:
        return " ".join(chance.choices(words, k=length)).capitalize()

    with path.open("w", encoding="utf-8") as file:
        for index in range(number):
            line = {"id": f"short-{index}", "headline": sentence(7), "dek": f"{sentence(12)}."}
            line |= {
                "body": f"{sentence(30)}.\n\n{sentence(30)}.",
                "section": chance.choice(SECTIONS),
            }
            line |= {"countries": chance.sample(COUNTRIES, chance.randint(1, 2))}
            line |= {"topics": [f"Topic {topic}" for topic in chance.sample(range(TOPICS), 2)]}
            line |= {"author": f"Author {chance.randrange(AUTHORS)}"}
            line |= {"published_at": (newest - timedelta(minutes=3 * index)).isoformat()}
            file.write(json.dumps(line) + "\n")


def spectator(*arguments: str) -> tuple[float, int]:
    """Run the command; return its seconds of wall clock and peak memory in MB.

    Raise an error if the command fails.
    """
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "spectator", *arguments], stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"spectator {' '.join(arguments)} ended with {process.returncode}")
    return time.monotonic() - started, used.ru_maxrss // 1024


def main() -> None:
    """Measure and print."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as directory:
        os.environ["SPECTATOR_DATA_DIR"] = f"{directory}/data"
        stories = Path(directory) / "stories.jsonl"
        write_short_stories(stories, number)
        spectator("init")
        for what in ("new", "unchanged", "updated"):
            if what == "updated":
                stories.write_text(stories.read_text().replace('"dek": "', '"dek": "Anew: '))
            seconds, megabytes = spectator("import", "jsonl", str(stories))
            print(
                f"{what}: {number / seconds:,.0f} stories/s ({number:,} in {seconds:.1f} s), "
                f"peak {megabytes} MB"
            )


if __name__ == "__main__":
    main()
