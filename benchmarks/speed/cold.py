"""Speed of uncached pages ÷ a naive page under the same gunicorn, and their CPU cost."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.search.sites import BenchSite
from benchmarks.speed import goals, page_cost
from benchmarks.speed.load import MIX_SCRIPT, format_rates, interleave, median_ratio, run_wrk
from benchmarks.speed.servers import Server, run_gunicorn

COLD_APP = "benchmarks.cold_app:app"


def figures(
    site: BenchSite, paths: list[str], paths_file: Path, seconds: float, rounds: int, samples: int
) -> Iterator[Figure]:
    """Yield the rate of uncached stories ÷ naive ones, and the CPU of pages.

    The file contains `paths`, one a line.
    """
    naive = f"benchmarks.naive_app:create_server({str(site.data / 'spectator.db')!r})"
    with (
        run_gunicorn(COLD_APP, site.environ) as site_server,
        run_gunicorn(naive, site.environ, ready_path=paths[0]) as naive_server,
    ):
        sizes = [len(server.get(paths[0]).body) for server in (site_server, naive_server)]
        results = interleave(
            {
                "site": lambda: request_rate(site_server, paths_file, seconds),
                "naive": lambda: request_rate(naive_server, paths_file, seconds),
            },
            rounds,
        )
    rates = format_rates(results["site"], results["naive"])
    note = f"{rates}; {len(paths)} stories, the first of {sizes[0]:,} and {sizes[1]:,} bytes"
    yield goals.COLD.with_value(median_ratio(results["site"], results["naive"]), note)
    yield from cpu_figures(site, rounds, samples)


def request_rate(server: Server, paths_file: Path, seconds: float) -> float:
    """Return responses a second; AssertionError if one has status 400 or more."""
    load = run_wrk(server.url(), seconds, MIX_SCRIPT, paths_file)
    assert load.error_responses == 0, load
    return load.rate


def cpu_figures(site: BenchSite, rounds: int, samples: int) -> Iterator[Figure]:
    """Yield the CPU of a story and of the front page, and the database driver's share."""
    measurements = [
        page_cost.measure(site, samples, "article", "front page") for _ in range(rounds)
    ]
    # Costs are (wall clock, CPU).
    article = [costs["pages"]["article"][1] for costs in measurements]
    front = [costs["pages"]["front page"][1] for costs in measurements]
    driver = [costs["raw_cpu"] for costs in measurements]
    yield goals.ARTICLE_CPU.with_value(
        statistics.median(article), f"median of {samples} stories, {rounds} processes"
    )
    yield goals.FRONT_CPU.with_value(
        statistics.median(front), f"median of {samples} times, {rounds} processes"
    )
    note = f"{statistics.median(driver):.3g} ÷ {statistics.median(article):.3g} ms"
    yield goals.DRIVER_CPU.with_value(median_ratio(driver, article), note)
