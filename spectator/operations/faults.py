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

from spectator.i18n import gettext, lazy_gettext

INIT = lazy_gettext("Run: spectator init")
PROBE_BYTES = 256 * 1024  # what a save may need at once


# What a file or directory is for.
# Translators: part of sentences such as “The data directory /srv is missing.”
KINDS = {
    "data directory": lazy_gettext("data directory"),
    "directory of pictures": lazy_gettext("directory of pictures"),
    "directory of the database": lazy_gettext("directory of the database"),
    "database": lazy_gettext("database"),
    "secret key": lazy_gettext("secret key"),
    "lock of the worker": lazy_gettext("lock of the worker"),
    "search index": lazy_gettext("search index"),
    "newsroom's search index": lazy_gettext("newsroom's search index"),
    "file": lazy_gettext("file"),
    "directory": lazy_gettext("directory"),
}


# Who may not use a file: its owner, or another user.
NO_ACCESS_MESSAGES = (
    lazy_gettext("The %(kind)s %(path)s is not accessible to its owner, %(user)s."),
    lazy_gettext(
        "The %(kind)s %(path)s belongs to %(owner)s, but this command runs as %(user)s."
    ),
)
DATABASE_FILE_MESSAGES = (
    lazy_gettext("The file %(path)s of the database is not accessible to its owner, %(user)s."),
    lazy_gettext(
        "The file %(path)s of the database belongs to %(owner)s, "
        "but this command runs as %(user)s."
    ),
)


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
    COLLISION = "collision of addresses"


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
    message = gettext("The disk of %(path)s is full; nothing can be saved.", path=path)
    return Fault(
        Cause.FULL,
        path,
        message,
        gettext("Free some space; the site then recovers by itself."),
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
                gettext("%(path)s is a broken link.", path=parent),
                gettext("Remove or correct it."),
            )
        else:
            yield no_access_fault(parent.parent, name)
    elif not parent.is_dir():
        message = gettext(
            "%(path)s is a file, but should be the %(kind)s.", path=parent, kind=KINDS[name]
        )
        yield Fault(
            Cause.WRONG_KIND,
            parent,
            message,
            gettext("Move it away, or set SPECTATOR_DATA_DIR or SPECTATOR_MEDIA."),
        )
    elif faults := list(check_access(parent, name)):
        yield from faults
    elif parent != path:
        message = gettext("The %(kind)s %(path)s is missing.", kind=KINDS[name], path=path)
        yield Fault(Cause.MISSING, path, message, INIT)


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
        message = gettext(
            "The %(kind)s %(path)s is on a disk that is mounted read-only.",
            kind=KINDS[name],
            path=path,
        )
        remedy = gettext("Check the system log (dmesg) for the cause, then mount it for writing.")
        return Fault(Cause.READ_ONLY, path, message, remedy)
    return no_access_fault(path, name)


def no_access_fault(path: Path, name: str) -> Fault:
    """Return the fault of a file that belongs to another user or denies its owner access."""
    current_user = user_name(os.geteuid())
    owner = user_name(path.stat().st_uid)
    is_database_file = name == "database" and not path.is_dir()
    denied, foreign = DATABASE_FILE_MESSAGES if is_database_file else NO_ACCESS_MESSAGES
    values = {"kind": KINDS[name], "path": path, "owner": owner, "user": current_user}
    if owner == current_user:
        command = f"chmod u+{'rwx' if path.is_dir() else 'rw'} {path}"
        remedy = gettext("Run: %(command)s", command=command)
        return Fault(Cause.NO_ACCESS, path, str(denied) % values, remedy)
    command = f"chown -R {current_user} {path}"
    remedy = gettext("Run it as %(owner)s, or as root: %(command)s", owner=owner, command=command)
    return Fault(Cause.NO_ACCESS, path, str(foreign) % values, remedy)


def user_name(uid: int) -> str:
    """Return the name of a user of this machine, or the user id if it has no name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
