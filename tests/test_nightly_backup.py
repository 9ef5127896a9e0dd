"""The worker's nightly backup: when it is made, how many are kept, and when `doctor` complains."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from spectator import maintenance
from spectator.db import StorageError
from spectator.operations import backup, nightly_backup, site_status
from spectator.operations.database_dump import DumpError
from spectator.operations.doctor import problems
from spectator.worker import Worker

TODAY = date(2026, 11, 29)


@pytest.fixture
def directory(app: Flask, tmp_path: Path) -> Path:
    """Directory of the backups, which does not exist yet."""
    app.config["BACKUP_TO"] = tmp_path / "backups"
    return tmp_path / "backups"


def test_a_backup_is_made_once_a_day_and_the_newest_are_kept(
    app: Flask, directory: Path, story: Callable[..., int]
) -> None:
    story()
    app.config["BACKUP_KEEP"] = 2
    for number in range(3):
        day = TODAY + timedelta(days=number)
        assert nightly_backup.is_missing(app.config, day)
        nightly_backup.make(app.config, day)
        assert not nightly_backup.is_missing(app.config, day)
    names = sorted(path.name for path in directory.iterdir())
    assert names == ["spectator-2026-11-30.backup", "spectator-2026-12-01.backup"]
    assert directory.stat().st_mode & 0o777 == 0o700
    assert backup.check(directory / names[1]).stories == 1


def test_a_wrong_clock_costs_no_backup(
    app: Flask, directory: Path, story: Callable[..., int]
) -> None:
    story()
    app.config["BACKUP_KEEP"] = 2
    days = [TODAY, TODAY + timedelta(days=1), date(2031, 1, 1), date(1970, 1, 1)]
    days += [TODAY + timedelta(days=2), TODAY + timedelta(days=3)]
    for day in days:
        nightly_backup.make(app.config, day)
        assert not nightly_backup.is_missing(app.config, day), "the new one stays"
    names = sorted(path.name for path in directory.iterdir())
    assert names == [f"spectator-{day}.backup" for day in (*days[-2:], days[2])]


def test_other_files_in_the_directory_stay(app: Flask, directory: Path) -> None:
    directory.mkdir()
    (directory / "2020-01-01.backup").touch()
    (directory / "spectator-2026-11-28.backup.unfinished").touch()
    app.config["BACKUP_KEEP"] = 1
    for number in range(2):
        nightly_backup.make(app.config, TODAY + timedelta(days=number))
    names = sorted(path.name for path in directory.iterdir())
    assert names == ["2020-01-01.backup", "spectator-2026-11-30.backup"]


def test_a_failed_backup_is_logged_and_tried_again_an_hour_later(
    app: Flask,
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: object) -> None:
        raise DumpError("The database is damaged.")

    monkeypatch.setattr(backup, "make", fail)
    monkeypatch.setattr(maintenance, "NIGHTLY_HOUR", 0)
    background = Worker(app).maintenance
    for _ in range(2):
        background.start_backup_if_due()
        assert background.backup_thread is not None
        background.backup_thread.join()
    assert caplog.text.count("the nightly backup failed: The database is damaged.") == 1
    monkeypatch.undo()
    app.config["BACKUP_TO"] = directory
    background.next_backup_at = time.monotonic()
    monkeypatch.setattr(maintenance, "NIGHTLY_HOUR", 0)
    background.start_backup_if_due()
    background.backup_thread.join()
    assert len(list(directory.iterdir())) == 1


def test_without_the_setting_no_backup_is_made(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "NIGHTLY_HOUR", 0)
    background = Worker(app).maintenance
    background.start_backup_if_due()
    assert background.backup_thread is None
    assert nightly_backup.find_problem(app.config) is None


def test_the_doctor_reports_a_missing_and_an_old_backup(app: Flask, directory: Path) -> None:
    sentence = f"The last backup in {directory} is missing. Check the worker's log."
    assert sentence in list(problems(app))
    nightly_backup.make(app.config, TODAY)
    assert nightly_backup.find_problem(app.config) is None
    old = datetime.now(UTC) - timedelta(hours=37)
    os.utime(directory / f"spectator-{TODAY}.backup", (old.timestamp(), old.timestamp()))
    expected = f"The last backup in {directory} is of {old:%Y-%m-%d %H:%M} UTC."
    assert expected in str(nightly_backup.find_problem(app.config))


def test_the_site_and_the_worker_run_on_while_the_disk_of_backups_is_dead(
    app: Flask,
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    directory.mkdir()
    real = Path.stat

    def stat(path: Path, **options: Any) -> os.stat_result:
        if directory in (path, *path.parents):
            raise OSError(errno.EIO, "Input/output error")
        return real(path, **options)

    monkeypatch.setattr(Path, "stat", stat)
    [sentence] = site_status.read(app.config).warnings["backup"]
    assert sentence.startswith("The backups cannot be listed: ") and "Input/output" in sentence
    response = app.test_client().get("/readyz")
    assert response.status_code == 200 and response.json is not None
    assert response.json["warnings"]["backup"] == [sentence]
    assert nightly_backup.is_missing(app.config, TODAY)
    nightly_backup.make(app.config, TODAY)
    assert "the nightly backup failed: [Errno 5] Input/output error" in caplog.text


def test_a_backup_that_is_deleted_while_they_are_listed_does_not_count(
    app: Flask, directory: Path
) -> None:
    directory.mkdir()
    (directory / f"spectator-{TODAY}.backup").symlink_to("deleted")
    assert nightly_backup.newest(app.config) is None


def test_an_error_that_nobody_expected_is_logged(
    app: Flask,
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("not a number")

    monkeypatch.setattr(backup, "make", fail)
    nightly_backup.make(app.config, TODAY)
    assert "the nightly backup failed" in caplog.text and "not a number" in caplog.text


def test_the_nightly_repair_is_tried_again_after_an_error(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def repair() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise StorageError("busy", OSError("another host writes"))

    background = Worker(app).maintenance
    monkeypatch.setattr(background, "repair_indexes", repair)
    with pytest.raises(StorageError):
        background.run_nightly(TODAY)
    for _ in range(2):
        background.run_nightly(TODAY)
    assert len(calls) == 2
