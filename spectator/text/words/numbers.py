"""Numbers that people and browsers send."""

from __future__ import annotations

import re


def parse_int(text: str, default: int = 0, minimum: int = 0, maximum: int = 999_999_999) -> int:
    """Return the number written in ASCII digits; the default if it is invalid or out of bounds."""
    if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
        return default
    return int(text) if minimum <= int(text) <= maximum else default
