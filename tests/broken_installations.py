"""Ways to break an installation, and helpers that run commands on it."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner

from spectator.cli import main, site
from spectator.db import sqlite

NOBODY = 65534
STORY = {"headline": "A headline", "body": "A paragraph.", "published_at": "2026-01-01T00:00:00Z"}


@dataclass(frozen=True, slots=True)
class Case:
    """A broken installation: its damage, the expected message, and the user of the commands."""

    name: str
    damage: Callable[[Path], object]
    message: str
    is_root: bool = True
    environ: dict[str, str] = field(default_factory=dict)
    repair: Callable[[Path], object] | None = None  # the advised repair, if it is no command

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class CommandResult:
    """Result of a command: exit code, all output, and an unexpected exception."""

    code: int
    output: str
    exception: str
    modules: list[str] = field(default_factory=list, repr=False)


def import_modules(names: list[str]) -> None:
    """Import the modules that a command needed."""
    for name in names:
        if name not in sys.modules and name != "__main__":
            importlib.import_module(name)


def run_command(data: Path, words: list[str], uid: int, environ: dict[str, str]) -> CommandResult:
    """Run a command in a child process as a user; `run` stops where it would become gunicorn."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            if uid:
                os.setgroups([])
                os.setresgid(uid, uid, uid)
                os.setresuid(uid, uid, uid)
            os.write(writing, json.dumps(_invoke(data, words, environ)).encode("utf-8"))
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(pid, 0)
    return CommandResult(*json.loads(answer))


def _invoke(
    data: Path, words: list[str], environ: dict[str, str]
) -> tuple[int, str, str, list[str]]:
    def become_gunicorn(*_arguments: object) -> None:
        raise SystemExit(0)

    site.os.execve = become_gunicorn  # type: ignore[attr-defined]
    result = CliRunner().invoke(main, words, env={"SPECTATOR_DATA_DIR": str(data)} | environ)
    is_exit = result.exception is None or isinstance(result.exception, SystemExit)
    return (
        result.exit_code,
        result.output,
        "" if is_exit else repr(result.exception),
        list(sys.modules),
    )


def write_database(data: Path, statement: str) -> None:
    """Change the database without the site's code."""
    with closing(sqlite.connect(str(data / "spectator.db"))) as connection:
        connection.executescript(statement)


def overwrite(path: Path, offset: int, content: bytes) -> None:
    """Overwrite part of a file."""
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(content)


def give_to_root(path: Path, mode: int) -> None:
    """Make root the owner of a path."""
    if not path.exists():
        path.mkdir() if path.suffix == "" and path.name.startswith("index") else path.touch()
    os.chown(path, 0, 0)
    path.chmod(mode)


def replace_by_directory(path: Path) -> None:
    """Replace a file with a directory."""
    path.unlink()
    path.mkdir()


def replace_by_file(path: Path) -> None:
    """Replace a directory with a file."""
    shutil.rmtree(path)
    path.write_bytes(b"")


def replace_by_link(path: Path) -> None:
    """Replace a file or directory with a dangling link."""
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    path.symlink_to(path.with_name("nowhere"))


def mount(path: Path, options: str) -> None:
    """Move a directory to its own small disk; skip the test if that is impossible."""
    copy = path.with_name("copy")
    shutil.copytree(path, copy)
    command = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=711", "tmpfs", str(path)]
    mounting = subprocess.run(command, capture_output=True, encoding="utf-8")
    if mounting.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounting.stderr.strip()}")
    shutil.copytree(copy, path, dirs_exist_ok=True)
    if options == "full":
        fill(path)
    else:
        subprocess.run(["mount", "-o", f"remount,{options}", str(path)], check=True)


def fill(directory: Path) -> None:
    """Use up a disk to the last byte."""
    handle = os.open(directory / "filler", os.O_WRONLY | os.O_CREAT)
    try:
        for size in (65536, 4096, 1):
            try:
                while os.write(handle, bytes(size)):
                    pass
            except OSError:
                continue
    finally:
        os.close(handle)


def _sql(statement: str) -> Callable[[Path], None]:
    return lambda data: write_database(data, statement)


def _foreign(data: Path) -> None:
    (data / "spectator.db").unlink()
    write_database(data, "CREATE TABLE bookmark (url TEXT)")


