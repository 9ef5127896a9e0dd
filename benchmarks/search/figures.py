"""A figure and its goal, and the table of them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: what was measured, what it came to, and the goal, None where the issue sets none.

    `fts5` is SQLite FTS5's figure for the same thing, None where it has none. `is_floor` says that more is better.
    """

    name: str
    value: float
    unit: str
    goal: float | None = None
    is_floor: bool = False
    fts5: float | None = None
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """Return whether the goal is met, None where there is none."""
        if self.goal is None:
            return None
        return self.value >= self.goal if self.is_floor else self.value <= self.goal

    def __str__(self) -> str:
        goal = "" if self.goal is None else f"{'≥' if self.is_floor else '≤'} {self.goal:g}"
        fts5 = "" if self.fts5 is None else f"{self.fts5:.3g}"
        verdict = {True: "pass", False: "FAIL", None: ""}[self.is_met]
        value = f"{self.value:.3g} {self.unit}"
        return f"{self.name:<58} {value:<16} {goal:<8} {verdict:<5} {fts5:<8} {self.note}".rstrip()


def title() -> str:
    """Return the table's first line."""
    return f"{'figure':<58} {'Whoosh':<16} {'goal':<8} {'':<5} {'FTS5':<8} note"


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of the values do not pass (nearest rank)."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]


def spread(values: Sequence[float], unit: str = "ms") -> str:
    """Return the median and the worst in words."""
    return f"p50 {quantile(values, 0.5):.3g}, worst {max(values):.3g} {unit} of {len(values)}"


def write_json(path: Path, figures: Sequence[Figure]) -> None:
    """Write the figures with their verdicts."""
    rows = [asdict(figure) | {"is_met": figure.is_met} for figure in figures]
    path.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
