"""Speed of a page cached by nginx, and pages that nginx serves while gunicorn is stopped."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.search.sites import BenchSite
from benchmarks.speed import goals
from benchmarks.speed.cached_article import load_run
from benchmarks.speed.load import format_rates, interleave, median_ratio
from benchmarks.speed.nginx import nginx_in_front, serve_static_copy
from benchmarks.speed.servers import Server, run_gunicorn

LISTS = ["/", "/politics/", "/archive/", "/feed.xml", "/politics/feed.xml", "/country/nigeria/"]
STORIES, ROUNDS = 50, 3
# Afterwards pages are too old for stale-while-revalidate; only stale-if-error allows serving them.
STALE_WINDOW_SECONDS = 11.0
# Spelled differently from BROWSER's header; nginx must serve the same cached copy.
OTHER_ACCEPT_ENCODING = "deflate, gzip"


def figures(
    site: BenchSite, paths: list[str], folder: Path, seconds: float, rounds: int
) -> Iterator[Figure]:
    """Yield the speed of a cached story ÷ a static file, and the percentage of pages served
    during an outage.
    """
    environ = site.environ | {"SPECTATOR_TRUSTED_PROXIES": "1"}
    with (
        run_gunicorn("wsgi:app", environ) as behind,
        nginx_in_front(behind, site.data, folder / "front") as front,
    ):
        yield measure_against_file(front, paths[0], folder / "file", seconds, rounds)
        yield measure_outage(front, behind, [*LISTS, *paths[:STORIES]])


def measure_against_file(
    front: Server, path: str, folder: Path, seconds: float, rounds: int
) -> Figure:
    """Return the ratio of request rates: a cached story ÷ the same bytes as a static file."""
    response = front.get(path)
    assert response.status == 200, response
    encoding = response.headers.get("Content-Encoding", "")
    with serve_static_copy(response.body, encoding, folder) as static:
        assert static.get(path).body == response.body
        runs = {"site": load_run(front, path, seconds), "file": load_run(static, path, seconds)}
        results = interleave(runs, rounds)
    note = f"{format_rates(results['site'], results['file'])}; {len(response.body):,} bytes"
    return goals.NGINX_CACHED.with_value(median_ratio(results["site"], results["file"]), note)


def measure_outage(front: Server, behind: Server, paths: list[str]) -> Figure:
    """Return the percentage of requests, by two browsers, answered with the unchanged page while
    gunicorn is stopped.
    """
    before = {path: front.get(path) for path in paths}
    failed = [path for path, response in before.items() if response.status != 200]
    assert not failed, failed
    behind.stop()
    time.sleep(STALE_WINDOW_SECONDS)
    requests, lost = 0, []
    for extra_headers in ({}, {"Accept_Encoding": OTHER_ACCEPT_ENCODING}) * ROUNDS:
        for path in paths:
            response = front.get(path, **extra_headers)
            requests += 1
            if (response.status, response.body) != (200, before[path].body):
                lost.append(f"{path} {response.status}")
    note = f"{requests} requests for {len(paths)} pages" + (
        f"; first lost: {lost[0]}" if lost else ""
    )
    return goals.OUTAGE_PAGES.with_value(100 * (1 - len(lost) / requests), note)
