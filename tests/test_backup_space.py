"""Backups leave the site space on the disk."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask

from spectator.operations import backup


def test_a_backup_counts_the_pictures_before_it_begins(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (app.config["MEDIA"] / "originals").mkdir()
    with (app.config["MEDIA"] / "originals/cc.jpg").open("wb") as file:
        file.truncate(10**12)
    usage = SimpleNamespace(free=10**12)
    monkeypatch.setattr(shutil, "disk_usage", lambda _directory: usage)
    with pytest.raises(backup.BackupError, match=r"needs 1000\d\d\d MB for the backup"):
        backup.make(app.config, tmp_path / "a.backup")
    assert not list(tmp_path.glob("*.backup*"))


def test_a_backup_stops_before_the_disk_is_full(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = SimpleNamespace(free=10**12)
    monkeypatch.setattr(shutil, "disk_usage", lambda _directory: usage)

    def fill(name: str) -> None:
        usage.free = 10**12 if name.startswith("database") else 99_000_000

    with pytest.raises(backup.BackupError, match="but 99 MB are free"):
        backup.make(app.config, tmp_path / "a.backup", with_key=True, show=fill)
    assert not list(tmp_path.glob("*.backup*"))
