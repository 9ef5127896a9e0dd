"""Where pictures are stored: a directory, or a bucket of an object store.

Names are `originals/<digest>.<extension>` and `renditions/<ab>/<digest>-<width>.<extension>`. A
file is never changed: the same name always has the same content.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from spectator.media.names import CONTENT_TYPES, STORED_NAME
from spectator.object_storage import COPYING, READING, WRITING, OutageGuard, open_store

Location = Path | str  # a directory, or s3://bucket/prefix
MAX_FILE_BYTES = 128 * 1024 * 1024  # of a stored picture; decoded PNGs are larger than uploads
IMMUTABLE = "public, max-age=31536000, immutable"


class DirectoryStore:
    """Pictures in a directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """Yield a temporary directory on the same file system."""
        _make_directory(self.directory, 0o711)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=self.directory) as name:
            yield Path(name)

    def save(self, name: str, finished: Path) -> None:
        """Move a finished file to its final path atomically and durably.

        Renditions are readable by the web server (0644 in 0755), originals only by their owner
        (0600 in 0700), whatever the umask.
        """
        path = self.directory / name
        if path.exists():
            return
        is_private = path.parent.name == "originals"
        _make_directory(path.parent, 0o700 if is_private else 0o755)
        with finished.open("rb") as file:
            os.fchmod(file.fileno(), 0o600 if is_private else 0o644)
            os.fsync(file.fileno())
        os.replace(finished, path)
        parent = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(parent)
        finally:
            os.close(parent)

    def open_original(self, name: str, work: Path) -> Path:
        """Return the path of an original."""
        return self.directory / name

    def names(self, directory: str) -> set[str]:
        """Return the names of the stored files in a directory of the store."""
        try:
            files = os.listdir(self.directory / directory)
        except FileNotFoundError:
            return set()
        return {f"{directory}/{file}" for file in files if not file.startswith(".")}

    def files(self) -> dict[str, int]:
        """Return the size in bytes of each stored file by name."""
        return {
            name: path.stat().st_size
            for path in self.directory.rglob("*")
            if STORED_NAME.fullmatch(name := path.relative_to(self.directory).as_posix())
        }

    def content(self, name: str) -> bytes:
        """Return the content of a file. Raises OSError."""
        return (self.directory / name).read_bytes()

    def delete(self, name: str) -> None:
        """Delete a file, if there is one."""
        (self.directory / name).unlink(missing_ok=True)


class BucketStore:
    """Pictures in a bucket. Readers wait for it only briefly, editors and the worker longer."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.outage = OutageGuard()

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """Yield a temporary directory."""
        with tempfile.TemporaryDirectory(prefix="spectator-picture-") as name:
            yield Path(name)

    def save(self, name: str, finished: Path) -> None:
        """Upload a finished file."""
        store = open_store(self.url, WRITING)
        store.write(
            name,
            finished.read_bytes(),
            Content_Type=CONTENT_TYPES[finished.suffix],
            Cache_Control=IMMUTABLE,
        )

    def open_original(self, name: str, work: Path) -> Path:
        """Download an original into `work`."""
        path = work / Path(name).name
        path.write_bytes(open_store(self.url, WRITING).read(name, MAX_FILE_BYTES))
        return path

    def read(self, name: str) -> bytes:
        """Return a file for a reader. Raises FileNotFoundError, and StoreError soon."""
        with self.outage.request():
            return open_store(self.url, READING).read(name, MAX_FILE_BYTES)

    def names(self, directory: str) -> set[str]:
        """Return the names of the stored files in a directory of the store."""
        return set(self.sizes(directory))

    def sizes(self, directory: str) -> dict[str, int]:
        """Return the size in bytes of each stored file in a directory of the store by name."""
        listing = open_store(self.url, WRITING).listing(directory)
        return {entry.name: entry.byte_size for entry in listing}

    def files(self) -> dict[str, int]:
        """Return the size in bytes of each stored file by name."""
        listing = open_store(self.url, COPYING).listing()
        return {
            entry.name: entry.byte_size for entry in listing if STORED_NAME.fullmatch(entry.name)
        }

    def content(self, name: str) -> bytes:
        """Return the content of a file for a copy. Raises FileNotFoundError and StoreError."""
        return open_store(self.url, COPYING).read(name, MAX_FILE_BYTES)

    def delete(self, name: str) -> None:
        """Delete a file, if there is one."""
        open_store(self.url, WRITING).delete(name)


def open_picture_store(location: Location) -> DirectoryStore | BucketStore:
    """Return the store at a location."""
    return DirectoryStore(location) if isinstance(location, Path) else open_bucket(location)


@lru_cache(maxsize=4)
def open_bucket(url: str) -> BucketStore:
    """Return the bucket of a URL; one object for a process, because it remembers an outage."""
    return BucketStore(url)


def _make_directory(path: Path, mode: int) -> None:
    """Make a directory with an exact mode, and its parents, which other users can traverse."""
    if path.is_dir():
        return
    _make_directory(path.parent, 0o755 if path.parent.name == "renditions" else 0o711)
    path.mkdir(exist_ok=True)
    path.chmod(mode)
