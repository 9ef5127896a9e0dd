"""The runner of the decoder program: one picture at a time per process.

A picture blocks the thread that requested it. Only one more may wait, so that the other threads of
a web process stay free for readers.
"""

from __future__ import annotations

import json
import logging
import math
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from spectator.formats import format_number
from spectator.i18n import gettext
from spectator.media.decoder import (
    DAMAGED,
    NO_MEMORY,
    PictureError,
    PictureResourceError,
    gettext_noop,
)

log = logging.getLogger(__name__)
PROGRAM = Path(__file__).with_name("decoder.py")
WALL_SECONDS = 45.0
# An upload waits for another picture that long, and takes that long in all. nginx waits for 60
# seconds, and with several hosts it would take one that answers later for broken.
WAIT_SECONDS, UPLOAD_SECONDS = 30.0, 50.0
TOO_SLOW = gettext_noop(
    "The picture takes too long to open; try again later, or upload a smaller one."
)
BUSY = gettext_noop(
    "The server is busy with other pictures. Wait a moment, then upload it again."
)
FAILED = gettext_noop("The picture could not be opened on this server; the reason is in its log.")
# Signals that end a decoder that crashed on hostile bytes.
_CRASHES = frozenset(
    {signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE}
)
# One at a time per process: this limits memory.
_decoder_lock = threading.Lock()
_slots = threading.BoundedSemaphore(2)  # one picture being decoded, one waiting


def decode(
    job: str,
    source: Path,
    directory: Path,
    *files: str,
    wait_seconds: float = WAIT_SECONDS,
    deadline: float = math.inf,
) -> dict[str, Any]:
    """Run a job of `decoder.py` and return its result; wait that long for another picture.

    `deadline` is the time of `time.monotonic()` at which it is too late.

    Raises PictureError, PictureResourceError if memory or time ran out, and OSError if the files
    cannot be used.
    """
    if not _slots.acquire(blocking=False):
        raise PictureResourceError(gettext(BUSY))
    try:
        if not _decoder_lock.acquire(timeout=wait_seconds):
            raise PictureResourceError(gettext(BUSY))
        try:
            seconds = max(0.0, min(WALL_SECONDS, deadline - time.monotonic()))
            return _read_result(_run(job, source, directory, files, seconds))
        finally:
            _decoder_lock.release()
    finally:
        _slots.release()


def _run(
    job: str, source: Path, directory: Path, files: tuple[str, ...], seconds: float
) -> subprocess.CompletedProcess[bytes]:
    command = [
        sys.executable,
        "-I",
        str(PROGRAM),
        job,
        str(source),
        str(directory),
        *files,
    ]
    try:
        return subprocess.run(  # noqa: S603 - our own program and paths
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            env={},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PictureResourceError(gettext(TOO_SLOW)) from error


def _read_result(process: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    """Return the result that the program printed; raise the error it reported or ended with."""
    if process.returncode != 0:
        raise _explain_exit(-process.returncode, process.stderr.decode(errors="replace").strip())
    result: dict[str, Any] = json.loads(process.stdout)
    if "unopened" in result:
        raise PictureResourceError(_translate(result["unopened"], result))
    if "refused" in result:
        raise PictureError(_translate(result["refused"], result))
    if "errno" in result:
        raise OSError(result["errno"], result["strerror"])
    return result


def _translate(message: str, result: dict[str, Any]) -> str:
    """Return what the program says, in the language of the page, with its numbers written out."""
    values = {name: format_number(value) for name, value in result.get("values", {}).items()}
    return gettext(message, **values)


def _explain_exit(number: int, stderr: str) -> PictureError:
    """Return the error for an exit by a signal or with a traceback."""
    if number == signal.SIGXCPU:
        return PictureResourceError(gettext(TOO_SLOW))
    if number in _CRASHES:
        return PictureError(gettext(DAMAGED))
    if number == signal.SIGKILL or "emory" in stderr:
        return PictureResourceError(gettext(NO_MEMORY))
    log.error("the picture decoder failed: %s", stderr.rpartition("\n")[2] or -number)
    return PictureResourceError(gettext(FAILED))
