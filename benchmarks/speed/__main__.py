"""`python -m benchmarks.speed`: every speed figure and its limit, each a ratio within one run.

Install wrk and nginx first. Sites are created on the first run and stored in the --cache folder;
figures that change data use a copy. Run nothing else on the machine meanwhile.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import SubprocessError

from benchmarks.figures import Figure, header_row, to_markdown, write_json
from benchmarks.speed import (
    behind_nginx,
    bulk,
    cached_article,
    cold,
    flood,
    goals,
    machine,
    postgresql,
    publications,
    scale,
)
from benchmarks.speed.load import require
from benchmarks.speed.site import settled_site, write_paths

STORIES_READ, PAGES_READ = 200, 20


@dataclass(frozen=True, slots=True)
class Size:
    """How much to measure; `sites` are numbers of stories."""

    stories: int
    seconds: float
    rounds: int
    publications: int
    pause_seconds: float
    sites: tuple[int, ...]
    samples: int
    flood_seconds: float
    imported: int


FULL = Size(
    stories=1_000,
    seconds=5,
    rounds=5,
    publications=200,
    pause_seconds=0.5,
    sites=(1_000, 10_000, 100_000),
    samples=100,
    flood_seconds=60,
    imported=100_000,
)
QUICK = Size(
    stories=300,
    seconds=1,
    rounds=3,
    publications=20,
    pause_seconds=0.25,
    sites=(1_000, 10_000),
    samples=30,
    flood_seconds=10,
    imported=2_000,
)
LARGEST_SITE = 1_000_000


def main() -> int:
    """Measure and print; return 1 if a goal is missed or a figure is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="smaller sites, shorter and fewer runs, under 90 s"
    )
    parser.add_argument(
        "--whole", action="store_true", help="also measure a site of 1,000,000 stories"
    )
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument(
        "--markdown",
        action="store_true",
        help="print the table of docs/performance.md at the end",
    )
    parser.add_argument(
        "--cache", type=Path, default=Path(tempfile.gettempdir()) / "spectator-bench-speed"
    )
    options = parser.parse_args()
    require("wrk", "nginx")
    size = QUICK if options.quick else FULL
    sites = (*size.sites, LARGEST_SITE) if options.whole else size.sites
    started, figures = time.monotonic(), []
    print(machine.describe_machine(), header_row("measured"), sep="\n")
    with tempfile.TemporaryDirectory() as folder:
        for figure in measure(size, sites, options.cache, Path(folder)):
            figures.append(figure)
            print(figure, flush=True)
    missed = sum(figure.is_met is False for figure in figures)
    print(
        f"{missed} of {sum(figure.is_met is not None for figure in figures)} goals missed; ",
        end="",
    )
    print(f"{time.monotonic() - started:.0f} s")
    if options.json:
        write_json(options.json, figures)
    if options.markdown:
        print(f"\n{machine.describe_machine()}\n\n{to_markdown(figures)}")
    return 1 if missed else 0


def measure(size: Size, sites: tuple[int, ...], cache: Path, folder: Path) -> Iterator[Figure]:
    """Yield every figure; a figure that cannot be measured is reported as missing."""
    site = settled_site(cache, size.stories)
    paths_file = folder / "stories.txt"
    paths = write_paths(site, STORIES_READ, paths_file)
    runs = size.seconds, size.rounds
    yield from report_missing(
        cached_article.figures(site, paths[0], folder, *runs), goals.CACHED, goals.REVALIDATED
    )
    yield from report_missing(
        behind_nginx.figures(site, paths, folder, *runs), goals.NGINX_CACHED, goals.OUTAGE_PAGES
    )
    yield from report_missing(
        cold.figures(site, paths, paths_file, *runs, size.samples),
        goals.COLD,
        goals.ARTICLE_CPU,
        goals.FRONT_CPU,
        goals.DRIVER_CPU,
    )
    yield from report_missing(
        publications.figures(
            site,
            paths[:PAGES_READ],
            folder,
            size.seconds,
            size.publications,
            size.pause_seconds,
        ),
        *(goals.FIRST_REQUEST, goals.PUBLISH_DELAY, goals.FIRST_REQUEST_ERRORS),
    )
    yield from report_missing(
        postgresql.figures(site, paths_file, folder, *runs, size.publications),
        *(goals.POSTGRESQL_CACHED, goals.POSTGRESQL_COLD, goals.POSTGRESQL_PUBLISH),
    )
    yield from report_missing(
        scale.figures(cache, sites, size.samples, size.rounds), goals.PAGES, goals.MEMORY
    )
    yield from report_missing(bulk.figures(size.imported, folder), goals.IMPORT)
    yield from report_missing(
        flood.figures(site, paths_file, folder, size.flood_seconds), goals.FLOOD_MEMORY
    )


def report_missing(figures: Iterator[Figure], *expected: Figure) -> Iterator[Figure]:
    """Yield figures; after an error, yield the expected ones not yet measured as missing."""
    measured = set()
    try:
        for figure in figures:
            measured.add(figure.name)
            yield figure
    except (AssertionError, OSError, RuntimeError, ValueError, SubprocessError) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        yield from (
            figure.as_missing(reason) for figure in expected if figure.name not in measured
        )


if __name__ == "__main__":
    raise SystemExit(main())
