"""The format of backups: a tar archive that describes and checks itself.

The database comes first, then `originals/`, `secret_key` if asked for, and last `manifest.json`
with the size and SHA-256 of every member, and the manifest's own digest. If the pictures are in a
bucket, the manifest lists their names and sizes; a name starts with the digest of the content.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path
from typing import IO, Any, cast

from spectator import config, media
from spectator.db import database_file
from spectator.i18n import gettext
from spectator.operations import database_dump, diagnosis, file_modes

FORMAT, FORMAT_WITH_LIST = 1, 2
DATABASE_NAMES = {"sqlite": "database.sqlite", "postgresql": "database.pgdump"}
_FILE_NAME = re.compile(r"database\.(sqlite|pgdump)|secret_key|originals/\w+\.\w+", re.ASCII)
MANIFEST, MANIFEST_DIGEST = "manifest.json", "manifest.sha256"
MAX_MANIFEST_BYTES = 256_000_000
MANIFEST_ERRORS = (  # JSON that is nested too deeply is a RecursionError
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
    RecursionError,
)
_VALUE_TYPES = {"version": str, "schema": str, "database": str, "stories": int}
BLOCK_BYTES = 1 << 20
END = bytes(2 * tarfile.BLOCKSIZE)
Progress = Callable[[str], object]  # called with the name of each file


class BackupError(Exception):
    """A backup cannot be made, or a file is no complete backup; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds; `files` has the size in bytes and the SHA-256 of each member.

    `pictures_in_bucket` has the size of each original that is in a bucket instead.
    """

    made_at: datetime
    version: str
    schema: str
    database: str  # "sqlite" or "postgresql"
    stories: int
    files: dict[str, tuple[int, str]]
    pictures_in_bucket: dict[str, int] = field(default_factory=dict)

    @property
    def pictures(self) -> int:
        """The number of pictures that the backup holds or lists."""
        originals = [name for name in self.files if name.startswith("originals/")]
        return len(originals) + len(self.pictures_in_bucket)

    def serialize(self) -> bytes:
        """Return the manifest as JSON."""
        values = {name: getattr(self, name) for name in self.__slots__}
        values |= {"format": FORMAT, "made_at": self.made_at.isoformat()}
        if pictures := values.pop("pictures_in_bucket"):
            # Earlier versions cannot check this list.
            values |= {"format": FORMAT_WITH_LIST, "listed": pictures}
        return json.dumps(values, indent=1).encode()

    @classmethod
    def parse(cls, content: bytes) -> Manifest:
        """Return the manifest in a JSON text. Raises BackupError."""
        try:
            values = json.loads(content)
            if values.pop("format") not in (FORMAT, FORMAT_WITH_LIST):
                raise BackupError(
                    gettext("A newer version of the site made this backup. Update the code.")
                )
            values["made_at"] = datetime.fromisoformat(values["made_at"])
            values["files"] = {name: (int(n), str(d)) for name, (n, d) in values["files"].items()}
            listed = values.pop("listed", {})
            values["pictures_in_bucket"] = {str(k): int(v) for k, v in listed.items()}
            for name, kind in _VALUE_TYPES.items():
                values[name] = _with_type(values[name], kind)
            manifest = cls(**values)
        except MANIFEST_ERRORS as error:
            raise BackupError(
                gettext("The backup is damaged: its manifest cannot be read.")
            ) from error
        for name in (*manifest.files, *manifest.pictures_in_bucket):
            if not _FILE_NAME.fullmatch(name):
                raise BackupError(
                    gettext("The backup holds an unknown file: %(name)s.", name=repr(name[:80]))
                )
        return manifest


def _with_type(value: Any, kind: type) -> Any:
    """Return a printable value of a type. Raises TypeError for any other."""
    if type(value) is not kind or not str(value).isprintable():
        raise TypeError
    return value


class ArchiveWriter:
    """A backup that is being written; `manifest` is set when all blocks have been read.

    First it copies the database into `work`, and lists the pictures of a bucket: obstore cannot
    list while it reads the blocks of another object. Raises DumpError, StoreError and OSError.
    """

    manifest: Manifest

    def __init__(
        self, settings: Mapping[str, Any], work: Path, with_key: bool, show: Progress
    ) -> None:
        self.settings, self.with_key, self.show = settings, with_key, show
        self.files: dict[str, tuple[int, str]] = {}
        self.pictures_in_bucket: dict[str, int] = {}
        self.size = 0  # of all blocks so far, in bytes
        url: str = settings["DATABASE_URL"]
        self.kind = "sqlite" if database_file(url) else "postgresql"
        # The database first: pictures are never changed, so those of its stories follow it.
        self.dump = work / DATABASE_NAMES[self.kind]
        self.stories = database_dump.dump(url, self.dump)
        self.schema = str(diagnosis.read_schema(url).version)
        if isinstance(settings["MEDIA"], str):
            sizes = media.open_bucket(settings["MEDIA"]).sizes("originals")
            self.pictures_in_bucket = {
                name: size for name, size in sorted(sizes.items()) if _FILE_NAME.fullmatch(name)
            }

    def blocks(self) -> Iterator[bytes]:
        """Yield the archive, once. Raises BackupError and OSError."""
        for block in self._members():
            self.size += len(block)
            yield block

    def _members(self) -> Iterator[bytes]:
        yield from self._file(self.dump.name, self.dump)
        self.dump.unlink()
        yield from self._pictures()
        if self.with_key:
            yield from self._file(
                config.SECRET_FILE, self.settings["DATA_DIR"] / config.SECRET_FILE
            )
        self.manifest = Manifest(
            datetime.now(UTC),
            config.version(),
            self.schema,
            self.kind,
            self.stories,
            self.files,
            self.pictures_in_bucket,
        )
        content = self.manifest.serialize()
        yield from _member(MANIFEST, content)
        yield from _member(MANIFEST_DIGEST, hashlib.sha256(content).hexdigest().encode())
        yield END

    def _pictures(self) -> Iterator[bytes]:
        """Yield the originals of a directory."""
        location: media.Location = self.settings["MEDIA"]
        if isinstance(location, str):
            return
        for picture in sorted((location / "originals").glob("*")):
            if _FILE_NAME.fullmatch(name := f"originals/{picture.name}") and picture.exists():
                yield from self._file(name, picture)

    def _file(self, name: str, source: Path) -> Iterator[bytes]:
        """Yield a file as a member; only its name and content are stored."""
        self.show(name)
        digest, remaining = hashlib.sha256(), 0
        with source.open("rb") as file:
            size = remaining = os.fstat(file.fileno()).st_size
            yield _header(name, size)
            while remaining:
                block = file.read(min(BLOCK_BYTES, remaining))
                if not block:
                    raise BackupError(
                        gettext(
                            "%(source)s became shorter while it was copied. Try again.",
                            source=source,
                        )
                    )
                digest.update(block)
                remaining -= len(block)
                yield block
        yield _padding(size)
        self.files[name] = size, digest.hexdigest()


def _member(name: str, content: bytes) -> Iterator[bytes]:
    yield _header(name, len(content))
    yield content
    yield _padding(len(content))


def _header(name: str, size: int) -> bytes:
    information = tarfile.TarInfo(name)
    information.size, information.mode = size, file_modes.PRIVATE_FILE
    return information.tobuf(tarfile.PAX_FORMAT, "utf-8")


def _padding(size: int) -> bytes:
    """Return what fills the last block of a member."""
    return bytes(-size % tarfile.BLOCKSIZE)


def check(path: Path, show: Progress = str) -> Manifest:
    """Read a whole backup and return its manifest. Raises BackupError if anything is wrong."""
    with open_archive(path) as archive:
        manifest = _read_manifest(archive)
        expected = {*manifest.files, MANIFEST, MANIFEST_DIGEST}
        if sorted(archive.getnames()) != sorted(expected):
            raise BackupError(
                gettext(
                    "%(path)s is damaged: it does not hold the files that it lists.", path=path
                )
            )
        for name, (size, digest) in manifest.files.items():
            show(name)
            is_same = archive.getmember(name).size == size
            if is_same:
                with open_member(archive, name) as file:
                    is_same = digest_of(file) == digest
            if not is_same:
                raise BackupError(
                    gettext("%(path)s is damaged: %(name)s has changed.", path=path, name=name)
                )
    return manifest


def _read_manifest(archive: tarfile.TarFile) -> Manifest:
    contents = []
    for name in (MANIFEST, MANIFEST_DIGEST):
        with open_member(archive, name) as file:
            contents.append(file.read(MAX_MANIFEST_BYTES))
    if hashlib.sha256(contents[0]).hexdigest().encode() != contents[1]:
        raise BackupError(gettext("The backup is damaged: its manifest has changed."))
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
        raise BackupError(
            gettext("%(path)s is no complete backup (%(error)s).", path=path, error=error)
        ) from error


@contextmanager
def open_member(archive: tarfile.TarFile, name: str) -> Iterator[IO[bytes]]:
    """Open a file in a backup. Raises BackupError if it is no regular file."""
    member = archive.getmember(name)
    # A sparse member may claim any size, and a link may lead to itself.
    file = archive.extractfile(member) if member.isreg() and not member.issparse() else None
    if file is None:
        raise BackupError(gettext("The backup is damaged: %(name)s is not a file.", name=name))
    with file:
        yield file
