"""The first reader after a publication under half load waits for one render and no longer.

wrk sets the pace: each connection pauses at random between requests; the pause is found by trial.
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
from benchmarks.speed.load import CONNECTIONS, MIX, Load, background_load, run_wrk
from benchmarks.speed.servers import Server, run_gunicorn

LOAD_SHARE = 0.5
TRIES, TOLERANCE = 8, 0.05
COLD_SAMPLES = 100


def figures(
    site: BenchSite, paths: list[str], folder: Path, seconds: float, publications: int, pause: float
) -> Iterator[Figure]:
    """Yield how much longer than a cold render the first reader waits, on a copy of the site.

    `paths` are the pages under load.
    """
    copy = copy_site(site, folder / "published")
    file = folder / "read.txt"
    file.write_text("".join(f"{path}\n" for path in paths))
    with run_gunicorn(cold.COLD_APP, copy.environ) as server:
        render = cold_milliseconds(server, paths)
    with run_gunicorn("wsgi:app", copy.environ) as server:
        whole = saturation(server, file, seconds)
        wait = find_pause(server, file, whole * LOAD_SHARE, seconds)
        with background_load(server.url(), MIX, file, wait) as loads:
            rows = run_publisher(server, copy, publications, pause)
    yield from summarize(rows, loads[0], whole, render, len(paths))


def saturation(server: Server, file: Path, seconds: float) -> float:
    """Return the site's maximum responses a second, after one run that fills its cache."""
    run_wrk(server.url(), seconds, MIX, file)
    return run_wrk(server.url(), seconds, MIX, file).rate


def find_pause(server: Server, file: Path, wanted: float, seconds: float) -> float:
    """Return the pause of connections in milliseconds that gives this rate of requests."""
    wait = CONNECTIONS / wanted * 1000
    for _ in range(TRIES):
        rate = run_wrk(server.url(), seconds, MIX, file, wait).rate
        if abs(rate / wanted - 1) < TOLERANCE:
            break
        wait = max(0.1, wait + (CONNECTIONS / wanted - CONNECTIONS / rate) * 1000)
    return wait


def cold_milliseconds(server: Server, paths: list[str]) -> float:
    """Return the median milliseconds of rendering a page on an idle site."""
    times = []
    for number in range(COLD_SAMPLES):
        started = time.perf_counter()
        server.get(paths[number % len(paths)])
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def run_publisher(
    server: Server, site: BenchSite, number: int, pause: float
) -> list[dict[str, Any]]:
    """Return the publisher's measurements."""
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
    rows: list[dict[str, Any]], load: Load, whole: float, render: float, pages: int
) -> Iterator[Figure]:
    """Yield the figures of the publisher's rows and of the load beside it."""
    first = [row["request"] for row in rows]
    above = quantile(first, 0.99) - render
    share = (
        f"{load.rate:,.0f} of {whole:,.0f} requests/s ({load.rate / whole:.0%}) on {pages} pages"
    )
    words = (
        f"p50 {quantile(first, 0.5):.3g}, p99 {quantile(first, 0.99):.3g} ms of {len(rows)}; "
        f"cold {render:.3g}"
    )
    yield goals.FIRST_REQUEST.with_value(above, f"{words}; {share}")
    seen = [row["seen"] for row in rows]
    stale = sum(len(row["statuses"]) - 1 for row in rows)
    yield goals.PUBLISH_DELAY.with_value(
        max(seen), f"p50 {quantile(seen, 0.5):.3g} ms; {stale} answers were not new yet"
    )
    faults = sum(status >= 500 for row in rows for status in row["statuses"]) + load.refused
    yield goals.FIRST_REQUEST_ERRORS.with_value(
        faults, f"of {load.answers:,} answers; {load.broken} connections closed"
    )
