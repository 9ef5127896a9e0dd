"""Import sources: a file, standard input or a pipe, opened once and read in order."""

from __future__ import annotations

import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import fstat
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import click

from spectator.i18n import gettext

BLOCK_BYTES = 1_000_000
STREAM_DIRECTORIES = ("/dev", "/proc")


@dataclass(frozen=True, slots=True)
class Input:
    """An open import source.

    `directory` is the file's own directory, or None for a stream. Its pictures are there unless
    `--media` names another directory.
    """

    file: IO[bytes]
    name: str
    directory: Path | None

    @contextmanager
    def progress(self, has_lines: bool = True) -> Iterator[Callable[[int], None]]:
        """Show a progress bar, or a count for a stream; yield a function that advances it.

        With `has_lines` they are counted as stories, because each story has a line of its own;
        otherwise nothing tells how many stories there are.
        """
        if self.directory is None or not has_lines:
            yield _StreamCount(self.name).add
            return
        total = _count_lines(self.file)
        self.file.seek(0)
        with click.progressbar(range(total), label=self.name, file=sys.stderr) as bar:
            yield bar.update


@contextmanager
def seekable(opened: Input) -> Iterator[IO[bytes]]:
    """Yield a file that can be read twice: a stream is copied to a temporary one."""
    if opened.directory is not None:
        yield opened.file
        return
    with TemporaryFile() as copy:
        shutil.copyfileobj(opened.file, copy, BLOCK_BYTES)
        copy.seek(0)
        yield copy


def _count_lines(file: IO[bytes]) -> int:
    """Count the lines of a file. It is read in blocks, because a line may have any length."""
    count, last = 0, b"\n"
    while block := file.read(BLOCK_BYTES):
        count, last = count + block.count(b"\n"), block
    return count + (not last.endswith(b"\n"))


class _StreamCount:
    """A count of stories read from a stream, shown if the output is a terminal."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.number = 0

    def add(self, number: int) -> None:
        self.number += number
        if sys.stderr.isatty():
            click.echo(f"\r{self.name}: {self.number}", nl=False, err=True)


@contextmanager
def open_input(path: Path) -> Iterator[Input]:
    """Open a file, or standard input for `-`; raises OSError."""
    if str(path) == "-":
        yield Input(sys.stdin.buffer, gettext("standard input"), None)
        return
    with path.open("rb") as file:
        # /dev/stdin may be redirected from a regular file, whose directory is not known.
        is_stream = not stat.S_ISREG(fstat(file.fileno()).st_mode) or str(path).startswith(
            STREAM_DIRECTORIES
        )
        yield Input(file, path.name, None if is_stream else path.parent)
