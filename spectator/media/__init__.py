"""Uploaded pictures and other files, and their renditions: bytes and a store, no database.

In the store (a directory or a bucket, see `stores`), `originals/` holds each stored picture
(re-encoded, without metadata) and `renditions/` the smaller copies that readers get, in the format
of the original and in AVIF, which takes half the bytes but which not every browser reads.
Renditions can be deleted and are made again from the originals. A separate program (`decoder`, run
by `sandbox`) decodes pictures, so that hostile bytes never reach a process of the site.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from spectator.i18n import gettext, lazy_gettext
from spectator.media.decoder import (
    DAMAGED,
    HAS_AVIF,
    MAX_BYTES,
    MAX_JPEG_PIXELS,
    MAX_PIXELS,
    WIDTHS,
    PictureError,
    PictureResourceError,
    gettext_noop,
)
from spectator.media.files import SIGNATURE_BYTES, copy_file, file_extension, store_file
from spectator.media.names import (
    CONTENT_TYPES,
    FILE_TYPES,
    avif_names,
    digest_from_name,
    is_picture_path,
    is_rendition_name,
    original_name,
    rendition_digests,
    rendition_names,
    rendition_path,
)
from spectator.media.sandbox import BUSY, UPLOAD_SECONDS, decode
from spectator.media.stores import (
    BucketStore,
    DirectoryStore,
    Location,
    open_bucket,
    open_picture_store,
)
from spectator.object_storage import StoreError

__all__ = [
    "BUSY",
    "CONTENT_TYPES",
    "DAMAGED",
    "FILE_TYPES",
    "HAS_AVIF",
    "MAX_BYTES",
    "WIDTHS",
    "Location",
    "PictureError",
    "PictureResourceError",
    "StoreError",
    "StoredPicture",
    "avif_names",
    "digest_from_name",
    "is_picture_path",
    "is_rendition_name",
    "make_avif",
    "make_renditions",
    "open_bucket",
    "open_picture_store",
    "original_name",
    "rendition_digests",
    "rendition_names",
    "rendition_path",
    "store_media",
    "store_upload",
]
log = logging.getLogger(__name__)
# The hint beside the upload field.
UPLOAD_HINT = lazy_gettext(
    "JPEG of up to %(jpeg)s megapixels, PNG, WebP or GIF of up to "
    "%(other)s; at most %(size)s MB.",
    jpeg=MAX_JPEG_PIXELS // 10**6,
    other=MAX_PIXELS // 10**6,
    size=MAX_BYTES // 1024**2,
)
CHUNK_BYTES = 256 * 1024
STORE_DOWN = gettext_noop(
    "The storage of pictures does not answer. Wait a minute, then upload the picture again."
)
# How long an upload stores renditions; the worker makes those that are missing afterwards.
RENDITION_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """A stored picture: `digest` names its files; sizes are the original's, in pixels and bytes.

    `has_avif`: all AVIF renditions are stored. A file that is no picture has width and height 0.
    """

    digest: str
    extension: str
    width: int
    height: int
    byte_size: int
    has_avif: bool = False


def store_upload(stream: IO[bytes], location: Location, with_avif: bool = False) -> StoredPicture:
    """Store a picture with its renditions at `location` and return a description of it.

    AVIF renditions take about a second; without `with_avif` the worker makes them.

    It is stored upright, in sRGB, at most 2560 pixels wide and without metadata. The same bytes
    give the same files. Raises PictureError if it is not a still picture within the limits,
    PictureResourceError if memory or time ran out or the store does not answer, and OSError if the
    disk is full (then no partial file stays).
    """
    store = open_picture_store(location)
    with store.workspace() as work:
        _save_upload(stream, work / "upload")
        deadline = time.monotonic() + UPLOAD_SECONDS
        result = decode("original", work / "upload", work, deadline=deadline)
        extension, width, height = result["extension"], result["width"], result["height"]
        original = work / f"original.{extension}"
        with original.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()[:32]
        byte_size = original.stat().st_size
        avif = avif_names(digest, width, height) if with_avif and HAS_AVIF else []
        has_avif = bool(avif) and _encode_avif(original, work, avif, deadline)
        try:
            store.save(original_name(digest, extension), original)
        except StoreError as error:
            log.error("a picture was refused: %s", error)
            raise PictureResourceError(gettext(STORE_DOWN)) from error
        names = rendition_names(digest, extension, width) + (avif if has_avif else [])
        has_avif &= _save_renditions(store, names, work)
    return StoredPicture(digest, extension, width, height, byte_size, has_avif)


def store_media(stream: IO[bytes], location: Location) -> StoredPicture:
    """Store a picture, a PDF or a recording, which its first bytes tell apart; `stream` can seek.

    Raises what `store_upload` does.
    """
    extension = file_extension(stream.read(SIGNATURE_BYTES))
    stream.seek(0)
    if not extension:
        return store_upload(stream, location)
    try:
        digest, byte_size = store_file(stream, open_picture_store(location), extension)
    except StoreError as error:
        log.error("a file was refused: %s", error)
        raise PictureResourceError(gettext(STORE_DOWN)) from error
    return StoredPicture(digest, extension, 0, 0, byte_size)


def _encode_avif(
    original: Path, work: Path, names: list[tuple[str, int]], deadline: float
) -> bool:
    """Write AVIF renditions of an upload, which is stored without them if that fails.

    It does not wait for another picture: an upload waits once, and the worker can make them.
    """
    try:
        files = [f"{size}.avif" for _, size in names]
        decode("renditions", original, work, *files, wait_seconds=0, deadline=deadline)
    except (PictureError, OSError) as error:
        log.warning("the worker will make the AVIF renditions: %s", error)
        return False
    return True


def _save_renditions(
    store: DirectoryStore | BucketStore, names: list[tuple[str, int]], work: Path
) -> bool:
    """Store the renditions of an upload; if a bucket is slow or fails, only the first ones.

    Return whether all were stored.
    """
    deadline = time.monotonic() + RENDITION_SECONDS
    try:
        for name, size in names:
            if isinstance(store, BucketStore) and time.monotonic() > deadline:
                raise StoreError(f"{store.url} is slow")
            store.save(f"renditions/{name}", work / f"{size}{Path(name).suffix}")
    except StoreError as error:
        log.warning("the worker will store the remaining renditions: %s", error)
        return False
    return True


class StoredRenditions:
    """The renditions in a store, listed once for each directory of them."""

    def __init__(self, location: Location) -> None:
        self.store = open_picture_store(location)
        self.listed: set[str] = set()
        self.names_by_digest: dict[str, set[str]] = {}

    def names(self, digest: str) -> set[str]:
        """Return the names of the stored renditions of a picture, below `renditions/`.

        Raises OSError or StoreError.
        """
        directory = f"renditions/{digest[:2]}"
        if directory not in self.listed:
            for path in self.store.names(directory):
                name = path.removeprefix("renditions/")
                self.names_by_digest.setdefault(digest_from_name(name), set()).add(name)
            self.listed.add(directory)
        return self.names_by_digest.get(digest, set())


def missing_renditions(location: Location, digest: str, extension: str, width: int) -> list[str]:
    """Return the names of the renditions that are not stored; `width` is the original's.

    Raises OSError or StoreError.
    """
    stored = StoredRenditions(location).names(digest)
    return [name for name, _ in rendition_names(digest, extension, width) if name not in stored]


def make_renditions(location: Location, digest: str, extension: str, width: int) -> int:
    """Make the missing renditions of an original `width` pixels wide; return their number.

    Raises OSError if the original is missing or the disk is full, StoreError if the store does not
    answer, PictureError if the original is damaged, and PictureResourceError if memory or time ran
    out. Two processes may make the same rendition: both store the same file.
    """
    names = rendition_names(digest, extension, width)
    return _make_missing(location, original_name(digest, extension), digest, names)


def make_avif(location: Location, digest: str, extension: str, width: int, height: int) -> int:
    """Make the missing AVIF renditions of an original; return their number.

    Raises the same errors as `make_renditions`.
    """
    names = avif_names(digest, width, height)
    return _make_missing(location, original_name(digest, extension), digest, names)


def _make_missing(
    location: Location, original: str, digest: str, names: list[tuple[str, int]]
) -> int:
    store, stored = open_picture_store(location), StoredRenditions(location).names(digest)
    name_by_file = {
        f"{size}{Path(name).suffix}": name for name, size in names if name not in stored
    }
    if not name_by_file:
        return 0
    with store.workspace() as work:
        path = store.open_original(original, work)
        if original.rpartition(".")[2] in FILE_TYPES:
            copy_file(path, work, name_by_file)
        else:
            decode("renditions", path, work, *name_by_file)
        for file, name in name_by_file.items():
            store.save(f"renditions/{name}", work / file)
    return len(name_by_file)


def remove_renditions(location: Location, digest: str) -> int:
    """Delete all renditions of an original, but not the original; return their number.

    Raises OSError or StoreError.
    """
    names = StoredRenditions(location).names(digest)
    for name in names:
        open_picture_store(location).delete(f"renditions/{name}")
    return len(names)


def missing_originals(location: Location, names: Iterable[str]) -> list[str]:
    """Return those of the names, such as "ab….jpg", without an original.

    Raises OSError or StoreError.
    """
    stored = open_picture_store(location).names("originals")
    return [name for name in names if f"originals/{name}" not in stored]


def _save_upload(stream: IO[bytes], path: Path) -> None:
    """Write an upload to a file in chunks; raises PictureError as soon as it is too large."""
    size = 0
    with path.open("wb") as file:
        while chunk := stream.read(min(CHUNK_BYTES, MAX_BYTES + 1 - size)):
            size += len(chunk)
            if size > MAX_BYTES:
                raise PictureError(
                    gettext(
                        "The picture is larger than %(limit)s MB; upload a smaller file.",
                        limit=MAX_BYTES // 1024**2,
                    )
                )
            file.write(chunk)
