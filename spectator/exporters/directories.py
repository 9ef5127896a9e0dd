"""The directory that an export fills: only its own files are replaced or removed.

`spectator-<kind>.sha256` lists the files of a whole export with their digests, as `sha256sum -c`
reads them. While an export runs, there is `spectator-<kind>.unfinished` instead, with the names of
all files that this export or the one before may have written. So an export that was killed is never
taken for a whole one, and the next one continues it.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import IO

from spectator.i18n import gettext

# What an entry of a list may be, so that a list from elsewhere cannot name a file outside.
_NAME = re.compile(r"(?!\.{1,2}(?:/|$))[^/\\\0\n]+(?:/(?!\.{1,2}(?:/|$))[^/\\\0\n]+)*")
_LINE = re.compile(r"[0-9a-f]{64}  (.+)")


class ExportError(Exception):
    """An export cannot be written; the message says what to do."""


def is_safe_name(name: str) -> bool:
    """Return whether a name, relative with slashes, stays inside the directory."""
    return _NAME.fullmatch(name) is not None


class ExportDirectory:
    """A directory with an export of a kind, such as “site”. Raises ExportError and OSError."""

    def __init__(self, path: Path, kind: str) -> None:
        self.path = path
        self.list_file = path / f"spectator-{kind}.sha256"
        self.journal_file = path / f"spectator-{kind}.unfinished"
        self.temporary_file = path / f"spectator-{kind}.new"
        self.digests: dict[str, str] = {}  # of the files of this export, by name
        self.former_names: set[str] = set()
        self.journal: IO[str] | None = None
        self.written = 0  # files with new content

    def __enter__(self) -> ExportDirectory:
        """Begin an export. Raises ExportError if the directory has files of somebody else."""
        self.path.mkdir(parents=True, exist_ok=True)
        is_own = self.list_file.exists() or self.journal_file.exists()
        if not is_own and any(self.path.iterdir()):
            raise self._other_files()
        self.former_names = self._read_names()
        self._write(self.journal_file, "".join(f"{n}\n" for n in sorted(self.former_names)))
        self.list_file.unlink(missing_ok=True)
        self.journal = self.journal_file.open("a", encoding="utf-8")
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop; without `finish` the next export continues this one."""
        if self.journal:
            self.journal.close()

    def _other_files(self) -> ExportError:
        return ExportError(
            gettext(
                "%(directory)s has other files. Name a new or empty directory.",
                directory=self.path,
            )
        )

    def _read_names(self) -> set[str]:
        names = set()
        if self.list_file.exists():
            for line in self.list_file.read_text("utf-8").splitlines():
                if match := _LINE.fullmatch(line):
                    names.add(match[1])
        if self.journal_file.exists():
            names.update(self.journal_file.read_text("utf-8").splitlines())
        return {name for name in names if is_safe_name(name)}

    def write(self, name: str, content: bytes) -> None:
        """Write a file atomically, unless it has this content already."""
        path = self._path(name)
        if name not in self.digests and name not in self.former_names:
            assert self.journal
            self.journal.write(f"{name}\n")
            self.journal.flush()
        self.digests[name] = hashlib.sha256(content).hexdigest()
        if path.is_file() and not path.is_symlink() and path.read_bytes() == content:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        self._write(path, content)
        self.written += 1

    def _write(self, path: Path, content: bytes | str) -> None:
        data = content.encode() if isinstance(content, str) else content
        self.temporary_file.unlink(missing_ok=True)  # it may be somebody's link
        with self.temporary_file.open("xb") as file:
            file.write(data)
        os.replace(self.temporary_file, path)

    def _path(self, name: str) -> Path:
        """Return the path of a file. Raises ExportError if a link leads outside."""
        path = self.path / name
        if not is_safe_name(name) or not _is_inside(path.parent, self.path):
            raise self._other_files()
        return path

    def finish(self) -> int:
        """Remove the files that are no longer part of the export, and write the list of the rest.

        Return how many files were removed.
        """
        gone = sorted(self.former_names - self.digests.keys())
        for name in gone:
            if _is_inside((self.path / name).parent, self.path):
                self._remove(self.path / name)
        if self.written:
            os.sync()  # the list must not survive a power cut that its files do not survive
        lines = [f"{digest}  {name}\n" for name, digest in sorted(self.digests.items())]
        self._write(self.list_file, "".join(lines))
        self.journal_file.unlink()
        return len(gone)

    def _remove(self, path: Path) -> None:
        """Remove a file, and the directories that are empty without it."""
        path.unlink(missing_ok=True)
        for directory in path.parents:
            if directory == self.path or not directory.is_dir() or any(directory.iterdir()):
                break
            directory.rmdir()


def _is_inside(directory: Path, root: Path) -> bool:
    """Return whether a directory is in another, links followed."""
    return directory.resolve().is_relative_to(root.resolve())
