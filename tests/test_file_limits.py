"""The doctor reports when the indexes have more files than a process may open."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from spectator.operations import file_limits


def test_too_many_files_are_reported_with_the_command_that_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directories = [tmp_path / "index", tmp_path / "index-newsroom", tmp_path / "none"]
    for directory in directories[:2]:
        (directory / "current").mkdir(parents=True)
        for number in range(140):
            (directory / "current" / f"{number}.col").touch()
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: (560, 4096))
    assert not list(file_limits.problems(directories))
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: (559, 4096))
    [sentence] = file_limits.problems(directories)
    assert "280 files" in sentence and "559" in sentence and "spectator reindex" in sentence


def test_the_unit_allows_more_than_the_indexes_can_need() -> None:
    unit = Path(__file__).resolve().parents[1] / "deploy/spectator.service"
    assert "\nLimitNOFILE=8192\n" in unit.read_text(encoding="utf-8")
