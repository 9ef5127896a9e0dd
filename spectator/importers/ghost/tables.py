"""The rows of an export file of Ghost as a stream.

The file is one JSON object, which the standard library can only read whole. Here one row is read at
a time: the memory that a file takes is that of its longest row, at most `MAX_ROW` characters.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import IO, Any, NamedTuple

from spectator.formats import format_number
from spectator.i18n import gettext

CHUNK_BYTES = 262_144
MAX_ROW = 20_000_000  # characters; the text of a post is in up to four columns
MAX_KEY = 1_000
MAX_LEVELS = 4  # of objects around the tables
_DECODER = json.JSONDecoder()
_SPACES = re.compile(r"[ \t\r\n]*+")
_MARK = re.compile(r'["\[\]{}]')
_IN_STRING = re.compile(r'["\\]')
_PLAIN_END = re.compile(r"[,\]}\s]")


class GhostError(Exception):
    """An export file that cannot be read; the message says why."""


class Row(NamedTuple):
    """A row of a table: its columns, None if it is too long or no object; `size` in characters."""

    table: str
    columns: dict[str, Any] | None
    size: int


class _TooLongError(Exception):
    """A value that is longer than may be in memory, or nested too deeply to be read."""


class _JsonStream:
    """The tokens of a JSON text that is read in chunks."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self.buffer, self.at, self.dropped = "", 0, 0
        self.is_ended = False

    @property
    def position(self) -> int:
        """Return how many characters were read."""
        return self.dropped + self.at

    def fail(self) -> GhostError:
        """Return the error about the current position."""
        position = format_number(self.position + 1)
        return GhostError(gettext("it is damaged at character %(position)s", position=position))

    def _fill(self) -> bool:
        """Read more, at least as much as is still unread; return whether there was any."""
        if self.is_ended:
            return False
        block = self.file.read(max(CHUNK_BYTES, len(self.buffer) - self.at))
        self.dropped += self.at
        self.buffer = self.buffer[self.at :] + self.decoder.decode(block, not block)
        self.at, self.is_ended = 0, not block
        return True

    def peek(self) -> str:
        """Return the next character that is no white space, "" at the end."""
        while True:
            match = _SPACES.match(self.buffer, self.at)
            self.at = match.end() if match else self.at
            if self.at < len(self.buffer) or not self._fill():
                return self.buffer[self.at : self.at + 1]

    def take(self, *characters: str) -> str:
        """Return the next character, which must be one of these."""
        if (character := self.peek()) not in characters or not character:
            raise self.fail()
        self.at += 1
        return character

    def entries(self) -> Iterator[str]:
        """Yield the keys of an object after its `{`; the caller reads each value."""
        while self.peek() != "}":
            key = self.value(MAX_KEY)
            if not isinstance(key, str):
                raise self.fail()
            self.take(":")
            yield key
            if self.take(",", "}") == "}":
                return
        self.at += 1

    def items(self) -> Iterator[None]:
        """Step through an array after its `[`; the caller reads each item."""
        while self.peek() != "]":
            yield
            if self.take(",", "]") == "]":
                return
        self.at += 1

    def value(self, limit: int) -> Any:
        """Return a value of at most `limit` characters, about; raises _TooLongError."""
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self.buffer, self.at)
            except RecursionError as error:
                raise _TooLongError from error
            except ValueError:
                end = -1
            # A number may go on behind the buffer.
            if end >= 0 and (end < len(self.buffer) or self.is_ended):
                self.at = end
                return value
            if len(self.buffer) - self.at > limit:
                raise _TooLongError
            if not self._fill():
                raise self.fail()

    def skip(self) -> None:
        """Skip a value of any length."""
        depth = 0
        self.peek()
        while True:
            if depth == 0 and self.buffer[self.at : self.at + 1] not in {'"', "[", "{"}:
                self._find(_PLAIN_END)
                return
            mark = self._find(_MARK)
            self.at += 1
            if mark == '"':
                while self._find(_IN_STRING) == "\\":
                    self.at += 1
                    self._take_any()
                self.at += 1
            depth += 1 if mark in "[{" else -1 if mark in "]}" else 0
            if depth <= 0:
                return

    def _find(self, pattern: re.Pattern[str]) -> str:
        """Go to the next character of a pattern and return it."""
        while not (match := pattern.search(self.buffer, self.at)):
            self.at = len(self.buffer)
            if not self._fill():
                raise self.fail()
        self.at = match.start()
        return match[0]

    def _take_any(self) -> None:
        if self.at >= len(self.buffer) and not self._fill():
            raise self.fail()
        self.at += 1


def read_rows(file: IO[bytes]) -> Iterator[Row]:
    """Yield the rows of all tables, with or without the objects around them (`db`, `data`).

    Raises GhostError, with the position in characters if the file is damaged there.
    """
    stream = _JsonStream(file)
    if stream.peek() != "{":
        raise GhostError(gettext("it is not an export file of Ghost"))
    yield from _read_object(stream, 1)
    if stream.peek():
        raise stream.fail()


def _read_object(stream: _JsonStream, level: int) -> Iterator[Row]:
    stream.take("{")
    for key in stream.entries():
        character = stream.peek()
        if key == "data" and character == "{" and level < MAX_LEVELS:
            yield from _read_object(stream, level + 1)
        elif character != "[":
            stream.skip()
        else:
            stream.take("[")
            for _ in stream.items():
                if key == "db" and stream.peek() == "{" and level < MAX_LEVELS:
                    yield from _read_object(stream, level + 1)
                else:
                    yield _read_row(stream, key)


def _read_row(stream: _JsonStream, table: str) -> Row:
    start = stream.position
    try:
        value = stream.value(MAX_ROW)
    except _TooLongError:
        stream.skip()
        value = None
    columns = value if isinstance(value, dict) else None
    return Row(table, columns, stream.position - start)
