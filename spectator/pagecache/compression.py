"""Which encodings a browser takes, and bodies in them: gzip at once, the best brotli a moment later, by a thread."""

from __future__ import annotations

import os
import sys
import zlib
from collections import deque
from collections.abc import Callable
from threading import Lock, Thread, get_native_id
from time import sleep

import brotli

GZIP_LEVEL = 6
MIN_COMPRESSIBLE_BYTES = 500
MAX_QUEUED_JOBS = 100
IDLE_SECONDS = 0.05
NICENESS = 10

Job = tuple[bytes, Callable[[bytes], None]]


def accepted_encodings(header: str) -> tuple[str, ...]:
    """Return which of br and gzip an Accept-Encoding allows, the smaller first (RFC 9110, section 12.5.3)."""
    weights: dict[str, float] = {}
    for part in header.lower().split(",")[:20]:
        name, *parameters = (each.strip() for each in part.split(";"))
        weight = next((each[2:] for each in parameters if each.startswith("q=")), "1")
        try:
            weights[name] = float(weight)
        except ValueError:
            weights[name] = 0.0
    others = weights.get("*", 0.0)
    return tuple(name for name in ("br", "gzip") if weights.get(name, others) > 0)


def accepts_gzip(header: str) -> bool:
    """Say whether an Accept-Encoding allows gzip."""
    return "gzip" in accepted_encodings(header)


def is_compressible(mimetype: str, body: bytes) -> bool:
    """Say whether a body is text, and long enough for compression to pay."""
    is_text = mimetype.startswith("text/") or mimetype.endswith(("+xml", "/xml", "+json", "/json"))
    return is_text and len(body) > MIN_COMPRESSIBLE_BYTES


def gzip_bytes(body: bytes) -> bytes:
    """Return a body in gzip, always the same for the same body (RFC 1952)."""
    packer = zlib.compressobj(GZIP_LEVEL, wbits=31)
    return packer.compress(body) + packer.flush()


class BrotliWorker:
    """A thread of low priority that packs bodies with brotli's best, the last one asked for first.

    It starts with the first job, so that it runs in the process that serves, not in one that was forked from.
    """

    def __init__(self) -> None:
        self.jobs: deque[Job] = deque(
            maxlen=MAX_QUEUED_JOBS
        )  # what nobody asked for lately falls out
        self.lock = Lock()
        self.owner_pid = 0

    def submit(self, body: bytes, callback: Callable[[bytes], None]) -> None:
        """Have a body packed soon; `done` is told the result by the thread."""
        self.jobs.append((body, callback))
        if self.owner_pid != os.getpid():
            with self.lock:
                if self.owner_pid != os.getpid():
                    self.owner_pid = os.getpid()
                    Thread(target=self.run, name="brotli", daemon=True).start()

    def run(self) -> None:
        """Pack one body after the other, for good."""
        if sys.platform == "linux":
            os.setpriority(os.PRIO_PROCESS, get_native_id(), NICENESS)
        while True:
            try:
                body, done = self.jobs.pop()
            except IndexError:
                sleep(IDLE_SECONDS)
                continue
            done(brotli.compress(body, mode=brotli.MODE_TEXT, quality=11))
