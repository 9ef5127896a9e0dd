"""Run the program that decodes pictures, one at a time in a process, and take its word for what came of it.

A picture holds the thread that asked for it. One more may wait, which leaves the others of a web process to readers.
"""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from spectator.media.decoder import DAMAGED, NO_MEMORY, PictureError, PictureResourceError

log = logging.getLogger(__name__)
PROGRAM = Path(__file__).with_name("decoder.py")
WALL_SECONDS, WAIT_SECONDS = 45.0, 10.0
# A smaller file does not wait: it may have come in a body that needed no turn (`slow_clients.SMALL_BODY_BYTES`), so
# that nothing else would bound how many threads hold one.
MIN_WAITING_BYTES = 32_768
TOO_SLOW = "The picture takes too long to open; try again later, or upload a smaller one."
BUSY = "The server is busy with other pictures. Wait a moment, then upload it again."
FAILED = "The picture could not be opened on this server; the reason is in its log."
# What a decoder that hostile bytes have led astray is ended by.
_CRASHES = frozenset({signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE})
# One at a time in a process: that bounds the memory of the machine.
_decoder_lock = threading.Lock()
_places = threading.BoundedSemaphore(2)  # the picture that is decoded, and one that waits


def decode(job: str, source: Path, directory: Path, *widths: int) -> dict[str, Any]:
    """Let `decoder.py` do a job and return what it says.

    Raises PictureRefused; PictureUnopened where memory or time ran out; OSError where the files cannot be used.
    """
    if not _places.acquire(blocking=False):
        raise PictureResourceError(BUSY)
    try:
        if not _decoder_lock.acquire(
            timeout=WAIT_SECONDS if source.stat().st_size > MIN_WAITING_BYTES else 0
        ):
            raise PictureResourceError(BUSY)
        try:
            return _read_result(_run(job, source, directory, widths))
        finally:
            _decoder_lock.release()
    finally:
        _places.release()


def _run(
    job: str, source: Path, directory: Path, widths: tuple[int, ...]
) -> subprocess.CompletedProcess[bytes]:
    command = [
        sys.executable,
        "-I",
        str(PROGRAM),
        job,
        str(source),
        str(directory),
        *map(str, widths),
    ]
    try:
        return subprocess.run(  # noqa: S603 - our own program, and paths that we made
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=WALL_SECONDS,
            env={},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PictureResourceError(TOO_SLOW) from error


def _read_result(done: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    """Return what the program says came of its job; raise what it says, or its end means, that went wrong."""
    if done.returncode != 0:
        raise _explain_exit(-done.returncode, done.stderr.decode(errors="replace").strip())
    told: dict[str, Any] = json.loads(done.stdout)
    if "unopened" in told:
        raise PictureResourceError(told["unopened"])
    if "refused" in told:
        raise PictureError(told["refused"])
    if "errno" in told:
        raise OSError(told["errno"], told["strerror"])
    return told


def _explain_exit(number: int, stderr: str) -> PictureError:
    """Return what the program's end by a signal, or with a traceback, says of the picture."""
    if number == signal.SIGXCPU:
        return PictureResourceError(TOO_SLOW)
    if number in _CRASHES:
        return PictureError(DAMAGED)
    if number == signal.SIGKILL or "emory" in stderr:
        return PictureResourceError(NO_MEMORY)
    log.error(
        "the program that decodes pictures has ended: %s", stderr.rpartition("\n")[2] or -number
    )
    return PictureResourceError(FAILED)
