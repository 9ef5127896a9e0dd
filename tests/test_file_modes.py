"""File modes of what `spectator init` and the site write, and the doctor's check of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from spectator import create_app
from spectator.db import db
from spectator.operations import doctor, faults, file_modes, setup
from tests.conftest import settings


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_new_site_is_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    app = create_app(settings(tmp_path / "data"))
    before = os.umask(umask)
    try:
        with app.app_context():
            setup.initialise(app)
            db.session.remove()
            listed = {
                path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "data").iterdir()
            }
            db.engine.dispose()
    finally:
        os.umask(before)
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o711
    assert listed.pop("media") == 0o711
    assert listed["spectator.db"] == listed["secret_key"] == 0o600
    assert set(listed.values()) == {0o600}, listed


@pytest.mark.sqlite
def test_setup_corrects_the_modes_that_the_doctor_reports(app: Flask) -> None:
    data: Path = app.config["DATA_DIR"]
    data.chmod(0o777)
    (data / "spectator.db").chmod(0o644)
    (data / "index").mkdir(mode=0o755)
    advice = [line for line in doctor.problems(app) if "chmod" in line]
    assert sorted(line.rpartition("chmod ")[2] for line in advice) == [
        f"600 {data}/spectator.db",
        f"700 {data}/index",
        f"711 {data}",
    ]
    setup.initialise(app)
    assert not list(file_modes.wrong_modes(app.config))


@pytest.mark.sqlite
@pytest.mark.parametrize("deleting", ["stat", "chmod"])
def test_a_file_that_sqlite_deletes_during_the_check_is_no_error(
    app: Flask, monkeypatch: pytest.MonkeyPatch, deleting: str
) -> None:
    journal = app.config["DATA_DIR"] / "spectator.db-journal"
    journal.touch(0o666)
    real = getattr(Path, deleting)

    def delete_after(path: Path, *arguments: Any, **named: Any) -> Any:
        result = real(path, *arguments, **named) if deleting == "stat" else None
        journal.unlink(missing_ok=True)
        return result if deleting == "stat" else real(path, *arguments, **named)

    monkeypatch.setattr(Path, deleting, delete_after)
    file_modes.apply_modes(app.config)
    assert not journal.exists()
    assert not list(faults.check_access(journal, "database"))


def test_a_file_of_another_user_is_reported(app: Flask) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    lock = app.config["DATA_DIR"] / "worker.lock"
    lock.touch(0o600)
    os.chown(lock, 65534, 65534)
    [line] = [line for line in doctor.problems(app) if str(lock) in line]
    assert "belongs to nobody" in line and f"chown -R root {lock}" in line


@pytest.mark.parametrize(
    ("correct", "actual", "is_too_open", "is_too_closed"),
    [
        (0o600, 0o600, False, False),
        (0o600, 0o400, False, False),
        (0o600, 0o640, True, False),
        (0o600, 0o602, True, False),
        (0o711, 0o711, False, False),
        (0o711, 0o700, False, True),
        (0o711, 0o715, True, False),
        (0o755, 0o754, False, True),
        (0o755, 0o757, True, False),
        (0o755, 0o755, False, False),
    ],
)
def test_modes_that_let_in_too_many_or_too_few(
    correct: int, actual: int, is_too_open: bool, is_too_closed: bool
) -> None:
    mode = file_modes.FileMode(Path("/data"), correct, actual, 0)
    assert (mode.is_too_open, mode.is_too_closed) == (is_too_open, is_too_closed)
