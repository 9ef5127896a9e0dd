"""What can be wrong with a file or a directory: a fault is its cause, the file, and what mends it.

A fault whose remedy is `spectator init` is one that `init` mends; every other remedy is a step that does not lead back
to a command.
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
    """The kinds of faults."""

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


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: `message` says what, `remedy` what to do about it."""

    cause: Cause
    path: Path
    message: str
    remedy: str
    stops_reading: bool = True  # the site cannot even be served

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}"

    @property
    def is_fixed_by_init(self) -> bool:
        """Say whether `spectator init` mends it; only then does the remedy name that command."""
        return self.remedy == INIT


def examine_space(directory: Path) -> Iterator[Fault]:
    """Find out by writing whether there is room; a quota shows in no other way. Nothing stays of it."""
    try:
        handle = os.open(directory, os.O_TMPFILE | os.O_WRONLY, 0o600)
    except OSError:  # some file systems know no files without a name
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
    """Return the fault of a disk without room; only where SQLite cannot open the database does it stop reading."""
    message = f"The disk of {path} is full; nothing can be saved."
    return Fault(
        Cause.FULL, path, message, "Make room; the site then goes on by itself.", stops_reading
    )


def examine_directory(path: Path, name: str) -> Iterator[Fault]:
    """Find what is wrong with a directory; one that is missing has to be one that can be made."""
    parent = path
    while not os.path.lexists(parent) and _can_traverse(parent.parent):
        parent = parent.parent
    if not os.path.exists(parent):
        if os.path.lexists(parent):
            yield Fault(
                Cause.WRONG_KIND,
                parent,
                f"{parent} is a link to nothing.",
                "Remove it, or mend the link.",
            )
        else:
            yield no_access_fault(parent.parent, name)
    elif not parent.is_dir():
        message = f"{parent} is a file, where the {name} should be."
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
    """Say whether what is missing below a directory is missing, and not merely hidden from us."""
    try:
        os.stat(directory / ".")
    except PermissionError:
        return False
    except OSError:
        return True
    return True


def check_access(path: Path, name: str) -> Iterator[Fault]:
    """Find out whether a file or directory that exists can be read and written, and why not."""
    needed = os.R_OK | os.W_OK | (os.X_OK if path.is_dir() else 0)
    if os.access(path, needed, effective_ids=True):
        return
    if (
        os.access(path.parent, os.X_OK, effective_ids=True)
        and os.statvfs(path).f_flag & os.ST_RDONLY
    ):
        message = f"The {name} {path} lies on a disk that is mounted read-only."
        remedy = "Look at the system's log (dmesg) for why, then mount it for writing."
        yield Fault(Cause.READ_ONLY, path, message, remedy)
    else:
        yield no_access_fault(path, name)


def no_access_fault(path: Path, name: str) -> Fault:
    """Return the fault of a file that another user owns, or that its own mode shuts."""
    me = user_name(os.geteuid())
    owner = user_name(path.stat().st_uid)
    subject = (
        f"The {name} {path}"
        if path.is_dir() or name != "database"
        else f"The file {path} of the database"
    )
    if owner == me:
        bits = "rwx" if path.is_dir() else "rw"
        return Fault(
            Cause.NO_ACCESS,
            path,
            f"{subject} is closed to its owner, {me}.",
            f"Run: chmod u+{bits} {path}",
        )
    message = f"{subject} belongs to {owner}, and this command runs as {me}."
    return Fault(
        Cause.NO_ACCESS, path, message, f"Run it as {owner}, or as root: chown -R {me} {path}"
    )


def user_name(uid: int) -> str:
    """Return the name of a user of this machine, or the number where there is none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
