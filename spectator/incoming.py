"""Requests that are received without blocking a thread: their heads, small bodies and deadlines.

Requests with large or unknown bodies, those of the newsroom and searches need a slot (see
`request_slots`), and those of pictures too if they are in a bucket, which may be slow.
"""

from __future__ import annotations

import errno
import re
import socket
import time
from typing import Any
from urllib.parse import unquote_to_bytes

from gunicorn.http.unreader import SocketUnreader

from spectator.newsroom.security import SESSION_COOKIE
from spectator.request_slots import ANONYMOUS_KINDS, PICTURES, SEARCHES, SlotUser
from spectator.search_paths import is_newsroom_search_path, is_search_path

HEAD_SECONDS = 10.0  # for the whole head of a request
BODY_SECONDS, BODY_BYTES_PER_SECOND = 20.0, 8_000  # for a body, and the extra time for its size
MAX_HEAD_BYTES = 81_920  # more than the longest URL and cookies that are accepted
SMALL_BODY_BYTES = 32_768
_READ_BYTES = 65_536
_HEAD_END = b"\r\n\r\n"
_LENGTHS = re.compile(rb"\r\ncontent-length[ \t]*:([^\r\n]*)(?=\r\n)", re.IGNORECASE)
_MAX_LENGTH_DIGITS = 15
_UNKNOWN_LENGTH = re.compile(rb"\r\n(?:transfer-encoding|expect)[ \t]*:", re.IGNORECASE)
_SESSION = re.compile(
    rb"\r\ncookie[ \t]*:(?:[^\r\n]*?;)?[ \t]*%s=([^;\s\"]{1,200})" % SESSION_COOKIE.encode(),
    re.IGNORECASE,
)
_FORWARDED_FOR = re.compile(rb"\r\nx-forwarded-for[ \t]*:([^\r\n]*)", re.IGNORECASE)
_NEWSROOM = re.compile(rb"/+newsroom(?:/|$)")


class IncomingRequest:
    """A request that is being received: its bytes so far, and its deadline."""

    def __init__(self, are_pictures_slow: bool = False) -> None:
        self.are_pictures_slow = are_pictures_slow
        self.deadline = time.monotonic() + HEAD_SECONDS
        self.received = bytearray()
        self.head_length = 0  # 0 until the head is complete
        self.body_length: int | None = 0
        self.is_newsroom = self.is_newsroom_search = False
        self.group = b""  # PICTURES or SEARCHES, whose requests are limited together
        self.token = b""  # of a session
        self.person = (
            b""  # who has logged in; this and the next are set once the head is complete
        )
        self.has_ended = False  # the session of a large body
        self.network = ""  # of the client; set once the head is complete
        self.has_slot = False

    @property
    def needs_slot(self) -> bool:
        """Whether the request may be answered only with a slot."""
        needs_slot = self.is_large or self.is_newsroom or bool(self.group)
        return needs_slot and not self.has_slot

    @property
    def slot_user(self) -> SlotUser:
        """Who needs the slot; all searches together are limited like one person."""
        person = self.group or self.person
        network = "" if self._has_own_turns else self.network
        return SlotUser(self.is_large, person, network, self.has_ended, self.is_newsroom_search)

    @property
    def _has_own_turns(self) -> bool:
        return self.person not in ANONYMOUS_KINDS and not self.group

    @property
    def is_large(self) -> bool:
        """Whether the body needs a slot, because it is large or of unknown length."""
        return self.body_length is None or self.body_length > SMALL_BODY_BYTES

    @property
    def is_ready(self) -> bool:
        """Whether a thread can take over: all that may be received without a slot has arrived."""
        body_bytes = 0 if self.is_large else self.body_length or 0
        return bool(self.head_length) and len(self.received) >= self.head_length + body_bytes

    def add(self, data: bytes) -> None:
        """Add received bytes."""
        start = max(0, len(self.received) - len(_HEAD_END) + 1)
        self.received += data
        if not self.head_length and (end := self.received.find(_HEAD_END, start)) >= 0:
            self.head_length = end + len(_HEAD_END)
            self.read_head(bytes(self.received[: self.head_length]))
            self.deadline = time.monotonic() + (
                BODY_SECONDS if self.body_length else HEAD_SECONDS
            )

    def read_head(self, head: bytes) -> None:
        """Parse the body's length, the session token and what kind of request this is."""
        self.body_length = parse_body_length(head)
        target = request_target(head)
        path = b"/" + unquote_to_bytes(target).lstrip(b"/")  # as the application reads it
        is_path = target.startswith(b"/")
        text = path.decode("latin-1")
        self.is_newsroom = not is_path or is_newsroom_path(path)
        self.is_newsroom_search = not is_path or is_newsroom_search_path(text)
        if self.are_pictures_slow and path.startswith(b"/media/"):
            self.group = PICTURES
        elif is_search_path(text):
            self.group = SEARCHES
        token = _SESSION.search(head)
        self.token = token[1] if token else b""


