"""Lists of names in one line of text, as editors type them."""

from __future__ import annotations

import re


def split_names(text: str) -> tuple[str, ...]:
    """Return the names in a text: split at semicolons or line breaks if any, else at commas."""
    separator = r"[;؛\n]" if re.search(r"[;؛\n]", text) else r"[,،፣]"
    return tuple(name for part in re.split(separator, text) if (name := part.strip()))


def join_names(names: list[str]) -> str:
    """Return names as one line for `split_names`: with semicolons if a name contains a comma."""
    if any(re.search(r"[,،፣]", name) for name in names):
        return "; ".join(names) + ";"
    return ", ".join(names)
