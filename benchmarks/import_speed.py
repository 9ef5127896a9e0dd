"""Speed and peak memory of `spectator import jsonl` on a large archive.

`python -m benchmarks.import_speed [STORIES]` creates a site in a temporary directory and writes
that many generated stories (100,000 by default: 60 words, a section, one or two countries, two
topics and an author). It imports them three times: as new stories,
unchanged, and with another dek, so that every story is updated. It prints one line for each import;
the goals are 1,500 stories a second and less than 200 MB.
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
    rng = random.Random(5)
    words = vocabulary(rng)
    newest = datetime(2026, 11, 1, tzinfo=UTC)

    def sentence(length: int) -> str:
        return " ".join(rng.choices(words, k=length)).capitalize()

    with path.open("w", encoding="utf-8") as file:
        for index in range(number):
            record = {"id": f"short-{index}", "headline": sentence(7), "dek": f"{sentence(12)}."}
            record |= {
                "body": f"{sentence(30)}.\n\n{sentence(30)}.",
                "section": rng.choice(SECTIONS),
            }
            record |= {"countries": rng.sample(COUNTRIES, rng.randint(1, 2))}
            record |= {"topics": [f"Topic {topic}" for topic in rng.sample(range(TOPICS), 2)]}
            record |= {"author": f"Author {rng.randrange(AUTHORS)}"}
            record |= {"published_at": (newest - timedelta(minutes=3 * index)).isoformat()}
            file.write(json.dumps(record) + "\n")


def spectator(*arguments: str) -> tuple[float, int]:
    """Run the `spectator` command; return its seconds of wall clock and peak memory in MB.

    Raise an error if the command fails.
    """
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "spectator", *arguments], stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"spectator {' '.join(arguments)} ended with {process.returncode}")
    return time.monotonic() - started, usage.ru_maxrss // 1024


def main() -> None:
    """Measure and print."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as directory:
        os.environ["SPECTATOR_DATA_DIR"] = f"{directory}/data"
        stories = Path(directory) / "stories.jsonl"
        write_short_stories(stories, number)
        spectator("init")
        for state in ("new", "unchanged", "updated"):
            if state == "updated":
                stories.write_text(stories.read_text().replace('"dek": "', '"dek": "Update: '))
            seconds, megabytes = spectator("import", "jsonl", str(stories))
            print(
                f"{state}: {number / seconds:,.0f} stories/s ({number:,} in {seconds:.1f} s), "
                f"peak {megabytes} MB"
            )


if __name__ == "__main__":
    main()
