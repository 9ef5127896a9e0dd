"""Size of a drill: its own variable, else full under `DRILL_LONG=1`, else what CI can afford."""

from __future__ import annotations

import os


def drill_size(name: str, ci: int, full: int) -> int:
    """Return the size of a drill: the variable `name`, which may be "full", else the default.

    Raise ValueError if the variable is neither a positive number nor "full".
    """
    text = os.environ.get(name, "")
    if text in ("full", "all"):
        return full
    if text:
        size = int(text)
        if size < 1:
            raise ValueError(f"{name}={text}: a drill needs a size of 1 or more")
        return size
    return full if is_long() else ci


def is_long() -> bool:
    """Return whether `make drill-long` (or `DRILL_LONG=1`) asks for full sizes."""
    return os.environ.get("DRILL_LONG", "0") not in ("", "0")
