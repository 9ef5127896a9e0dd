"""`python -m benchmarks.search`: search figures, compared with Whoosh's own matchers and FTS5.

Real stories are read from `../shared/corpus` beside the checkout. Sites of generated stories are
created on the first run and stored in the --cache folder. CPU times are of one process; wall times
are measured while no other benchmark runs.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Figure, header_row, write_json
from benchmarks.search import corpus, freshness, memory, postgres, quality, related, speed
from benchmarks.search import hostile_queries as hostile
from benchmarks.search.fts5 import Fts5
from benchmarks.search.sites import ROOT, BenchSite, documents, generated_site


@dataclass(frozen=True, slots=True)
class Size:
    """How much to measure; `sites` are numbers of stories, the smallest first."""

    sites: tuple[int, ...]
    samples: int
    searches: int
    hostile: int
    publications: int


FULL = Size(
    sites=(10_000, 50_000),
    samples=quality.SAMPLES,
    searches=400,
    hostile=5000,
    publications=200,
)
QUICK = Size(sites=(2_000,), samples=30, searches=100, hostile=500, publications=30)


def main() -> int:
    """Measure and print; return 1 if a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="2,000 generated stories and fewer samples, under 90 s",
    )
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument(
        "--cache", type=Path, default=Path(tempfile.gettempdir()) / "spectator-bench-search"
    )
    parser.add_argument(
        "--postgres",
        type=int,
        metavar="NUMBER",
        help="measure only results pages in PostgreSQL, with this many generated stories",
    )
    parser.add_argument("--prepare", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.prepare:
        prepare_site(options.cache, options.prepare)
        return 0
    started, figures = time.monotonic(), []
    print(header_row("ours", "FTS5"))
    with tempfile.TemporaryDirectory() as folder:
        size = QUICK if options.quick else FULL
        rows = measure(size, options.cache, Path(folder))
        if options.postgres:
            rows = postgres.page_figures(options.cache, options.postgres, size.searches)
        for figure in rows:
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
    return 1 if missed else 0


def prepare_site(cache: Path, number: int) -> BenchSite:
    """Return a site whose index was built by the current code."""
    site = generated_site(cache, number)
    if not site.has_index():
        site.reindex()
    return site


def measure(size: Size, cache: Path, folder: Path) -> Iterator[Figure]:
    """Yield every figure; other processes create the larger sites meanwhile."""
    smallest, larger = size.sites[0], size.sites[1:]
    with ExitStack() as stack:
        preparations = [stack.enter_context(start_preparing(cache, number)) for number in larger]
        if not corpus.real_stories():
            print(
                f"known items and related stories are left out: no real stories in {corpus.FOLDER}"
            )
        yield from quality.figures(folder / "known", size.samples)
        yield from related.figures(folder / "alike")
        site = generated_site(cache, smallest)
    if any(process.returncode for process in preparations):
        raise SystemExit("a site of generated stories could not be created")
    yield speed.reindex_figure(site, folder / "fts5.db")
    yield from site_figures(site, Fts5(folder / "fts5.db"), size)
    yield from hostile.figures(site, size.hostile)
    yield from freshness.figures(site, folder, size.publications)
    for number in larger:
        site = prepare_site(cache, number)
        with site.app_context():
            fts5 = Fts5(folder / f"{number}.db", documents())
        yield from speed.page_figures(site, fts5, size.searches)


def start_preparing(cache: Path, number: int) -> subprocess.Popen[bytes]:
    """Start a process that creates a site."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.search",
        "--cache",
        str(cache),
        "--prepare",
        str(number),
    ]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)


def site_figures(site: BenchSite, fts5: Fts5, size: Size) -> Iterator[Figure]:
    """Yield the cost of pages, suggestions, an idle searcher and related stories on a site."""
    yield from speed.page_figures(site, fts5, size.searches)
    yield speed.suggestions_figure(site, size.searches)
    yield memory.idle_memory(site)
    yield related.cost_at_size(site, size.searches)


if __name__ == "__main__":
    raise SystemExit(main())
