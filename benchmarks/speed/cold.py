"""Pages that nobody has asked for before: against a naive page under the same gunicorn, and what they cost in CPU."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.search.sites import BenchSite
from benchmarks.speed import goals, inside
from benchmarks.speed.load import MIX, interleaved, loaded, rates, ratio
from benchmarks.speed.servers import Server, gunicorn

COLD = "benchmarks.cold_app:app"


def figures(
    site: BenchSite, paths: list[str], file: Path, seconds: float, rounds: int, samples: int
) -> Iterator[Figure]:
    """Yield the site's stories against naive ones, and the CPU of pages; `file` holds `paths`, one a line."""
    naive = f"benchmarks.naive_app:create_app({str(site.data / 'spectator.db')!r})"
    with (
        gunicorn(COLD, site.environ) as ours,
        gunicorn(naive, site.environ, ready=paths[0]) as theirs,
    ):
        sizes = [len(server.ask(paths[0]).body) for server in (ours, theirs)]
        found = interleaved(
            {"ours": lambda: rate(ours, file, seconds), "theirs": lambda: rate(theirs, file, seconds)}, rounds
        )
    note = f"{rates(found['ours'], found['theirs'])}; {len(paths)} stories, one has {sizes[0]:,} and {sizes[1]:,} bytes"
    yield goals.COLD.measured(ratio(found["ours"], found["theirs"]), note)
    yield from of_cpu(site, rounds, samples)


def rate(server: Server, file: Path, seconds: float) -> float:
    """Return the answers a second over a mix of stories; raises AssertionError where one was refused."""
    load = loaded(server.url(), seconds, MIX, file)
    assert load.refused == 0, load
    return load.rate


def of_cpu(site: BenchSite, rounds: int, samples: int) -> Iterator[Figure]:
    """Yield the CPU of a story and of the front page, and the share that the database driver alone would take."""
    found = [inside.measured(site, samples, "article", "front page") for _ in range(rounds)]
    article, front, raw = (
        [each["pages"]["article"][1] for each in found],
        [each["pages"]["front page"][1] for each in found],
        [each["raw_cpu"] for each in found],
    )
    yield goals.ARTICLE_CPU.measured(statistics.median(article), f"median of {samples} stories, {rounds} processes")
    yield goals.FRONT_CPU.measured(statistics.median(front), f"median of {samples} times, {rounds} processes")
    words = f"{statistics.median(raw):.3g} ÷ {statistics.median(article):.3g} ms"
    yield goals.RAW.measured(ratio(raw, article), words)
