"""Uncached pages: against a naive page under the same gunicorn, and their CPU cost."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.search.sites import BenchSite
from benchmarks.speed import goals, page_cost
from benchmarks.speed.load import MIX, format_rates, interleave, median_ratio, run_wrk
from benchmarks.speed.servers import Server, run_gunicorn

COLD_APP = "benchmarks.cold_app:app"


def figures(
    site: BenchSite, paths: list[str], file: Path, seconds: float, rounds: int, samples: int
) -> Iterator[Figure]:
    """Yield the site's stories against naive ones, and the CPU of pages.

    `file` holds `paths`, one a line.
    """
    naive = f"benchmarks.naive_app:create_app({str(site.data / 'spectator.db')!r})"
    with (
        run_gunicorn(COLD_APP, site.environ) as site_server,
        run_gunicorn(naive, site.environ, ready=paths[0]) as naive_server,
    ):
        sizes = [len(server.get(paths[0]).body) for server in (site_server, naive_server)]
        results = interleave(
            {
                "site": lambda: request_rate(site_server, file, seconds),
                "naive": lambda: request_rate(naive_server, file, seconds),
            },
            rounds,
        )
    rates = format_rates(results["site"], results["naive"])
    note = f"{rates}; {len(paths)} stories of {sizes[0]:,} and {sizes[1]:,} bytes"
    yield goals.COLD.with_value(median_ratio(results["site"], results["naive"]), note)
    yield from cpu_figures(site, rounds, samples)


def request_rate(server: Server, file: Path, seconds: float) -> float:
    """Return responses a second over a mix of stories; AssertionError on a refusal."""
    load = run_wrk(server.url(), seconds, MIX, file)
    assert load.refused == 0, load
    return load.rate


def cpu_figures(site: BenchSite, rounds: int, samples: int) -> Iterator[Figure]:
    """Yield the CPU of a story and of the front page, and the database driver's share."""
    measurements = [
        page_cost.measure(site, samples, "article", "front page") for _ in range(rounds)
    ]
    article, front, raw = (
        [costs["pages"]["article"][1] for costs in measurements],
        [costs["pages"]["front page"][1] for costs in measurements],
        [costs["raw_cpu"] for costs in measurements],
    )
    yield goals.ARTICLE_CPU.with_value(
        statistics.median(article), f"median of {samples} stories, {rounds} processes"
    )
    yield goals.FRONT_CPU.with_value(
        statistics.median(front), f"median of {samples} times, {rounds} processes"
    )
    words = f"{statistics.median(raw):.3g} ÷ {statistics.median(article):.3g} ms"
    yield goals.DRIVER_CPU.with_value(median_ratio(raw, article), words)
