"""Faults of files and directories: cause, path, message and remedy.

A fault has the remedy `spectator init` only if `init` fixes it.
"""

from __future__ import annotations

import errno
import os
import pwd
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

INIT = "Run: spectator init"
PROBE_BYTES = 256 * 1024  # what a save may need at once


class Cause(StrEnum):
    """The kind of a fault."""

    MISSING = "missing"
    EMPTY = "empty"
    OLDER = "older"
    NEWER = "newer"
    DAMAGED = "damaged"
    NOT_A_DATABASE = "not a database"
    FOREIGN = "not ours"
    WRONG_KIND = "not a file or not a directory"
    NO_ACCESS = "no access"
    READ_ONLY = "read-only disk"
    FULL = "full disk"
    BUSY = "busy"
    DISK_ERROR = "disk error"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class Fault:
    """A problem: `message` says what is wrong, `remedy` what to do."""

    cause: Cause
    path: Path | None  # None: a server
    message: str
    remedy: str
    stops_reading: bool = True  # False: the site can still be served

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}"

    @property
    def stops_saving(self) -> bool:
        """Return whether nothing can be saved."""
        return self.stops_reading or self.cause not in (Cause.CLOCK, Cause.NEWER)

    @property
    def is_fixed_by_init(self) -> bool:
        """Return whether `spectator init` fixes it."""
        return self.remedy == INIT


def examine_space(directory: Path) -> Iterator[Fault]:
    """Yield a fault if a test write fails; only writing detects a quota. Nothing is left behind."""
    try:
        handle = os.open(directory, os.O_TMPFILE | os.O_WRONLY, 0o600)
    except OSError:  # Some file systems have no O_TMPFILE.
        if shutil.disk_usage(directory).free < PROBE_BYTES:
            yield full_disk_fault(directory)
        return
    try:
        while os.lseek(handle, 0, os.SEEK_CUR) < PROBE_BYTES:
            os.write(handle, bytes(65536))
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            yield full_disk_fault(directory)
    finally:
        os.close(handle)


def full_disk_fault(path: Path, stops_reading: bool = False) -> Fault:
    """Return the fault of a full disk; it stops reading only if SQLite cannot open its files."""
    message = f"The disk of {path} is full; nothing can be saved."
    return Fault(
        Cause.FULL,
        path,
        message,
        "Free some space; the site then recovers by itself.",
        stops_reading,
    )


def examine_directory(path: Path, name: str) -> Iterator[Fault]:
    """Yield the faults of a directory; if it is missing, check that it can be created."""
    parent = path
    while not os.path.lexists(parent) and _can_traverse(parent.parent):
        parent = parent.parent
    if not os.path.exists(parent):
        if os.path.lexists(parent):
            yield Fault(
                Cause.WRONG_KIND,
                parent,
                f"{parent} is a broken link.",
                "Remove or correct it.",
            )
        else:
            yield no_access_fault(parent.parent, name)
    elif not parent.is_dir():
        message = f"{parent} is a file, but should be the {name}."
        yield Fault(
            Cause.WRONG_KIND,
            parent,
            message,
            "Move it away, or set SPECTATOR_DATA_DIR or SPECTATOR_MEDIA.",
        )
    elif faults := list(check_access(parent, name)):
        yield from faults
    elif parent != path:
        yield Fault(Cause.MISSING, path, f"The {name} {path} is missing.", INIT)


def _can_traverse(directory: Path) -> bool:
    """Return whether files in a directory can be looked up; if not, they only seem missing."""
    try:
        os.stat(directory / ".")
    except PermissionError:
        return False
    except OSError:
        return True
    return True


def check_access(path: Path, name: str) -> Iterator[Fault]:
    """Yield a fault if an existing file or directory cannot be read and written.

    There is none if another process has just deleted it.
    """
    needed = os.R_OK | os.W_OK | (os.X_OK if path.is_dir() else 0)
    if os.access(path, needed, effective_ids=True):
        return
    try:
        fault = _access_fault(path, name)
    except FileNotFoundError:
        return
    yield fault


def _access_fault(path: Path, name: str) -> Fault:
    if os.access(path.parent, os.X_OK) and os.statvfs(path).f_flag & os.ST_RDONLY:
        message = f"The {name} {path} is on a disk that is mounted read-only."
        remedy = "Check the system log (dmesg) for the cause, then mount it for writing."
        return Fault(Cause.READ_ONLY, path, message, remedy)
    return no_access_fault(path, name)


def no_access_fault(path: Path, name: str) -> Fault:
    """Return the fault of a file that belongs to another user or denies its owner access."""
    current_user = user_name(os.geteuid())
    owner = user_name(path.stat().st_uid)
    subject = (
        f"The {name} {path}"
        if path.is_dir() or name != "database"
        else f"The file {path} of the database"
    )
    if owner == current_user:
        bits = "rwx" if path.is_dir() else "rw"
        return Fault(
            Cause.NO_ACCESS,
            path,
            f"{subject} is not accessible to its owner, {current_user}.",
            f"Run: chmod u+{bits} {path}",
        )
    message = f"{subject} belongs to {owner}, but this command runs as {current_user}."
    remedy = f"Run it as {owner}, or as root: chown -R {current_user} {path}"
    return Fault(Cause.NO_ACCESS, path, message, remedy)


def user_name(uid: int) -> str:
    """Return the name of a user of this machine, or the user id if it has no name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
