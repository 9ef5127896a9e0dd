"""Memory under a flood of requests for pages that do not exist."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.search.sites import BenchSite, copy_site
from benchmarks.speed import goals
from benchmarks.speed.load import FLOOD, run_wrk
from benchmarks.speed.servers import run_gunicorn

WARM_UP_SHARE = 0.25


def figures(site: BenchSite, file: Path, folder: Path, seconds: float) -> Iterator[Figure]:
    """Yield the growth of the web processes; gunicorn's restart after N requests is
    switched off.
    """
    copy = copy_site(site, folder / "flooded")  # searches are counted in the database
    with run_gunicorn("wsgi:app", copy.environ, "--max-requests", "0") as server:
        # wrk's connections may all reach one process. The first requests of the other, which load
        # modules and templates (some 17 MB), would then count as growth.
        # New connections go to any free process.
        for path in file.read_text(encoding="utf-8").split():
            for address in (
                path,
                f"{path}x",
                f"/search?q={path[-12:]}",
                "/politics/",
                "/fragments/stream/",
            ):
                server.get(address)
        run_wrk(server.url(), seconds * WARM_UP_SHARE, FLOOD, file)
        before = server.web_memory()
        load = run_wrk(server.url(), seconds, FLOOD, file)
        after = server.web_memory()
    if set(before) != set(after):
        yield goals.FLOOD_MEMORY.as_missing("a process was replaced meanwhile")
        return
    grown = max(after[pid] - before[pid] for pid in before)
    sizes = " and ".join(f"{before[pid]} → {after[pid]}" for pid in before)
    yield goals.FLOOD_MEMORY.with_value(
        grown, f"{load.answers:,} requests in {seconds:.0f} s; processes {sizes} MB"
    )
