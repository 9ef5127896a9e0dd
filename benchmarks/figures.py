"""Measured figures with their goals, as rows of a table."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: what is measured, its value (None if not measured) and its goal (None for no goal).

    `baseline` is the value of another method on the same data, None for no comparison.
    """

    name: str
    value: float | None
    unit: str = ""
    goal: float | None = None
    higher_is_better: bool = False
    baseline: float | None = None
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """Return whether the goal is met, or None without a goal; a missing value fails."""
        if self.goal is None:
            return None
        if self.value is None:
            return False
        return self.value >= self.goal if self.higher_is_better else self.value <= self.goal

    def with_value(self, value: float, note: str = "") -> Figure:
        """Return a copy with its measured value."""
        return replace(self, value=value, note=note)

    def as_missing(self, reason: str) -> Figure:
        """Return a copy without a value, with the reason as its note."""
        return replace(self, value=None, note=reason)

    @property
    def limit(self) -> str:
        """Return the goal as text; "" without a goal."""
        return (
            "" if self.goal is None else f"{'≥' if self.higher_is_better else '≤'} {self.goal:g}"
        )

    @property
    def verdict(self) -> str:
        """Return "missing", "pass" or "FAIL"; "" without a goal."""
        if self.value is None:
            return "missing"
        return {True: "pass", False: "FAIL", None: ""}[self.is_met]

    @property
    def amount(self) -> str:
        """Return the value with its unit."""
        return "–" if self.value is None else f"{self.value:.3g} {self.unit}".rstrip()

    def __str__(self) -> str:
        baseline = "" if self.baseline is None else f"{self.baseline:.3g}"
        return _format_row(self.name, self.amount, self.limit, self.verdict, baseline, self.note)


def header_row(value_heading: str, baseline_heading: str = "") -> str:
    """Return the table's first line with headings for the columns of values and baselines."""
    return _format_row("figure", value_heading, "goal", "", baseline_heading, "note")


def _format_row(
    name: str, amount: str, limit: str, verdict: str, baseline: str, note: str
) -> str:
    return f"{name:<58} {amount:<16} {limit:<8} {verdict:<7} {baseline:<8} {note}".rstrip()


def to_markdown(figures: Sequence[Figure]) -> str:
    """Return the figures as a Markdown table."""
    rows = [("figure", "measured", "goal", "result", "note"), ("---",) * 5]
    rows += [
        (figure.name, figure.amount, figure.limit, figure.verdict, figure.note)
        for figure in figures
    ]
    return "\n".join(f"| {' | '.join(cell.strip() for cell in row)} |" for row in rows)


def quantile(values: Sequence[float], share: float) -> float:
    """Return a quantile (0.95 for the 95th percentile) by the nearest-rank method."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]


def format_spread(values: Sequence[float], unit: str = "ms") -> str:
    """Return the median and the worst value as text."""
    return f"p50 {quantile(values, 0.5):.3g}, worst {max(values):.3g} {unit} of {len(values)}"


def write_json(path: Path, figures: Sequence[Figure]) -> None:
    """Write the figures with their verdicts."""
    rows = [asdict(figure) | {"is_met": figure.is_met} for figure in figures]
    path.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