def _truncate(data: Path) -> None:
    path = data / "spectator.db"
    os.truncate(path, path.stat().st_size // 8192 * 4096)


def _at(name: str, damage: Callable[[Path], object]) -> Callable[[Path], object]:
    return lambda data: damage(data / name)


def _owned(name: str, mode: int) -> Callable[[Path], object]:
    return lambda data: give_to_root(data / name, mode)


def _hide_parent(data: Path) -> None:
    shutil.rmtree(data)
    give_to_root(data.parent, 0o755)


def _remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


RESTORE_BACKUP = lambda data: shutil.copy(data.with_name("good.db"), data / "spectator.db")  # noqa: E731

CASES = [
    Case("no data directory", shutil.rmtree, "is missing"),
    Case("data directory is a file", replace_by_file, "is a file", repair=_remove),
    Case("data directory is a link to nothing", replace_by_link, "is missing"),
    Case(
        "data directory of root, closed",
        lambda data: give_to_root(data, 0o700),
        "belongs to root",
        is_root=False,
    ),
    Case(
        "data directory of root, readable",
        lambda data: give_to_root(data, 0o755),
        "belongs to root",
        is_root=False,
    ),
    Case("data directory cannot be made", _hide_parent, "belongs to root", is_root=False),
    Case(
        "data directory closed to its owner",
        lambda data: data.chmod(0o500),
        "not accessible to its owner",
        is_root=False,
    ),
    Case("read-only disk", lambda data: mount(data, "ro"), "read-only"),
    Case("full disk", lambda data: mount(data, "full"), "is full"),
    Case("no key", _at("secret_key", Path.unlink), "secret key"),
    Case("empty key", _at("secret_key", lambda path: path.write_bytes(b"")), "is empty"),
    Case(
        "binary key",
        _at("secret_key", lambda path: path.write_bytes(bytes(range(256)))),
        "is damaged",
    ),
    Case("short key", _at("secret_key", lambda path: path.write_bytes(b"hello")), "is damaged"),
    Case("key is a directory", _at("secret_key", replace_by_directory), "is not a file"),
    Case("key of root", _owned("secret_key", 0o600), "belongs to root", is_root=False),
    Case("no database", _at("spectator.db", Path.unlink), "is missing"),
    Case("empty database", _at("spectator.db", lambda path: os.truncate(path, 0)), "is empty"),
    Case(
        "database without tables",
        lambda data: (_foreign(data), write_database(data, "DROP TABLE bookmark")),
        "empty",
    ),
    Case(
        "newer database",
        _sql("UPDATE alembic_version SET version_num = '9999'"),
        "newer version",
        repair=RESTORE_BACKUP,
    ),
    Case(
        "database of another program",
        _foreign,
        "another program",
        repair=_at("spectator.db", Path.unlink),
    ),
    Case(
        "no version in the database",
        _sql("DELETE FROM alembic_version"),
        "is damaged",
        repair=RESTORE_BACKUP,
    ),
    Case(
        "database without stories' table",
        _sql("DROP TABLE article"),
        "is damaged",
        repair=RESTORE_BACKUP,
    ),
    Case(
        "text for a database",
        _at("spectator.db", lambda p: p.write_bytes(b"No.\n" * 999)),
        "not a database",
        repair=RESTORE_BACKUP,
    ),
    Case(
        "first page zeroed",
        _at("spectator.db", lambda path: overwrite(path, 0, bytes(4096))),
        "not a database",
        repair=RESTORE_BACKUP,
    ),
    Case(
        "schema garbled",
        _at("spectator.db", lambda path: overwrite(path, 100, b"\xa5" * 3996)),
        "is damaged",
        repair=RESTORE_BACKUP,
    ),
    Case("database cut in half", _truncate, "is damaged", repair=RESTORE_BACKUP),
    Case(
        "database is a directory",
        _at("spectator.db", replace_by_directory),
        "is not a file",
        repair=_at("spectator.db", _remove),
    ),
    Case(
        "database is a link to nothing",
        _at("spectator.db", replace_by_link),
        "broken link",
        repair=_at("spectator.db", Path.unlink),
    ),
    Case(
        "database of root, closed",
        _owned("spectator.db", 0o600),
        "belongs to root",
        is_root=False,
    ),
    Case(
        "database of root, readable",
        _owned("spectator.db", 0o644),
        "belongs to root",
        is_root=False,
    ),
    Case(
        "log of root beside the database",
        _owned("spectator.db-wal", 0o644),
        "belongs to root",
        is_root=False,
    ),
    Case(
        "shared memory of root beside it",
        _owned("spectator.db-shm", 0o600),
        "belongs to root",
        is_root=False,
    ),
    Case(
        "database elsewhere, no directory",
        lambda data: data / "",
        "is missing",
        environ={"SPECTATOR_DATABASE_URL": "sqlite:///{data}/deep/down/x.db"},
    ),
    Case(
        "lock of the worker of root",
        _owned("worker.lock", 0o600),
        "belongs to root",
        is_root=False,
    ),
    Case("search index of root", _owned("index", 0o700), "belongs to root", is_root=False),
    Case("no directory of pictures", _at("media", shutil.rmtree), "is missing"),
    Case(
        "directory of pictures is a file",
        _at("media", replace_by_file),
        "is a file",
        repair=_at("media", Path.unlink),
    ),
    Case(
        "directory of pictures of root", _owned("media", 0o700), "belongs to root", is_root=False
    ),
]
