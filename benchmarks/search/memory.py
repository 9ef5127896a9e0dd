"""Memory of a searcher: `python -m benchmarks.search.memory INDEX`.

Prints bytes, one figure a line. It runs in a new process, because memory freed by earlier work
would distort the result. Linux only: memory is read from /proc.
"""

from __future__ import annotations

import gc
import re
import subprocess
import sys
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.search.sites import ROOT, BenchSite

GOAL_MEGABYTES = 10.0
SEARCH_COUNT = 200
MEGABYTE = 1_000_000


def private_bytes() -> int:
    """Return the memory that only this process uses."""
    gc.collect()
    text = Path("/proc/self/smaps_rollup").read_text(encoding="utf-8")
    return 1024 * sum(
        int(size) for size in re.findall(r"^Private_\w+:\s+(\d+)", text, re.MULTILINE)
    )


def idle_memory(site: BenchSite) -> Figure:
    """Return the megabytes added by the first search on an index, without the engine's code."""
    command = [sys.executable, "-m", "benchmarks.search.memory", str(site.data / "index")]
    done = subprocess.run(
        command, cwd=ROOT, env=site.environ, check=True, capture_output=True, encoding="utf-8"
    )
    code, first_search, many_searches = (int(line) / MEGABYTE for line in done.stdout.split())
    note = f"after {SEARCH_COUNT} searches {many_searches:.1f}; the engine's code {code:.1f} more"
    return Figure(
        f"memory of an idle searcher, {site.number:,} stories",
        first_search,
        "MB",
        GOAL_MEGABYTES,
        note=note,
    )


def main() -> None:
    """Print the bytes added by importing the engine, the first search, and many searches."""
    import spectator.search
    from benchmarks.search.speed import random_searches

    texts = random_searches(SEARCH_COUNT)
    start = private_bytes()
    index = spectator.search.open_index(Path(sys.argv[1]))
    with_code = private_bytes()
    index.find(spectator.search.SearchRequest(texts[0]))
    after_first = private_bytes()
    for text in texts:
        index.find(spectator.search.SearchRequest(text))
    for value in (with_code - start, after_first - with_code, private_bytes() - with_code):
        print(value)


if __name__ == "__main__":
    main()
