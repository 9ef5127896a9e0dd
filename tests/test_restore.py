"""Restoring a backup where root does it, and where the database has a disk of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask

from spectator import config
from spectator.cli import main
from spectator.operations import backup
from spectator.operations import restore as restore_operations
from tests.conftest import settings
from tests.unfinished_backups import unfinished_workspace

pytestmark = pytest.mark.sqlite


@pytest.fixture
def path(app: Flask, story: Callable[..., int], tmp_path: Path) -> Path:
    """Backup of a site with a story and a picture."""
    story()
    (app.config["MEDIA"] / "originals").mkdir()
    (app.config["MEDIA"] / "originals/aa.jpg").touch()
    backup.make(app.config, tmp_path / "a.backup")
    return tmp_path / "a.backup"


@pytest.fixture
def empty(tmp_path: Path) -> dict[str, str]:
    """Environment of an empty installation."""
    return settings(tmp_path / "empty")


def restore(path: Path, environ: dict[str, str]) -> None:
    """Restore a backup into the installation of these settings."""
    result = CliRunner().invoke(main, ["restore", str(path)], env=environ)
    assert result.exit_code == 0, result.output


def test_each_file_is_named_while_it_is_restored(path: Path, empty: dict[str, str]) -> None:
    names: list[str] = []
    restore_operations.restore(config.load(empty), path, names.append)
    assert names == ["database.sqlite", "originals/aa.jpg"]


def test_a_database_on_another_file_system_is_restored(
    path: Path, empty: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = tmp_path / "another/disk/site.db"
    empty["SPECTATOR_DATABASE_URL"] = f"sqlite:///{database}"
    real = os.replace

    def replace(source: Any, target: Any) -> None:
        assert (database.parent in Path(source).parents) == (database.parent in target.parents)
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    killed = unfinished_workspace(tmp_path / "another/disk")
    restore(path, empty)
    assert database.exists() and not killed.exists()
    shutil.rmtree(tmp_path / "another")
    restore(path, empty)


def test_what_root_restores_belongs_to_the_site(
    path: Path, empty: dict[str, str], tmp_path: Path
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    data, other = Path(empty["SPECTATOR_DATA_DIR"]), tmp_path / "other"
    (data / "media/renditions").mkdir(parents=True)
    other.touch(0o644)
    (data / "media/renditions/link").symlink_to(other)
    (data / "worker.lock").symlink_to(other)
    os.chown(data, 65534, 65534)
    restore(path, empty)
    names = ("secret_key", "media", "media/originals", "media/originals/aa.jpg", "spectator.db")
    owners = {name: (data / name).stat().st_uid for name in names}
    assert set(owners.values()) == {65534}, owners
    assert (other.stat().st_uid, other.stat().st_mode & 0o777) == (0, 0o644)
