"""Uploaded pictures and their renditions: bytes and a directory, no database.

Under the media directory, `originals/` holds each stored picture (re-encoded, without metadata) and
`renditions/` the smaller copies that readers get. Renditions can be deleted and are made again from
the originals. A separate program (`decoder`, run by `sandbox`) decodes pictures, so that hostile
bytes never reach a process of the site.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from spectator.media.decoder import (
    DAMAGED,
    MAX_BYTES,
    MAX_JPEG_PIXELS,
    MAX_PIXELS,
    WIDTHS,
    PictureError,
    PictureResourceError,
    rendition_widths,
)
from spectator.media.sandbox import decode

__all__ = [
    "DAMAGED",
    "MAX_BYTES",
    "WIDTHS",
    "PictureError",
    "PictureResourceError",
    "StoredPicture",
    "make_renditions",
    "store_upload",
]
# The hint beside the upload field.
UPLOAD_HINT = (
    f"JPEG of up to {MAX_JPEG_PIXELS // 10**6} megapixels, "
    f"PNG, WebP or GIF of up to {MAX_PIXELS // 10**6}; at most {MAX_BYTES // 1024**2} MB."
)
CHUNK_BYTES = 256 * 1024
_RENDITION_URL = re.compile(r"/media/([0-9a-f]{2})/(\1[0-9a-f]{30})-[0-9]", re.ASCII)
_RENDITION_NAME = re.compile(r"([0-9a-f]{2})/\1[0-9a-f]{30}-[1-9][0-9]{0,3}\.(?:jpg|png)", re.ASCII)


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """A stored picture: `digest` names its files; sizes are the original's, in pixels and bytes."""

    digest: str
    extension: str
    width: int
    height: int
    byte_size: int


def store_upload(stream: IO[bytes], directory: Path) -> StoredPicture:
    """Store a picture with its renditions under `directory` and return a description of it.

    It is stored upright, in sRGB, at most 2560 pixels wide and without metadata. The same bytes
    give the same files. Raises PictureError if it is not a still picture within the limits,
    PictureResourceError if memory or time ran out, and OSError if the disk is full (then no
    partial file stays).
    """
    with _workspace(directory) as work:
        _save_upload(stream, work / "upload")
        result = decode("original", work / "upload", work)
        extension, width = result["extension"], result["width"]
        original = work / f"original.{extension}"
        with original.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()[:32]
        byte_size = original.stat().st_size
        _move_into_place(original, directory / "originals" / f"{digest}.{extension}")
        for name, size in rendition_names(digest, extension, width):
            _move_into_place(work / f"{size}.{extension}", directory / "renditions" / name)
    return StoredPicture(digest, extension, width, result["height"], byte_size)


def rendition_names(digest: str, extension: str, width: int) -> list[tuple[str, int]]:
    """Return (name below /media/, width in pixels) of each rendition, narrowest first."""
    return [(f"{digest[:2]}/{digest}-{size}.{extension}", size) for size in rendition_widths(width)]


def rendition_path(directory: Path, name: str) -> Path | None:
    """Return the path of a rendition (it may not exist), or None if the name is not valid."""
    return directory / "renditions" / name if _RENDITION_NAME.fullmatch(name) else None


def digest_from_name(name: str) -> str:
    """Return the digest in the name of a rendition, such as "ab/ab…-320.jpg"."""
    return name[3:35]


def missing_renditions(directory: Path, digest: str, extension: str, width: int) -> list[str]:
    """Return the names of the renditions that are not on disk; `width` is the original's."""
    names = [name for name, _ in rendition_names(digest, extension, width)]
    return [name for name in names if not (directory / "renditions" / name).exists()]


def make_renditions(directory: Path, digest: str, extension: str, width: int) -> int:
    """Make the missing renditions of an original `width` pixels wide; return their number.

    Raises OSError if the original is missing or the disk is full, PictureError if the original is
    damaged, and PictureResourceError if memory or time ran out.
    """
    original = directory / "originals" / f"{digest}.{extension}"
    missing = set(missing_renditions(directory, digest, extension, width))
    name_by_width = {
        size: name for name, size in rendition_names(digest, extension, width) if name in missing
    }
    if not name_by_width:
        return 0
    with _workspace(directory) as work:
        decode("renditions", original, work, *name_by_width)
        for size, name in name_by_width.items():
            _move_into_place(work / f"{size}.{extension}", directory / "renditions" / name)
    return len(name_by_width)


def remove_renditions(directory: Path, digest: str, extension: str) -> int:
    """Delete all renditions of an original, but not the original; return their number."""
    paths = list((directory / "renditions" / digest[:2]).glob(f"{digest}-*.{extension}"))
    for path in paths:
        path.unlink(missing_ok=True)
    return len(paths)


def rendition_digests(html: str) -> set[str]:
    """Return the digests of the pictures that an HTML text shows."""
    return {digest for _, digest in _RENDITION_URL.findall(html)} if "/media/" in html else set()


@contextmanager
def _workspace(directory: Path) -> Iterator[Path]:
    """Yield a temporary directory on the same file system."""
    _make_directory(directory, 0o711)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=directory) as name:
        yield Path(name)


def _save_upload(stream: IO[bytes], path: Path) -> None:
    """Write an upload to a file in chunks; raises PictureError as soon as it is too large."""
    size = 0
    with path.open("wb") as file:
        while chunk := stream.read(min(CHUNK_BYTES, MAX_BYTES + 1 - size)):
            size += len(chunk)
            if size > MAX_BYTES:
                raise PictureError(
                    f"The picture is larger than {MAX_BYTES // 1024**2} MB; upload a smaller file."
                )
            file.write(chunk)


def _move_into_place(finished: Path, path: Path) -> None:
    """Move a finished file to its final path atomically and durably.

    Renditions are readable by the web server (0644 in 0755), originals only by their owner (0600 in
    0700), whatever the umask.
    """
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


def _make_directory(path: Path, mode: int) -> None:
    """Make a directory with an exact mode, and its parents, which other users can traverse."""
    if path.is_dir():
        return
    _make_directory(path.parent, 0o755 if path.parent.name == "renditions" else 0o711)
    path.mkdir(exist_ok=True)
    path.chmod(mode)
