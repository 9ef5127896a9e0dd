"""Sizes of drills: CI's, full, or their own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.drills.sizes import drill_size

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("switch", "own", "size"),
    [
        ("", "", 15),
        ("0", "", 15),
        ("1", "", 100),
        ("1", "7", 7),
        ("", "full", 100),
        ("", "all", 100),
        ("", "30", 30),
    ],
)
def test_a_drills_own_size_overrides_the_general_switch(
    monkeypatch: pytest.MonkeyPatch, switch: str, own: str, size: int
) -> None:
    monkeypatch.setenv("DRILL_LONG", switch)
    monkeypatch.setenv("SOME_KILLS", own)
    assert drill_size("SOME_KILLS", ci=15, full=100) == size


@pytest.mark.parametrize("own", ["0", "-1", "many"])
def test_a_size_that_would_test_nothing_is_refused(
    monkeypatch: pytest.MonkeyPatch, own: str
) -> None:
    monkeypatch.setenv("SOME_KILLS", own)
    with pytest.raises(ValueError, match=r"SOME_KILLS|many"):
        drill_size("SOME_KILLS", ci=15, full=100)


def test_drills_read_their_sizes_only_through_drill_size() -> None:
    elsewhere = [
        path.name
        for path in sorted((ROOT / "tests/drills").glob("*.py"))
        if path.name != "sizes.py"
        and re.search(r"os\.environ(\.get\(|\[)\"(?!SPECTATOR_)", path.read_text())
    ]
    assert elsewhere == []
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"^drill-long: .*\n\tDRILL_LONG=1 .*tests/drills$", makefile, re.MULTILINE)
