"""Import speed: `spectator import jsonl` on short stories, without the index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.import_speed import write_short_stories
from benchmarks.search.sites import BenchSite
from benchmarks.speed import goals


def figures(number: int, folder: Path) -> Iterator[Figure]:
    """Yield the stories a second of an import into an empty site, without the command's startup."""
    file, site = folder / "archive.jsonl", BenchSite(folder / "imported", number)
    write_short_stories(file, number)
    site.run("init")
    nothing = folder / "nothing.jsonl"
    nothing.touch()
    start = site.run("import", "jsonl", str(nothing))
    seconds = site.run("import", "jsonl", str(file)) - start
    yield goals.IMPORT.with_value(
        number / seconds, f"{number:,} stories of 60 words in {seconds:.1f} s"
    )
