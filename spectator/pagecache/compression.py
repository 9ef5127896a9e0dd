"""Negotiation of encodings, and compression: gzip at once, brotli later in a thread."""

from __future__ import annotations

import os
import sys
import zlib
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from threading import Lock, Thread, get_native_id
from time import sleep

import brotli
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

MAX_HEADER_LENGTH = 200  # of Accept-Encoding; werkzeug needs 5 ms for one of 10 kB
GZIP_LEVEL = 6
MIN_COMPRESSIBLE_BYTES = 500
MAX_QUEUED_JOBS = 100
IDLE_SECONDS = 0.05
NICENESS = 10

Job = tuple[bytes, Callable[[bytes], None]]


@lru_cache(maxsize=500)  # browsers send a handful of values
def accepted_encodings(header: str) -> tuple[str, ...]:
    """Return which of br and gzip a header accepts, smaller first (RFC 9110, section 12.5.3)."""
    encodings = parse_accept_header(header[:MAX_HEADER_LENGTH], Accept)
    return tuple(name for name in ("br", "gzip") if encodings.quality(name) > 0)


def accepts_gzip(header: str) -> bool:
    """Return whether an Accept-Encoding header accepts gzip."""
    return "gzip" in accepted_encodings(header)


def is_compressible(mimetype: str, body: bytes) -> bool:
    """Return whether a body is text, and long enough to be worth compressing."""
    is_text = mimetype.startswith("text/") or mimetype.endswith(
        ("+xml", "/xml", "+json", "/json")
    )
    return is_text and len(body) > MIN_COMPRESSIBLE_BYTES


def gzip_bytes(body: bytes) -> bytes:
    """Return a body in gzip (RFC 1952); the same body always gives the same bytes."""
    compressor = zlib.compressobj(GZIP_LEVEL, wbits=31)
    return compressor.compress(body) + compressor.flush()


class BrotliWorker:
    """A low-priority thread that compresses bodies with brotli at its highest level, newest first.

    It starts with the first job, so that it runs in the serving process and not in its parent.
    """

    def __init__(self) -> None:
        # A full queue drops its oldest jobs.
        self.jobs: deque[Job] = deque(maxlen=MAX_QUEUED_JOBS)
        self.lock = Lock()
        self.owner_pid = 0

    def submit(self, body: bytes, callback: Callable[[bytes], None]) -> None:
        """Queue a body. The thread passes the compressed body to `callback`."""
        self.jobs.append((body, callback))
        if self.owner_pid != os.getpid():
            with self.lock:
                if self.owner_pid != os.getpid():
                    self.owner_pid = os.getpid()
                    Thread(target=self.run, name="brotli", daemon=True).start()

    def run(self) -> None:
        """Compress the queued bodies, forever."""
        if sys.platform == "linux":
            os.setpriority(os.PRIO_PROCESS, get_native_id(), NICENESS)
        while True:
            try:
                body, callback = self.jobs.pop()
            except IndexError:
                sleep(IDLE_SECONDS)
                continue
            callback(brotli.compress(body, mode=brotli.MODE_TEXT, quality=11))
