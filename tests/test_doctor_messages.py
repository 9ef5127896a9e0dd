"""The sentences of `spectator doctor` and of failed commands: what is wrong, and what to do."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import text

from spectator.db import db
from spectator.operations import diagnosis, doctor, faults, sqlite_faults
from tests.conftest import add_user

RESTORE = "Stop the site and restore a backup (docs/operations.md, “Restoring a backup”)."


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database file that exists and that this user may write."""
    path = tmp_path / "spectator.db"
    path.touch(0o600)
    return path


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (5, "The database {path} does not answer (why). Stop the program that locks it, or try"),
        (6 | 1 << 8, "The database {path} does not answer (why). Stop the program that locks it"),
        (8, "The database {path} cannot be opened for writing (why). Check its owner and its"),
        (14, "The database {path} cannot be opened for writing (why). Check its owner and its"),
        (10, "The disk of the database {path} reports an error (why). Check the disk and the"),
        (11, f"The database {{path}} is damaged (why). {RESTORE}"),
        (13, "The disk of {path} is full; nothing can be saved. "),
        (
            26,
            "is not a database, or its first page is damaged. "
            f"Check SPECTATOR_DATABASE_URL. {RESTORE}",
        ),
    ],
)
def test_an_error_code_of_sqlite_becomes_a_sentence(
    database: Path, code: int, message: str
) -> None:
    sentence = str(sqlite_faults.explain_sqlite(code, "why", database))
    assert message.format(path=database) in sentence


def test_a_disk_error_while_the_disk_is_full_stops_reading(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = faults.full_disk_fault(database)
    assert not full.stops_reading
    monkeypatch.setattr(sqlite_faults, "examine_space", lambda _directory: iter([full]))
    fault = sqlite_faults.explain_sqlite(10, "why", database)
    assert fault.cause is faults.Cause.FULL and fault.stops_reading


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "The disk of {path} is full; nothing can be saved."),
        (errno.EDQUOT, "The disk of {path} is full; nothing can be saved."),
        (errno.EIO, "{path}: why. Check the file, its owner and its disk."),
        (errno.EROFS, "{path}: why. Check the file, its owner and its disk."),
        (errno.EACCES, "{path}: why. Check the file, its owner and its disk."),
        (errno.EPERM, "{path}: why. Check the file, its owner and its disk."),
        (errno.EBADF, "OSError: [Errno 9] why"),
    ],
)
def test_an_error_of_the_disk_becomes_a_sentence(app: Flask, number: int, message: str) -> None:
    path = app.config["DATA_DIR"] / "searches.log"
    error = OSError(number, "why", str(path))
    assert message.format(path=path) in diagnosis.explain(error, app.config)


def test_no_key_file_is_needed_if_the_settings_have_a_key(app: Flask) -> None:
    (app.config["DATA_DIR"] / "secret_key").unlink()
    app.config["SECRET_KEY"] = "k" * 32
    assert diagnosis.examine(app.config) == []
    app.config["SECRET_KEY"] = ""
    assert [fault.cause for fault in diagnosis.examine(app.config)] == [faults.Cause.MISSING]


def test_a_directory_that_cannot_be_created_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults.os, "access", lambda path, *_args, **_options: path != tmp_path)
    [fault] = faults.examine_directory(tmp_path / "data", "data directory")
    assert fault.cause is faults.Cause.NO_ACCESS and str(tmp_path) in fault.message


def test_another_fault_of_the_installation_explains_an_error(app: Flask) -> None:
    (app.config["DATA_DIR"] / "secret_key").write_text("short")
    app.config["SECRET_KEY"] = ""
    sentence = diagnosis.explain(ValueError("x"), app.config)
    assert (
        sentence.startswith("The secret key")
        and " is damaged. Restore it from a backup" in sentence
    )


def test_the_doctor_warns_before_the_disk_is_full(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    sentence = f"Less than 500 MB are free in {app.config['DATA_DIR']}. Free some space soon."
    for free, is_told in ((499_999_999, True), (500_000_000, False)):
        usage = SimpleNamespace(free=free, total=1_000_000_000)
        monkeypatch.setattr(shutil, "disk_usage", lambda _path, usage=usage: usage)
        assert (sentence in list(doctor.problems(app))) is is_told


@pytest.mark.sqlite
def test_the_doctor_names_an_sqlite_that_may_corrupt_the_database(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert doctor.describe_database(app.config).endswith(": WAL")
    monkeypatch.setattr(doctor, "is_wal_safe", lambda _version: False)
    assert doctor.describe_database(app.config).endswith(": journal_mode=DELETE")
    first = next(iter(doctor.problems(app)))
    assert first.startswith("SQLite 3.") and "can corrupt a database in WAL mode" in first
    assert first.endswith("Use a machine with a wheel of pysqlite3, or SQLite 3.51.3 or newer.")


def test_the_doctor_names_files_that_others_can_reach(app: Flask) -> None:
    key, renditions = app.config["DATA_DIR"] / "secret_key", app.config["MEDIA"] / "renditions"
    renditions.mkdir()
    renditions.chmod(0o700)
    key.chmod(0o640)
    lines = list(doctor.problems(app))
    assert f"Others can read or change {key}. Run: chmod 600 {key}" in lines
    advice = f"Run: chmod 755 {renditions}"
    assert f"Others cannot reach the pictures below {renditions}. {advice}" in lines


def test_the_doctor_finds_story_lists_that_do_not_match(app: Flask) -> None:
    add_user("editor")
    sentence = "Story lists or counts do not match the stories. Run: spectator reindex --check"
    db.session.rollback()
    assert sentence not in list(doctor.problems(app))
    with db.write() as session:
        session.execute(
            text("INSERT INTO story_count (kind, \"key\", number) VALUES ('section', 1, 9)")
        )
    db.session.rollback()
    assert sentence in list(doctor.problems(app))
