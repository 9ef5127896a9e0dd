"""The site behind nginx: compared with a static file, and while gunicorn is stopped."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.search.sites import BenchSite
from benchmarks.speed import goals
from benchmarks.speed.cached_article import load_run
from benchmarks.speed.load import format_rates, interleave, median_ratio
from benchmarks.speed.nginx import nginx_in_front, serve_ready_file
from benchmarks.speed.servers import Server, run_gunicorn

LISTS = ["/", "/politics/", "/archive/", "/feed.xml", "/politics/feed.xml", "/country/nigeria/"]
STORIES, TIMES = 50, 3
STALE_WINDOW_SECONDS = 11.0  # stale time that shared caches may use while they revalidate
OTHER_BROWSER = "deflate, gzip"  # a synonym of the first encoding


def figures(
    site: BenchSite, paths: list[str], folder: Path, seconds: float, rounds: int
) -> Iterator[Figure]:
    """Yield a cached story against the same bytes from a file, and pages during an outage."""
    environ = site.environ | {"SPECTATOR_TRUSTED_PROXIES": "1"}
    with (
        run_gunicorn("wsgi:app", environ) as behind,
        nginx_in_front(behind, site.data, folder / "front") as front,
    ):
        yield compare_with_file(front, paths[0], folder / "file", seconds, rounds)
        yield pages_while_stopped(front, behind, [*LISTS, *paths[:STORIES]])


def compare_with_file(
    front: Server, path: str, folder: Path, seconds: float, rounds: int
) -> Figure:
    """Return nginx with cached pages of the site against nginx with a file."""
    answer = front.get(path)
    assert answer.status == 200, answer
    with serve_ready_file(answer.body, answer.headers.get("Content-Encoding", ""), folder) as file:
        assert file.get(path).body == answer.body
        runs = {"site": load_run(front, path, seconds), "file": load_run(file, path, seconds)}
        results = interleave(runs, rounds)
    note = f"{format_rates(results['site'], results['file'])}; {len(answer.body):,} bytes"
    return goals.NGINX_CACHED.with_value(median_ratio(results["site"], results["file"]), note)


def pages_while_stopped(front: Server, behind: Server, paths: list[str]) -> Figure:
    """Return the percentage of unchanged pages for two browsers while gunicorn is stopped."""
    before = {path: front.get(path) for path in paths}
    wrong = [path for path, answer in before.items() if answer.status != 200]
    assert not wrong, wrong
    behind.stop()
    time.sleep(STALE_WINDOW_SECONDS)
    requests, lost = 0, []
    for more in ({}, {"Accept_Encoding": OTHER_BROWSER}) * TIMES:
        for path in paths:
            answer = front.get(path, **more)
            requests += 1
            if (answer.status, answer.body) != (200, before[path].body):
                lost.append(f"{path} {answer.status}")
    note = f"{requests} requests for {len(paths)} pages" + (
        f"; first lost: {lost[0]}" if lost else ""
    )
    return goals.OUTAGE_PAGES.with_value(100 * (1 - len(lost) / requests), note)
