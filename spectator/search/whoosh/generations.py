"""Where an index lies on disk: whole generations side by side, a symbolic link to the current one, positions.

current -> generation-000002        the link is replaced by rename: a reader sees the old or the new index
generation-000002/                  Whoosh's files, `format`, `position`, and `damaged` when a reader could not use it
rebuild.lock  switch.lock           flock: one rebuild at a time; no commit while the link moves
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from spectator.search import IndexUnavailableError

_GENERATION_NAME = re.compile(r"generation-(\d{6,})")
_OFFSET_FILE = re.compile(r"(\d{1,18})\n((?:\d+/\d+ \S+\n)*)")
_UNTRACKED_FILES = {"position", "position.new", "damaged", "MAIN_WRITELOCK"}


@dataclass(frozen=True, slots=True)
class Generation:
    """One whole index and the outbox number it has reached. Two are equal only if no commit lies between them."""

    path: Path
    offset: int
    stamp: tuple[int, int]
    manifest: str

    def toc_files(self) -> frozenset[str]:
        """The names of Whoosh's tables of contents: while they stay the same, nothing is committed or deleted."""
        try:
            return frozenset(name for name in os.listdir(self.path) if name.endswith(".toc"))
        except FileNotFoundError:
            return frozenset()

    def check_files(self) -> None:
        """Raise ValueError where a file is not as it was when the position was written: cut short, written over.

        Whoosh reads a column cut short as zeros, and notices a broken list of words or postings late or never.
        A file may be missing here: a commit going on may have merged it away.
        """
        for line in self.manifest.splitlines():
            stamp, name = line.split(" ", 1)
            with contextlib.suppress(FileNotFoundError):
                if _stamp(os.stat(f"{self.path}/{name}")) != stamp:
                    raise ValueError(f"somebody has written to {name}")

    @property
    def format(self) -> int:
        """The number of the format that it was built in; 1 where none is noted."""
        try:
            return int((self.path / "format").read_text(encoding="ascii"))
        except (OSError, ValueError):
            return 1

    @property
    def is_damaged(self) -> bool:
        """Whether a reader has found that this generation cannot be used."""
        return (self.path / "damaged").exists()

    def mark_damaged(self) -> None:
        """Ask for a rebuild. Never raises: a reader who cannot even say so still has a page to send."""
        # On a full disk or without the directory there is nothing to write to; position() then finds out by itself.
        with contextlib.suppress(OSError):
            (self.path / "damaged").touch()


class Generations:
    """The generations in one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def current(self) -> Generation | None:
        """The generation that readers should use, or None when there is none with a readable position."""
        try:
            name = os.readlink(self.directory / "current")
            path = self.directory / name
            with open(path / "position", encoding="ascii") as file:
                status = os.fstat(file.fileno())
                match = _OFFSET_FILE.fullmatch(file.read())
        except (OSError, UnicodeDecodeError):
            return None
        if match is None or not _GENERATION_NAME.fullmatch(name):
            return None
        return Generation(path, int(match[1]), (status.st_ino, status.st_mtime_ns), match[2])

    def create(self) -> Path:
        """A new empty directory, numbered after all others. The index holds pickles, so only we may write there."""
        numbers = [
            int(match[1])
            for name in os.listdir(self.directory)
            if (match := _GENERATION_NAME.fullmatch(name))
        ]
        path = self.directory / f"generation-{max(numbers, default=0) + 1:06}"
        path.mkdir(mode=0o700)
        return path

    def switch(self, path: Path) -> None:
        """Make a finished generation the current one, in one atomic step."""
        link = self.directory / "current.new"
        link.unlink(missing_ok=True)
        link.symlink_to(path.name)
        link.replace(self.directory / "current")
        fsync_directory(self.directory)

    def remove_others(self) -> None:
        """Delete all generations but the current one. Readers that hold their files open keep them."""
        current = self.current()
        for entry in os.scandir(self.directory):
            if _GENERATION_NAME.fullmatch(entry.name) and (
                current is None or entry.name != current.path.name
            ):
                # What cannot be deleted now is deleted after the next rebuild.
                shutil.rmtree(entry.path, ignore_errors=True)

    @contextlib.contextmanager
    def lock(self, name: str, *, wait: bool) -> Iterator[None]:
        """Hold a lock between processes; makes the directory. Raises IndexUnavailable at once unless patient."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory.chmod(0o700)
        with open(self.directory / f"{name}.lock", "wb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise IndexUnavailableError(
                    f"another process holds the {name} lock of the search index"
                ) from error
            yield


def _stamp(status: os.stat_result) -> str:
    return f"{status.st_size}/{status.st_mtime_ns}"


def write_format(path: Path, number: int) -> None:
    """Note in a generation that is being built which format it has."""
    (path / "format").write_text(f"{number}\n", encoding="ascii")


def write_offset(path: Path, offset: int) -> None:
    """Note in a generation which outbox number it has reached, and what its files are then; never half of it."""
    draft = path / "position.new"
    listed = [
        entry
        for entry in os.scandir(path)
        if entry.is_file() and entry.name not in _UNTRACKED_FILES
    ]
    with open(draft, "w", encoding="utf-8") as file:
        file.write(f"{offset}\n")
        file.writelines(f"{_stamp(entry.stat())} {entry.name}\n" for entry in listed)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path / "position")


def fsync_files(path: Path, names: Iterable[str]) -> None:
    """Bring files of a directory, and then the directory itself, safely to disk; Whoosh never does."""
    for name in names:
        handle = os.open(path / name, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    fsync_directory(path)


def fsync_directory(path: Path) -> None:
    """Bring the names in a directory safely to disk."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