def request_target(head: bytes) -> bytes:
    """Return the target of a request without its query, b"" if there is none; rarely no path."""
    words = head.lstrip(b"\r\n").partition(b"\r\n")[0].split(b" ")
    return re.split(rb"[?#]", words[1], maxsplit=1)[0] if len(words) > 1 else b""


def client_address(head: bytes, peer: str, hops: int) -> str:
    """Return the address of the client, behind this many trusted proxies; `peer` is connected."""
    lines: list[bytes] = _FORWARDED_FOR.findall(head)
    addresses = [address.strip() for line in lines for address in line.split(b",")]
    if not 0 < hops <= len(addresses):
        return peer
    return addresses[-hops].decode("latin-1")


def is_newsroom_path(path: bytes) -> bool:
    """Return whether an unquoted path belongs to the newsroom."""
    return _NEWSROOM.match(path) is not None


def parse_body_length(head: bytes | bytearray) -> int | None:
    """Return the length of a body according to the head, None if it is unknown.

    It is unknown if the body is chunked, if the client waits for a 100 (Continue), or if
    Content-Length is not one plain number.
    """
    lengths = _LENGTHS.findall(head)
    if _UNKNOWN_LENGTH.search(head) or len(lengths) > 1:
        return None
    digits = lengths[0].strip(b" \t").lstrip(b"0") if lengths else b""
    if not digits:
        return 0
    return int(digits) if digits.isdigit() and len(digits) <= _MAX_LENGTH_DIGITS else None


class BoundedUnreader(SocketUnreader):  # type: ignore[misc]
    """A reader that raises TimeoutError if a client sends too slowly."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self.restart_clock()

    def restart_clock(self) -> None:
        """Start the clock for the next request."""
        self.deadline = time.monotonic() + BODY_SECONDS

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Return the next bytes. Raises TimeoutError if they come too slowly."""
        remaining = self.deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError(errno.ETIMEDOUT, "the client sends too slowly")
        before = self.sock.gettimeout()
        self.sock.settimeout(remaining if before is None else min(remaining, before))
        try:
            data: bytes = super().chunk(size_hint)
        finally:
            self.sock.settimeout(before)
        self.deadline += len(data) / BODY_BYTES_PER_SECOND
        return data


def receive(sock: socket.socket, unreader: BoundedUnreader, incoming: IncomingRequest) -> bool:
    """Receive what is available without waiting.

    Returns whether a thread can take over: the request is ready, or the client has stopped sending.
    """
    if buffered := unreader.take_buffered():
        incoming.add(buffered)
    while not incoming.is_ready and (
        incoming.head_length or len(incoming.received) <= MAX_HEAD_BYTES
    ):
        try:
            data = sock.recv(_READ_BYTES)
        except BlockingIOError:
            return False
        if not data:
            return True
        incoming.add(data)
    return True


def needs_more(request: Any, received_length: int) -> bool:
    """Return whether a request that gunicorn has parsed still waits for a part of its body."""
    length = getattr(request.body.reader, "length", None)
    return length is None or length > received_length
