"""What commands show on a terminal while they run, and nowhere else."""

from __future__ import annotations

import sys

import pytest

from spectator.cli import backups, database


@pytest.mark.parametrize("is_terminal", [True, False])
def test_progress_is_shown_on_a_terminal_only(
    is_terminal: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal)
    backups._show_progress("originals/aa.jpg")
    database._show_progress("article", 500)
    lines = "originals/aa.jpg".ljust(70) + "\r" + "article: 500\r"
    assert capsys.readouterr() == ("", lines if is_terminal else "")


def test_long_names_do_not_wrap(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    backups._show_progress("x" * 99)
    assert capsys.readouterr().err == "x" * 70 + "\r"
