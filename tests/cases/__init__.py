"""Inputs that failed once, by month, as reported; the tests beside them run every one."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent


def case_file(name: str) -> Path:
    """Return the path of a case such as `2026-11/02-authors-one-slug.jsonl`."""
    return FOLDER / name


def case_text(name: str) -> str:
    """Return the text of a case, byte for byte."""
    return case_file(name).read_bytes().decode("utf-8")
