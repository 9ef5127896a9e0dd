"""Small bar charts: the geometry of their SVG, and their text alternative."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from spectator.formats import format_number
from spectator.i18n import gettext

HEIGHT, STEP, BAR_WIDTH = 100.0, 10.0, 8.0  # in units of the chart's own coordinates


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: its label, its value and how much of that is bad; positions in the chart.

    `text` says value and share in words.
    """

    label: str
    text: str
    value: int
    bad: int
    x: float
    height: float
    bad_height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of bars with its title; `summary` says the same in words."""

    title: str
    bars: tuple[Bar, ...]
    summary: str

    @property
    def width(self) -> float:
        """The width in the chart's coordinates."""
        return STEP * len(self.bars)


def make_chart(
    title: str, values: Sequence[tuple[str, int, int]], describe: Callable[[int, int], str]
) -> Chart:
    """Return the chart of at least one (label, value, share of it that is bad).

    `describe` says a value and its bad share in words.
    """
    highest = max(value for _, value, _ in values)
    scale = HEIGHT / max(1, highest)
    bars = tuple(
        Bar(
            label,
            describe(value, bad),
            value,
            bad,
            STEP * number,
            value * scale,
            bad * scale,
        )
        for number, (label, value, bad) in enumerate(values)
    )
    return Chart(title, bars, _summarise(bars, highest))


def _summarise(bars: Sequence[Bar], highest: int) -> str:
    """Return the total of a chart, its bad share if there is one, and its highest bar."""
    total, bad = (
        format_number(sum(numbers))
        for numbers in ((bar.value for bar in bars), (bar.bad for bar in bars))
    )
    sentences = [gettext("%(total)s in all.", total=total)]
    if any(bar.bad for bar in bars):
        sentences = [gettext("%(total)s in all, %(bad)s failed.", total=total, bad=bad)]
    if highest:
        peak = next(bar.label for bar in bars if bar.value == highest)
        sentences.append(
            gettext("Most: %(number)s (%(label)s).", number=format_number(highest), label=peak)
        )
    return " ".join(sentences)
