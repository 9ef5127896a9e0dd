"""Import speed: `spectator import jsonl` on short stories, without the index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.import_speed import write_short_stories
from benchmarks.search.sites import BenchSite
from benchmarks.speed import goals


def figures(number: int, folder: Path) -> Iterator[Figure]:
    """Yield the stories a second of an import into an empty site, less the command's startup."""
    archive, site = folder / "archive.jsonl", BenchSite(folder / "imported", number)
    write_short_stories(archive, number)
    site.run("init")
    single = folder / "single.jsonl"
    write_short_stories(single, 1)
    startup_seconds = site.run("import", "jsonl", str(single))
    seconds = site.run("import", "jsonl", str(archive)) - startup_seconds
    yield goals.IMPORT.with_value(
        number / seconds, f"{number:,} stories of 60 words in {seconds:.1f} s"
    )
