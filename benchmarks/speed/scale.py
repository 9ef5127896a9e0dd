"""Cost of pages and memory of processes as the archive grows; neither may grow with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.figures import Figure
from benchmarks.speed import goals, page_cost
from benchmarks.speed.load import interleave, median_ratio
from benchmarks.speed.rows import rows_site


def figures(cache: Path, sizes: Sequence[int], samples: int, rounds: int) -> Iterator[Figure]:
    """Yield for each page its cost on the slowest site ÷ on the smallest site, then the memory of a
    process that served the largest.
    """
    sites = {str(size): rows_site(cache, size) for size in sizes}
    measurements = interleave(
        {
            name: lambda site=site: page_cost.measure(site, samples)
            for name, site in sites.items()
        },
        rounds,
    )
    for page in measurements[str(sizes[0])][0]["pages"]:
        yield growth_figure(page, sizes, measurements)
    resident = [measurement["megabytes"] for measurement in measurements[str(sizes[-1])]]
    yield goals.MEMORY.with_value(
        median(resident), f"{sizes[-1]:,} stories; every page {samples} times, no page cache"
    )


def growth_figure(page: str, sizes: Sequence[int], measurements: dict[str, list[Any]]) -> Figure:
    """Return a page's cost on the slowest site ÷ on the smallest: wall clock or CPU, whichever is
    worse.
    """
    wall, cpu = (
        [
            [measurement["pages"][page][clock] for measurement in measurements[str(size)]]
            for size in sizes
        ]
        for clock in (0, 1)
    )
    worst = max(
        median_ratio(times, smallest) for smallest, *larger in (wall, cpu) for times in larger
    )
    note = "; ".join(
        f"{name} {' → '.join(f'{median(times):.3g}' for times in by_size)} ms"
        for name, by_size in (("wall", wall), ("CPU", cpu))
    )
    span = f"{sizes[0]:,} to {sizes[-1]:,}"
    return goals.at_most(f"{page}, {span} stories", goals.MAX_GROWTH).with_value(worst, note)
