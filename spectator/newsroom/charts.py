"""Small bar charts: the geometry of their SVG, and their text alternative."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

HEIGHT, STEP, BAR_WIDTH = 100.0, 10.0, 8.0  # in units of the chart's own coordinates


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: its label, its value and how much of that is bad; positions in the chart."""

    label: str
    value: int
    bad: int
    x: float
    height: float
    bad_height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of bars with its title and unit; `summary` says the same in words."""

    title: str
    unit: str
    bad_unit: str
    bars: tuple[Bar, ...]
    summary: str

    @property
    def width(self) -> float:
        """The width in the chart's coordinates."""
        return STEP * len(self.bars)


def make_chart(
    title: str, unit: str, values: Sequence[tuple[str, int, int]], bad_unit: str = ""
) -> Chart:
    """Return the chart of at least one (label, value, share of it that is bad)."""
    highest = max(value for _, value, _ in values)
    scale = HEIGHT / max(1, highest)
    bars = tuple(
        Bar(label, value, bad, STEP * number, value * scale, bad * scale)
        for number, (label, value, bad) in enumerate(values)
    )
    total, total_bad = sum(bar.value for bar in bars), sum(bar.bad for bar in bars)
    summary = f"{total:,} in all"
    if bad_unit:
        summary += f", {total_bad:,} {bad_unit}"
    if highest:
        peak = next(bar.label for bar in bars if bar.value == highest)
        summary += f". Most: {highest:,} ({peak})"
    return Chart(title, unit, bad_unit, bars, f"{summary}.")
