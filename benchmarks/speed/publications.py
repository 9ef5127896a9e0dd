"""Waiting time of a story's first reader after publication, under half of the maximum load.

The goal is one render and little more. wrk's connections pause at random between requests; a few
trial runs find the average pause that gives half of the maximum rate.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, quantile
from benchmarks.search.sites import ROOT, BenchSite, copy_site
from benchmarks.speed import cold, goals
from benchmarks.speed.load import CONNECTIONS, MIX_SCRIPT, Load, background_load, run_wrk
from benchmarks.speed.servers import Server, run_gunicorn

LOAD_SHARE = 0.5
TRIES, TOLERANCE = 8, 0.05
COLD_SAMPLES = 100


def figures(
    site: BenchSite,
    paths: list[str],
    folder: Path,
    seconds: float,
    publications: int,
    pause: float,
) -> Iterator[Figure]:
    """Yield how much longer than a cold render the first reader waits, on a copy of the site.

    wrk requests `paths`; the publisher pauses for `pause` seconds between publications.
    """
    copy = copy_site(site, folder / "published")
    paths_file = folder / "read.txt"
    paths_file.write_text("".join(f"{path}\n" for path in paths))
    with run_gunicorn(cold.COLD_APP, copy.environ) as server:
        render = cold_milliseconds(server, paths)
    with run_gunicorn("wsgi:app", copy.environ) as server:
        max_rate = measure_max_rate(server, paths_file, seconds)
        wrk_pause = find_wrk_pause(server, paths_file, max_rate * LOAD_SHARE, seconds)
        with background_load(server.url(), MIX_SCRIPT, paths_file, wrk_pause) as loads:
            rows = run_publisher(server, copy, publications, pause)
    yield from summarize(rows, loads[0], max_rate, render, len(paths))


def measure_max_rate(server: Server, paths_file: Path, seconds: float) -> float:
    """Return the site's maximum responses a second, after one run that fills its cache."""
    run_wrk(server.url(), seconds, MIX_SCRIPT, paths_file)
    return run_wrk(server.url(), seconds, MIX_SCRIPT, paths_file).rate


def find_wrk_pause(server: Server, paths_file: Path, wanted_rate: float, seconds: float) -> float:
    """Return the average pause in milliseconds between requests of a connection that gives this
    rate.
    """
    pause = CONNECTIONS / wanted_rate * 1000
    for _ in range(TRIES):
        rate = run_wrk(server.url(), seconds, MIX_SCRIPT, paths_file, pause).rate
        if abs(rate / wanted_rate - 1) < TOLERANCE:
            break
        pause = max(0.1, pause + (CONNECTIONS / wanted_rate - CONNECTIONS / rate) * 1000)
    return pause


def cold_milliseconds(server: Server, paths: list[str]) -> float:
    """Return the median milliseconds of an uncached page on an idle site."""
    times = []
    for number in range(COLD_SAMPLES):
        started = time.perf_counter()
        server.get(paths[number % len(paths)])
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def run_publisher(
    server: Server, site: BenchSite, number: int, pause: float
) -> list[dict[str, Any]]:
    """Run the publisher in its own process; return one row for each publication."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.speed.publisher",
        str(server.port),
        str(number),
        str(pause),
    ]
    done = subprocess.run(
        command, cwd=ROOT, env=site.environ, check=True, capture_output=True, encoding="utf-8"
    )
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


def summarize(
    rows: list[dict[str, Any]], load: Load, max_rate: float, render: float, pages: int
) -> Iterator[Figure]:
    """Yield the figures of the publisher's rows and of the background load."""
    first = [row["request"] for row in rows]
    extra_wait = quantile(first, 0.99) - render
    load_note = (
        f"{load.rate:,.0f} of {max_rate:,.0f} requests/s ({load.rate / max_rate:.0%}) "
        f"on {pages} pages"
    )
    times_note = (
        f"p50 {quantile(first, 0.5):.3g}, p99 {quantile(first, 0.99):.3g} ms of {len(rows)}; "
        f"cold {render:.3g}"
    )
    yield goals.FIRST_REQUEST.with_value(extra_wait, f"{times_note}; {load_note}")
    visible_after = [row["seen"] for row in rows]
    stale = sum(len(row["statuses"]) - 1 for row in rows)
    yield goals.PUBLISH_DELAY.with_value(
        max(visible_after),
        f"p50 {quantile(visible_after, 0.5):.3g} ms; {stale} responses still without the new text",
    )
    faults = sum(status >= 500 for row in rows for status in row["statuses"])
    faults += load.error_responses
    yield goals.FIRST_REQUEST_ERRORS.with_value(
        faults, f"of {load.responses:,} responses; {load.socket_errors} connections closed"
    )
