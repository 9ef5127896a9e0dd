"""The index on disk: numbered generations, a link to the current one, and outbox offsets.

current -> generation-000002   replaced by rename: a reader sees the old or the new index
generation-000002/             Whoosh's files, `format`, `position` (the offset), `damaged`
rebuild.lock  switch.lock      flock: one rebuild at a time; no commit during a switch
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

from spectator.i18n import gettext
from spectator.search import IndexUnavailableError
from spectator.search.whoosh.internals import COMMIT_SUFFIX, WRITE_LOCK

_GENERATION_NAME = re.compile(r"generation-(\d{6,})")
_OFFSET_FILE = re.compile(r"(\d{1,18})\n((?:\d+/\d+ \S+\n)*)")
OFFSET_FILE = "position"  # its old name
DAMAGE_MARKER = "damaged"  # an empty file
_UNTRACKED_FILES = {OFFSET_FILE, f"{OFFSET_FILE}.new", DAMAGE_MARKER, WRITE_LOCK}


@dataclass(frozen=True, slots=True)
class Generation:
    """A complete index and its outbox offset, in the state after one commit."""

    path: Path
    offset: int
    stamp: tuple[int, int]
    manifest: str

    def toc_files(self) -> frozenset[str]:
        """Return the names of Whoosh's tables of contents, which change with every commit."""
        try:
            return frozenset(
                name for name in os.listdir(self.path) if name.endswith(COMMIT_SUFFIX)
            )
        except FileNotFoundError:
            return frozenset()

    def check_files(self) -> None:
        """Raise ValueError if a file has changed since the offset was written.

        Whoosh reads a truncated column as zeros, and notices other damage late or never.
        Missing files are ignored, because a commit may be merging them away.
        """
        for line in self.manifest.splitlines():
            stamp, name = line.split(" ", 1)
            with contextlib.suppress(FileNotFoundError):
                if _stamp(os.stat(f"{self.path}/{name}")) != stamp:
                    raise ValueError(f"the index file {name} was changed from outside")

    @property
    def format(self) -> int:
        """The format in which the index was built; 1 if none is recorded."""
        try:
            return int((self.path / "format").read_text(encoding="ascii"))
        except (OSError, ValueError):
            return 1

    @property
    def is_damaged(self) -> bool:
        """Whether a reader has marked this generation as unusable."""
        return (self.path / DAMAGE_MARKER).exists()

    def mark_damaged(self) -> None:
        """Mark the generation for a rebuild. Never raises, since the page must be answered."""
        # If nothing can be written, WhooshIndex.offset() still notices the damage itself.
        with contextlib.suppress(OSError):
            (self.path / DAMAGE_MARKER).touch()


class Generations:
    """The generations in an index directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def current(self) -> Generation | None:
        """Return the generation that readers should use; None if its offset is unreadable."""
        try:
            name = os.readlink(self.directory / "current")
            path = self.directory / name
            with open(path / OFFSET_FILE, encoding="ascii") as file:
                status = os.fstat(file.fileno())
                match = _OFFSET_FILE.fullmatch(file.read())
        except (OSError, UnicodeDecodeError):
            return None
        if match is None or not _GENERATION_NAME.fullmatch(name):
            return None
        return Generation(path, int(match[1]), (status.st_ino, status.st_mtime_ns), match[2])

    def size(self) -> int:
        """Return the bytes of all files."""
        total = 0
        for path in self.directory.rglob("*"):
            with contextlib.suppress(OSError):  # deleted meanwhile
                total += path.lstat().st_size
        return total

    def create(self) -> Path:
        """Create an empty directory with the next number.

        Whoosh unpickles its files, so only this user may write there.
        """
        numbers = [
            int(match[1])
            for name in os.listdir(self.directory)
            if (match := _GENERATION_NAME.fullmatch(name))
        ]
        path = self.directory / f"generation-{max(numbers, default=0) + 1:06}"
        path.mkdir(mode=0o700)
        return path

    def switch(self, path: Path) -> None:
        """Make a finished generation the current one, atomically."""
        link = self.directory / "current.new"
        link.unlink(missing_ok=True)
        link.symlink_to(path.name)
        link.replace(self.directory / "current")
        fsync_files(self.directory)

    def remove_others(self) -> None:
        """Delete all generations except the current one. Readers keep the files they have open."""
        current = self.current()
        for entry in os.scandir(self.directory):
            if _GENERATION_NAME.fullmatch(entry.name) and (
                current is None or entry.name != current.path.name
            ):
                # The next rebuild deletes what remains.
                shutil.rmtree(entry.path, ignore_errors=True)

    @contextlib.contextmanager
    def lock(self, name: str, *, wait: bool) -> Iterator[None]:
        """Hold a lock between processes, and create the directory if it is missing.

        Without `wait`, raises IndexUnavailableError if another process holds the lock.
        """
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory.chmod(0o700)
        with open(self.directory / f"{name}.lock", "wb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise IndexUnavailableError(
                    gettext(
                        "another process holds the %(name)s lock of the search index", name=name
                    )
                ) from error
            yield


def _stamp(status: os.stat_result) -> str:
    return f"{status.st_size}/{status.st_mtime_ns}"


def write_format(path: Path, number: int) -> None:
    """Record the format of a new generation."""
    (path / "format").write_text(f"{number}\n", encoding="ascii")


def write_offset(path: Path, offset: int) -> None:
    """Record the outbox offset and the manifest of a generation, atomically."""
    temporary = path / f"{OFFSET_FILE}.new"
    entries = [
        entry
        for entry in os.scandir(path)
        if entry.is_file() and entry.name not in _UNTRACKED_FILES
    ]
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(f"{offset}\n")
        file.writelines(f"{_stamp(entry.stat())} {entry.name}\n" for entry in entries)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path / OFFSET_FILE)


def fsync_files(path: Path, names: Iterable[str] = ()) -> None:
    """Flush files of a directory, then the directory itself, to disk. Whoosh never does."""
    for name in [*names, "."]:
        handle = os.open(path / name, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
