"""Page costs as the archive grows: neither pages nor processes may grow with it."""

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
    """Yield each page's slowest site against the smallest, and the memory of the largest."""
    sites = {str(size): rows_site(cache, size) for size in sizes}
    measurements = interleave(
        {name: lambda site=site: page_cost.measure(site, samples) for name, site in sites.items()},
        rounds,
    )
    for page in measurements[str(sizes[0])][0]["pages"]:
        yield growth_figure(page, sizes, measurements)
    resident = [measurement["megabytes"] for measurement in measurements[str(sizes[-1])]]
    yield goals.MEMORY.with_value(
        median(resident), f"{sizes[-1]:,} stories; every page {samples} times, no page cache"
    )


def growth_figure(page: str, sizes: Sequence[int], measurements: dict[str, list[Any]]) -> Figure:
    """Return a page's slowest size ÷ the smallest: wall clock or CPU, whichever is worse."""
    wall, cpu = (
        [
            [measurement["pages"][page][kind] for measurement in measurements[str(size)]]
            for size in sizes
        ]
        for kind in (0, 1)
    )
    worst = max(median_ratio(times, kind[0]) for kind in (wall, cpu) for times in kind[1:])
    note = "; ".join(
        f"{name} {' → '.join(f'{median(times):.3g}' for times in kind)} ms"
        for name, kind in (("wall", wall), ("CPU", cpu))
    )
    span = f"{sizes[0]:,} to {sizes[-1]:,}"
    return goals.at_most(f"{page}, {span} stories", goals.GROWTH).with_value(worst, note)
