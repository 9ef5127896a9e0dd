"""Backups: one checksummed file with the database, the uploaded pictures and, on request, the key.

The file is a tar archive: the database first, then `originals/`, `secret_key` if asked for, and
last `manifest.json` with the size and SHA-256 of every member, and the manifest's own digest. A
backup is written under another name and renamed when it is complete and on the disk.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import IO, Any, cast

from spectator import config
from spectator.db import database_file
from spectator.operations import database_dump, diagnosis, file_modes
from spectator.operations.durable_files import open_private, sync_directory

FORMAT = 1
DATABASE_NAMES = {"sqlite": "database.sqlite", "postgresql": "database.pgdump"}
_FILE_NAME = re.compile(r"database\.(sqlite|pgdump)|secret_key|originals/\w+\.\w+", re.ASCII)
MANIFEST, MANIFEST_DIGEST = "manifest.json", "manifest.sha256"
UNFINISHED_SUFFIX = ".unfinished"
MAX_MANIFEST_BYTES = 256_000_000
Progress = Callable[[str], object]  # called with the name of each file


class BackupError(Exception):
    """A backup cannot be made, or a file is no complete backup; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds; `files` has the size in bytes and the SHA-256 of each member."""

    made_at: datetime
    version: str
    schema: str
    database: str  # "sqlite" or "postgresql"
    stories: int
    files: dict[str, tuple[int, str]]

    def serialize(self) -> bytes:
        """Return the manifest as JSON."""
        values = {name: getattr(self, name) for name in self.__slots__}
        values |= {"format": FORMAT, "made_at": self.made_at.isoformat()}
        return json.dumps(values, indent=1).encode()

    @classmethod
    def parse(cls, content: bytes) -> Manifest:
        """Return the manifest in a JSON text. Raises BackupError."""
        try:
            values = json.loads(content)
            if values.pop("format") != FORMAT:
                raise BackupError("A newer version of the site made this backup. Update the code.")
            values["made_at"] = datetime.fromisoformat(values["made_at"])
            values["files"] = {name: (int(n), str(d)) for name, (n, d) in values["files"].items()}
            manifest = cls(**values)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BackupError("The backup is damaged: its manifest cannot be read.") from error
        for name in manifest.files:
            if not _FILE_NAME.fullmatch(name):
                raise BackupError(f"The backup holds an unknown file: {name[:80]!r}.")
        return manifest


def make(
    settings: Mapping[str, Any], path: Path, with_key: bool = False, show: Progress = str
) -> Manifest:
    """Write a backup of the site, which may run meanwhile, to a new file with mode 0600."""
    if path.exists():
        raise BackupError(f"{path} exists. Name a new file.")
    unfinished = path.with_name(path.name + UNFINISHED_SUFFIX)
    try:
        with open(unfinished, "wb", opener=open_private) as file:
            manifest = _write_archive(settings, file, unfinished.parent, with_key, show)
            file.flush()
            os.fsync(file.fileno())
        os.rename(unfinished, path)
        sync_directory(path.parent)
    finally:
        unfinished.unlink(missing_ok=True)
    return manifest


def _write_archive(
    settings: Mapping[str, Any], file: IO[bytes], directory: Path, with_key: bool, show: Progress
) -> Manifest:
    url = settings["DATABASE_URL"]
    kind = "sqlite" if database_file(url) else "postgresql"
    files: dict[str, tuple[int, str]] = {}
    with tarfile.open(
        fileobj=file, mode="w", format=tarfile.PAX_FORMAT, encoding="utf-8"
    ) as archive:

        def add(name: str, source: Path) -> None:
            show(name)
            files[name] = _add_file(archive, name, source)

        # The database first: pictures are never changed, so those of its stories follow it.
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=directory) as temporary:
            dump = Path(temporary) / DATABASE_NAMES[kind]
            stories = database_dump.dump(url, dump)
            schema = diagnosis.read_schema(url).version
            add(dump.name, dump)
        for picture in sorted((settings["MEDIA"] / "originals").glob("*")):
            if _FILE_NAME.fullmatch(name := f"originals/{picture.name}"):
                with suppress(FileNotFoundError):
                    add(name, picture)
        if with_key:
            add(config.SECRET_FILE, settings["DATA_DIR"] / config.SECRET_FILE)
        manifest = Manifest(datetime.now(UTC), config.version(), str(schema), kind, stories, files)
        content = manifest.serialize()
        _add_bytes(archive, MANIFEST, content)
        _add_bytes(archive, MANIFEST_DIGEST, hashlib.sha256(content).hexdigest().encode())
    return manifest


def _add_file(archive: tarfile.TarFile, name: str, source: Path) -> tuple[int, str]:
    """Add a file and return its size and digest; only its name and content are stored."""
    with source.open("rb") as file:
        information = tarfile.TarInfo(name)
        information.size = os.fstat(file.fileno()).st_size
        information.mode = file_modes.PRIVATE_FILE
        reader = _DigestReader(file)
        archive.addfile(information, reader)
    return information.size, reader.digest.hexdigest()


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    information = tarfile.TarInfo(name)
    information.size, information.mode = len(content), file_modes.PRIVATE_FILE
    archive.addfile(information, BytesIO(content))


class _DigestReader:
    """A file that computes the SHA-256 of what is read from it."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        block = self.file.read(size)
        self.digest.update(block)
        return block


def check(path: Path, show: Progress = str) -> Manifest:
    """Read a whole backup and return its manifest. Raises BackupError if anything is wrong."""
    with open_archive(path) as archive:
        manifest = _read_manifest(archive)
        expected = {*manifest.files, MANIFEST, MANIFEST_DIGEST}
        if sorted(archive.getnames()) != sorted(expected):
            raise BackupError(f"{path} is damaged: it does not hold the files that it lists.")
        for name, (size, digest) in manifest.files.items():
            show(name)
            with open_member(archive, name) as file:
                actual = digest_of(file)
            if (archive.getmember(name).size, actual) != (size, digest):
                raise BackupError(f"{path} is damaged: {name} has changed.")
    return manifest


def _read_manifest(archive: tarfile.TarFile) -> Manifest:
    contents = []
    for name in (MANIFEST, MANIFEST_DIGEST):
        with open_member(archive, name) as file:
            contents.append(file.read(MAX_MANIFEST_BYTES))
    if hashlib.sha256(contents[0]).hexdigest().encode() != contents[1]:
        raise BackupError("The backup is damaged: its manifest has changed.")
    return Manifest.parse(contents[0])


def digest_of(file: IO[bytes]) -> str:
    """Return the SHA-256 of the rest of a file."""
    return hashlib.file_digest(cast(BufferedReader, file), "sha256").hexdigest()


@contextmanager
def open_archive(path: Path) -> Iterator[tarfile.TarFile]:
    """Open a backup. Raises BackupError if it is no complete archive."""
    try:
        with tarfile.open(path, "r:", encoding="utf-8") as archive:
            yield archive
    except (tarfile.TarError, EOFError, KeyError) as error:
        raise BackupError(f"{path} is no complete backup ({error}).") from error


@contextmanager
def open_member(archive: tarfile.TarFile, name: str) -> Iterator[IO[bytes]]:
    """Open a file in a backup. Raises BackupError if it is no regular file."""
    file = archive.extractfile(archive.getmember(name))
    if file is None:
        raise BackupError(f"The backup is damaged: {name} is not a file.")
    with file:
        yield file
