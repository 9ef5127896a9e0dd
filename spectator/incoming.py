"""Requests that are received without a thread."""

from __future__ import annotations

import re
import time

HEAD_SECONDS = 10.0  # for the whole head of a request
BODY_SECONDS = 20.0  # for a body, beside the time for its size
SMALL_BODY_BYTES = 32_768
_HEAD_END = b"\r\n\r\n"
_LENGTHS = re.compile(rb"\r\ncontent-length[ \t]*:([^\r\n]*)(?=\r\n)", re.IGNORECASE)
_MAX_LENGTH_DIGITS = 15
_UNKNOWN_LENGTH = re.compile(rb"\r\n(?:transfer-encoding|expect)[ \t]*:", re.IGNORECASE)


class IncomingRequest:
    """A request that is received without a thread: its bytes so far, and its deadline."""

    def __init__(self) -> None:
        self.deadline = time.monotonic() + HEAD_SECONDS
        self.received = bytearray()
        self.head_length = 0  # 0 until the head is complete
        self.body_length: int | None = 0
        self.has_slot = False

    @property
    def is_large(self) -> bool:
        """Whether the body needs a slot, because it is large or of unknown length."""
        return self.body_length is None or self.body_length > SMALL_BODY_BYTES

    @property
    def is_ready(self) -> bool:
        """Whether a thread can take over: everything that may come without a slot is there."""
        body_bytes = 0 if self.is_large else self.body_length or 0
        return bool(self.head_length) and len(self.received) >= self.head_length + body_bytes

    def add(self, data: bytes) -> None:
        """Add received bytes."""
        start = max(0, len(self.received) - len(_HEAD_END) + 1)
        self.received += data
        if not self.head_length and (end := self.received.find(_HEAD_END, start)) >= 0:
            self.head_length = end + len(_HEAD_END)
            self.body_length = parse_body_length(self.received[: self.head_length])
            self.deadline = time.monotonic() + (BODY_SECONDS if self.body_length else HEAD_SECONDS)


def parse_body_length(head: bytes | bytearray) -> int | None:
    """Return the length of a body from the head.

    None if it is unknown: chunked, waiting for a 100, or a length that is not one plain number.
    """
    lengths = _LENGTHS.findall(head)
    if _UNKNOWN_LENGTH.search(head) or len(lengths) > 1:
        return None
    digits = lengths[0].strip(b" \t").lstrip(b"0") if lengths else b""
    if not digits:
        return 0
    return int(digits) if digits.isdigit() and len(digits) <= _MAX_LENGTH_DIGITS else None
