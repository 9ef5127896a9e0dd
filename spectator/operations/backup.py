"""Backups: one checksummed file with the database, the uploaded pictures and, on request, the key.

The file is a tar archive (see `backup_archive`). A backup is written under another name and renamed
when it is complete and on the disk; in a bucket, an object appears when it is complete.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from spectator import media
from spectator.db import database_file
from spectator.i18n import gettext
from spectator.object_storage import COPYING, ObjectStore, open_store
from spectator.operations.backup_archive import (
    ArchiveWriter,
    BackupError,
    Manifest,
    Progress,
    check,
)
from spectator.operations.durable_files import open_private, sync_directory

__all__ = ["BackupError", "Manifest", "check", "local_copy", "make"]
UNFINISHED_SUFFIX = ".unfinished"
# Of temporary directories, and the file in them with the name of the host that made them.
WORKSPACE_PREFIX, OWNER_FILE = ".spectator-backup-", "made-on-host"
MIN_FREE_BYTES = 100_000_000  # what a backup leaves on the disk for the site
Destination = Path | str  # a file, or s3://bucket/prefix/name


def make(
    settings: Mapping[str, Any], target: Destination, with_key: bool = False, show: Progress = str
) -> Manifest:
    """Write a backup of the site, which may run meanwhile, to a new file or object.

    A file has mode 0600. Pictures in a bucket are listed, not copied.

    Raises BackupError, DumpError, StoreError and OSError.
    """
    if isinstance(target, str):
        return _make_object(settings, target, with_key, show)
    if target.exists():
        raise BackupError(gettext("%(target)s exists. Name a new file.", target=target))
    database = _database_bytes(settings["DATABASE_URL"])
    # The temporary copy of the database is deleted before the pictures follow.
    _require_space(target.parent, database + max(database, _picture_bytes(settings["MEDIA"])))
    unfinished = target.with_name(target.name + UNFINISHED_SUFFIX)
    try:
        with (
            workspace(target.parent) as work,
            open(unfinished, "wb", opener=open_private) as file,
        ):
            archive = ArchiveWriter(settings, work, with_key, show)
            for block in archive.blocks():
                _require_space(
                    target.parent
                )  # PostgreSQL's dump and new pictures were not counted
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        os.rename(unfinished, target)
        sync_directory(target.parent)
    finally:
        unfinished.unlink(missing_ok=True)
    return archive.manifest


def _make_object(
    settings: Mapping[str, Any], url: str, with_key: bool, show: Progress
) -> Manifest:
    """Write a backup to an object, which appears when it is complete."""
    store, name = open_object(url)
    if store.byte_size(name) is not None:
        raise BackupError(gettext("%(url)s exists. Name a new file.", url=url))
    _require_space(settings["DATA_DIR"], _database_bytes(settings["DATABASE_URL"]))
    with workspace(settings["DATA_DIR"]) as work:
        archive = ArchiveWriter(settings, work, with_key, show)
        store.write_blocks(name, archive.blocks())
    if store.byte_size(name) != archive.size:
        store.delete(name)
        raise BackupError(
            gettext("%(url)s is not complete, so it was deleted. Try again.", url=url)
        )
    return archive.manifest


def open_object(url: str) -> tuple[ObjectStore, str]:
    """Return the store and the name of an object's URL, which `config` or the command checked."""
    prefix, _, name = url.rpartition("/")
    return open_store(prefix, COPYING), name


@contextmanager
def local_copy(target: Destination, directory: Path) -> Iterator[Path]:
    """Yield the path of a backup; an object is downloaded into `directory` meanwhile.

    Raises BackupError if there is no such object or no space for it, StoreError and OSError.
    """
    if isinstance(target, Path):
        yield target
        return
    store, name = open_object(target)
    size = store.byte_size(name)
    if size is None:
        raise BackupError(gettext("There is no %(target)s.", target=target))
    _require_space(directory, size)
    with workspace(directory) as work:
        path = work / name
        with open(path, "wb", opener=open_private) as file:
            store.download(name, file)
        yield path


@contextmanager
def workspace(directory: Path) -> Iterator[Path]:
    """Yield a temporary directory; those of processes that were killed are deleted before.

    A process holds a lock on its own, which ends with the process. The owner's name is in it, so
    that nothing else is ever deleted, nor what another host uses, whose locks may be invisible.
    """
    for path in directory.glob(f"{WORKSPACE_PREFIX}*"):
        # It may be another user's, or deleted by another process at this moment.
        with (
            suppress(FileNotFoundError, NotADirectoryError, PermissionError),
            _lock(path) as is_unused,
        ):
            if is_unused and (path / OWNER_FILE).read_text("utf-8") == socket.gethostname():
                shutil.rmtree(path)
    with (
        tempfile.TemporaryDirectory(prefix=WORKSPACE_PREFIX, dir=directory) as name,
        _lock(Path(name)),
    ):
        (Path(name) / OWNER_FILE).write_text(socket.gethostname(), "utf-8")
        yield Path(name)


@contextmanager
def _lock(directory: Path) -> Iterator[bool]:
    """Lock a directory; yield whether that was possible."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    is_locked = False
    try:
        with suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_locked = True
        yield is_locked
    finally:
        os.close(handle)


def _require_space(directory: Path, size: int = 0) -> None:
    """Raise BackupError if that many more bytes would leave too little space for the site."""
    free = shutil.disk_usage(directory).free
    if free < size + MIN_FREE_BYTES:
        raise BackupError(
            gettext(
                "%(directory)s needs %(needed)s MB for the backup, but %(free)s MB are free.",
                directory=directory,
                needed=(size + MIN_FREE_BYTES) // 1000000,
                free=free // 1000000,
            )
        )


def _database_bytes(url: str) -> int:
    """Return the size of SQLite's database; PostgreSQL's dump is compressed and not known yet."""
    path = database_file(url)
    return path.stat().st_size if path and path.exists() else 0


def _picture_bytes(location: media.Location) -> int:
    """Return the size of the originals; those in a bucket are not copied."""
    size = 0
    for path in (location / "originals").glob("*") if isinstance(location, Path) else ():
        with suppress(FileNotFoundError):  # deleted meanwhile
            size += path.stat().st_size
    return size
