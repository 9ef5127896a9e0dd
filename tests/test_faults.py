"""Faults of files, directories and databases: what each says, and which command helps.

`test_broken_installations.py` runs commands as other users; here the answers of the system are
made up, so that every fault can be met.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from spectator.operations import diagnosis, faults, sqlite_faults
from spectator.operations.faults import INIT, PROBE_BYTES, Cause, Fault


def sentences(reported: Iterator[Fault]) -> list[str]:
    return [str(fault) for fault in reported]


def refuse_access(monkeypatch: pytest.MonkeyPatch, *paths: Path) -> None:
    """Let these paths be inaccessible to this user."""
    monkeypatch.setattr(
        faults.os, "access", lambda path, *_modes, **_options: Path(path) not in paths
    )


def fail_with(number: int) -> Callable[..., Any]:
    def fail(*_arguments: Any, **_options: Any) -> Any:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize(
    ("number", "is_full"), [(errno.ENOSPC, True), (errno.EDQUOT, True), (errno.EIO, False)]
)
def test_a_test_write_detects_a_full_disk_or_quota(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, is_full: bool
) -> None:
    monkeypatch.setattr(faults.os, "write", fail_with(number))
    sentence = (
        f"The disk of {tmp_path} is full; nothing can be saved. "
        "Free some space; the site then recovers by itself."
    )
    assert sentences(faults.examine_space(tmp_path)) == ([sentence] if is_full else [])


def test_enough_space_is_written_and_nothing_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    write = os.write

    def count(handle: int, block: bytes) -> int:
        sizes.append(write(handle, block))
        return sizes[-1]

    monkeypatch.setattr(faults.os, "write", count)
    assert sentences(faults.examine_space(tmp_path)) == []
    assert sum(sizes) == PROBE_BYTES and not list(tmp_path.iterdir())


@pytest.mark.parametrize(("free", "is_full"), [(PROBE_BYTES - 1, True), (PROBE_BYTES, False)])
def test_the_free_space_decides_where_files_need_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, is_full: bool
) -> None:
    monkeypatch.setattr(faults.os, "open", fail_with(errno.EOPNOTSUPP))
    monkeypatch.setattr(faults.shutil, "disk_usage", lambda _path: SimpleNamespace(free=free))
    causes = [fault.cause for fault in faults.examine_space(tmp_path)]
    assert causes == ([Cause.FULL] if is_full else [])


def test_faults_of_a_directory(tmp_path: Path) -> None:
    link, file, missing = tmp_path / "link", tmp_path / "file", tmp_path / "a" / "b"
    link.symlink_to(tmp_path / "nowhere")
    file.touch()

    def examine(path: Path) -> list[str]:
        return sentences(faults.examine_directory(path, "data directory"))

    assert examine(tmp_path) == []
    assert examine(link) == [f"{link} is a broken link. Remove or correct it."]
    assert examine(file) == [
        f"{file} is a file, but should be the data directory. "
        "Move it away, or set SPECTATOR_DATA_DIR or SPECTATOR_MEDIA."
    ]
    assert examine(missing) == [f"The data directory {missing} is missing. Run: spectator init"]
    assert [fault.cause for fault in faults.examine_directory(link, "data directory")] == [
        Cause.WRONG_KIND
    ]


def test_a_directory_below_one_that_cannot_be_entered_does_not_seem_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    monkeypatch.setattr(faults, "_can_traverse", lambda directory: directory != closed)
    [fault] = faults.examine_directory(closed / "data", "data directory")
    user = faults.user_name(os.geteuid())
    assert fault.message == (
        f"The data directory {closed} is not accessible to its owner, {user}."
    )
    assert fault.remedy == f"Run: chmod u+rwx {closed}"


@pytest.mark.parametrize(
    ("number", "expected"), [(errno.EACCES, False), (errno.ENOENT, True), (errno.EIO, True)]
)
def test_only_a_refused_permission_hides_what_a_directory_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, expected: bool
) -> None:
    assert faults._can_traverse(tmp_path)
    monkeypatch.setattr(faults.os, "stat", fail_with(number))
    assert faults._can_traverse(tmp_path) is expected


@pytest.mark.parametrize("kind", ["secret key", "database"])
def test_whose_file_it_is_decides_what_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    file = tmp_path / "file"
    file.touch()
    subject = f"The file {file} of the database" if kind == "database" else f"The {kind} {file}"
    refuse_access(monkeypatch, file)
    names = {file.stat().st_uid: "amina"}
    monkeypatch.setattr(faults, "user_name", lambda uid: names.get(uid, "www"))
    monkeypatch.setattr(faults.os, "geteuid", lambda: file.stat().st_uid)
    assert sentences(faults.check_access(file, kind)) == [
        f"{subject} is not accessible to its owner, amina. Run: chmod u+rw {file}"
    ]
    monkeypatch.setattr(faults.os, "geteuid", lambda: 12_345)
    assert sentences(faults.check_access(file, kind)) == [
        f"{subject} belongs to amina, but this command runs as www. "
        f"Run it as amina, or as root: chown -R www {file}"
    ]
    [fault] = faults.check_access(file, kind)
    assert fault.cause is Cause.NO_ACCESS


def test_a_directory_of_the_database_is_called_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_access(monkeypatch, tmp_path)
    [fault] = faults.check_access(tmp_path, "database")
    assert fault.message.startswith(f"The database {tmp_path} ")
    assert fault.remedy == f"Run: chmod u+rwx {tmp_path}"


def test_a_disk_that_is_mounted_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_access(monkeypatch, tmp_path)
    status = SimpleNamespace(f_flag=os.ST_RDONLY | os.ST_NOSUID)
    monkeypatch.setattr(faults.os, "statvfs", lambda _path: status)
    [fault] = faults.check_access(tmp_path, "search index")
    assert fault.cause is Cause.READ_ONLY
    assert str(fault) == (
        f"The search index {tmp_path} is on a disk that is mounted read-only. "
        "Check the system log (dmesg) for the cause, then mount it for writing."
    )
    refuse_access(monkeypatch, tmp_path, tmp_path.parent)
    [fault] = faults.check_access(tmp_path, "search index")
    assert fault.cause is Cause.NO_ACCESS, "nothing is known of a disk that cannot be reached"


def test_a_file_that_has_just_been_deleted_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_access(monkeypatch, tmp_path / "spectator.db-wal")
    assert sentences(faults.check_access(tmp_path / "spectator.db-wal", "database")) == []
    assert faults.user_name(4_000_000_000) == "4000000000"


@pytest.mark.parametrize(
    ("cause", "stops_reading", "stops_saving"),
    [
        (Cause.CLOCK, False, False),
        (Cause.NEWER, False, False),
        (Cause.NEWER, True, True),
        (Cause.FULL, False, True),
    ],
)
def test_which_faults_stop_saving(cause: Cause, stops_reading: bool, stops_saving: bool) -> None:
    fault = Fault(cause, None, "What.", "Do.", stops_reading)
    assert fault.stops_saving is stops_saving
    assert not fault.is_fixed_by_init
    assert Fault(cause, None, "What.", INIT).is_fixed_by_init


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """Path of the secret key of a site without one in its settings."""
    return tmp_path / "secret_key"


def key_faults(key: Path) -> list[tuple[Cause, str]]:
    settings = {"SECRET_KEY": "", "DATA_DIR": key.parent}
    return [(fault.cause, str(fault)) for fault in diagnosis._examine_key(settings)]


def test_faults_of_the_secret_key(key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    advice = f"Restore it from a backup, or create a new one: rm -r {key} && spectator init"
    assert key_faults(key) == [
        (
            Cause.MISSING,
            f"The secret key {key} is missing. A new one logs nobody out, but pages open now "
            "must be reloaded. Run: spectator init",
        )
    ]
    key.mkdir()
    message = f"{key} is not a file, but the secret key should be one."
    assert key_faults(key) == [(Cause.WRONG_KIND, f"{message} {advice}")]
    key.rmdir()
    key.touch()
    assert key_faults(key) == [
        (Cause.EMPTY, f"The secret key {key} is empty. Run: spectator init")
    ]
    key.write_text("short", encoding="ascii")
    assert key_faults(key) == [(Cause.DAMAGED, f"The secret key {key} is damaged. {advice}")]
    key.write_text("k" * 48, encoding="ascii")
    assert key_faults(key) == []
    refuse_access(monkeypatch, key)
    [(cause, sentence)] = key_faults(key)
    assert cause is Cause.NO_ACCESS and sentence.startswith(f"The secret key {key} ")


def test_faults_of_the_file_of_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "spectator.db"

    def examine() -> list[tuple[Cause, str]]:
        return [
            (fault.cause, str(fault)) for fault in diagnosis.examine_database(f"sqlite:///{path}")
        ]

    message = f"The database {path} is missing. If there was one, restore a backup first."
    assert examine() == [(Cause.MISSING, f"{message} Run: spectator init")]
    path.symlink_to(tmp_path / "nowhere")
    assert examine() == [(Cause.WRONG_KIND, f"{path} is a broken link. Remove or correct it.")]
    path.unlink()
    path.mkdir()
    message = f"{path} is not a file, but the database should be one."
    advice = "Move it away, or set SPECTATOR_DATABASE_URL to the database."
    assert examine() == [(Cause.WRONG_KIND, f"{message} {advice}")]
    path.rmdir()
    path.touch()
    message = f"The database {path} is empty. If it had stories, restore a backup first."
    assert examine() == [(Cause.EMPTY, f"{message} Run: spectator init")]
    path.write_bytes(b"rubbish" * 1000)
    [(cause, sentence)] = examine()
    assert cause is Cause.NOT_A_DATABASE and f"{path} is not a database" in sentence
    wal = tmp_path / "spectator.db-wal"
    wal.touch()
    refuse_access(monkeypatch, wal)
    [(cause, sentence)] = examine()
    assert cause is Cause.NO_ACCESS and f"The file {wal} of the database" in sentence


@pytest.mark.parametrize("file", ["-wal", "-shm", "-journal"])
def test_files_beside_the_database_belong_to_it(tmp_path: Path, file: str) -> None:
    path = tmp_path / "spectator.db"
    assert sqlite_faults.sidecar_files(path) == []
    path.with_name(f"spectator.db{file}").touch()
    assert sqlite_faults.sidecar_files(path) == [path.with_name(f"spectator.db{file}")]


@pytest.mark.parametrize("name", ["worker.lock", "index", "index-newsroom"])
def test_faults_of_the_worker_s_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    refuse_access(monkeypatch, tmp_path / name)
    assert sentences(diagnosis._examine_worker_files(tmp_path)) == []
    (tmp_path / name).mkdir()
    kind = {"worker.lock": "lock of the worker", "index": "search index"}
    [sentence] = sentences(diagnosis._examine_worker_files(tmp_path))
    expected = kind.get(name, "newsroom's search index")
    assert sentence.startswith(f"The {expected} {tmp_path / name} ")


def test_what_must_be_possible_with_a_file_and_with_a_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed: dict[object, int] = {}
    monkeypatch.setattr(
        faults.os, "access", lambda path, mode, **_options: needed.update({path: mode}) or True
    )
    for path in (tmp_path, tmp_path / "file"):
        assert sentences(faults.check_access(path, "file")) == []
    assert needed == {
        tmp_path: os.R_OK | os.W_OK | os.X_OK,
        tmp_path / "file": os.R_OK | os.W_OK,
    }


def test_a_missing_directory_of_pictures_is_reported(tmp_path: Path) -> None:
    settings = {
        "DATA_DIR": tmp_path,
        "MEDIA": tmp_path / "media",
        "SECRET_KEY": "k" * 32,
        "DATABASE_URL": f"sqlite:///{tmp_path}/spectator.db",
    }
    reported = [fault.message for fault in diagnosis.examine(settings)]
    assert f"The directory of pictures {tmp_path / 'media'} is missing." in reported
    assert len(diagnosis.examine(settings | {"MEDIA": "s3://pictures"})) == len(reported) - 1


@pytest.mark.parametrize(("name", "kind"), [("file", "file"), ("gone/file", "directory")])
def test_a_refused_write_is_explained_by_the_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, kind: str
) -> None:
    (tmp_path / "file").touch()
    existing = tmp_path / "file" if kind == "file" else tmp_path
    refuse_access(monkeypatch, existing)
    settings = {"DATA_DIR": tmp_path, "DATABASE_URL": "sqlite:////none.db"}
    error = OSError(errno.EACCES, "refused", os.fsencode(tmp_path / name))
    assert diagnosis.explain(error, settings).startswith(f"The {kind} {existing} is not access")
