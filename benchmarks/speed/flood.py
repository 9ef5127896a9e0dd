"""Memory under a flood of requests for pages that do not exist."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.search.sites import BenchSite, copy_site
from benchmarks.speed import goals
from benchmarks.speed.load import FLOOD_SCRIPT, run_wrk
from benchmarks.speed.servers import Server, run_gunicorn

WARM_UP_SHARE = 0.25


def figures(site: BenchSite, paths_file: Path, folder: Path, seconds: float) -> Iterator[Figure]:
    """Yield how much the web processes grow, with gunicorn's `max_requests` restart off."""
    # A copy, because the site records readers' searches in its database.
    copy = copy_site(site, folder / "flooded")
    with run_gunicorn("wsgi:app", copy.environ, "--max-requests", "0") as server:
        for path in paths_file.read_text(encoding="utf-8").split():
            warm_up(server, path)
        run_wrk(server.url(), seconds * WARM_UP_SHARE, FLOOD_SCRIPT, paths_file)
        before = server.web_memory()
        load = run_wrk(server.url(), seconds, FLOOD_SCRIPT, paths_file)
        after = server.web_memory()
    if set(before) != set(after):
        yield goals.FLOOD_MEMORY.as_missing("a process was replaced during the flood")
        return
    growth = max(after[pid] - before[pid] for pid in before)
    sizes = " and ".join(f"{before[pid]} → {after[pid]}" for pid in before)
    yield goals.FLOOD_MEMORY.with_value(
        growth, f"{load.responses:,} requests in {seconds:.0f} s; processes {sizes} MB"
    )


def warm_up(server: Server, path: str) -> None:
    """Request one page of every kind on new connections, so that every process has loaded its
    modules and templates.

    wrk's connections may all reach one process; the first requests to another process, which take
    some 17 MB, would then count as growth.
    """
    slug = path.rpartition("/")[2]
    for url in (path, f"{path}x", f"/search?q={slug}", "/politics/", "/fragments/stream/"):
        server.get(url)
