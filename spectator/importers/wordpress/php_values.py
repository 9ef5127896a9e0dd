"""Values that PHP has serialised, as meta of WordPress holds them; objects are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

MAX_DEPTH = 50


class PhpValueError(ValueError):
    """Not a serialised value, or one with objects or references."""


def parse_php_value(text: str) -> Any:
    """Return a value: arrays become dicts, in order. Raises PhpValueError.

    Lengths count bytes of UTF-8. The text must hold exactly one value.
    """
    parser = _Parser(text.encode("utf-8", "surrogatepass"))
    value = parser.value(0)
    if parser.position != len(parser.data):
        raise PhpValueError("text after the value")
    return value


class _Parser:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0
        self.readers: dict[bytes, Callable[[], Any]] = {
            b"i": lambda: int(self.until(b";")),
            b"d": lambda: float(self.until(b";").lower()),
            b"b": lambda: self.until(b";") == b"1",
            b"s": self.string,
        }

    def value(self, depth: int) -> Any:
        kind, mark = self.take(1), self.take(1)
        if kind == b"N" and mark == b";":
            return None
        if mark != b":" or depth > MAX_DEPTH:
            raise PhpValueError("not a serialised value")
        if kind == b"a":
            return self.array(depth)
        if kind not in self.readers:
            raise PhpValueError("a type that is not read")
        try:
            return self.readers[kind]()
        except PhpValueError:
            raise
        except ValueError as error:
            raise PhpValueError("not a number") from error

    def array(self, depth: int) -> dict[Any, Any]:
        count = self.number(b":")
        self.expect(b"{")
        values = {}
        for _ in range(count):  # ends at the end of the data, however large the count is
            key = self.key()
            values[key] = self.value(depth + 1)
        self.expect(b"}")
        return values

    def key(self) -> int | str:
        if self.data[self.position : self.position + 1] not in {b"i", b"s"}:
            raise PhpValueError("a key that is neither a number nor a string")
        return cast(int | str, self.value(0))

    def string(self) -> str:
        length = self.number(b":")
        self.expect(b'"')
        text = self.take(length)
        self.expect(b'";')
        return text.decode("utf-8", "replace")

    def number(self, end: bytes) -> int:
        text = self.until(end)
        if not text.isdigit():
            raise PhpValueError("not a length")
        return int(text)

    def until(self, end: bytes) -> bytes:
        at = self.data.find(end, self.position, self.position + 40)
        if at < 0:
            raise PhpValueError("cut off")
        text = self.data[self.position : at]
        self.position = at + len(end)
        return text

    def take(self, length: int) -> bytes:
        end = self.position + length
        if end > len(self.data):
            raise PhpValueError("cut off")
        text = self.data[self.position : end]
        self.position = end
        return text

    def expect(self, text: bytes) -> None:
        if self.take(len(text)) != text:
            raise PhpValueError("damaged")
