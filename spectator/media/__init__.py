"""Take in uploaded pictures and cut their renditions: bytes and a directory, no database.

Under the media directory, `originals/` holds each picture as it was taken in (re-encoded, without metadata) and
`renditions/` what readers get. Originals are the truth; renditions may be deleted and are cut again from them.
Pictures are decoded by a program of its own (`decoding`, run by `sandbox`): no process of the site ever holds one.
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
# What a form says of it.
UPLOAD_HINT = (
    f"JPEG of up to {MAX_JPEG_PIXELS // 10**6} megapixels, PNG, WebP or GIF of up to {MAX_PIXELS // 10**6}; "
    f"at most {MAX_BYTES // 1024**2} MB."
)
CHUNK_BYTES = 256 * 1024
_RENDITION_URL = re.compile(r"/media/([0-9a-f]{2})/(\1[0-9a-f]{30})-[0-9]", re.ASCII)
_RENDITION_NAME = re.compile(r"([0-9a-f]{2})/\1[0-9a-f]{30}-[1-9][0-9]{0,3}\.(?:jpg|png)", re.ASCII)


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """A stored picture: `digest` names its files, sizes are in pixels and bytes of the stored original."""

    digest: str
    extension: str
    width: int
    height: int
    byte_size: int


def store_upload(stream: IO[bytes], directory: Path) -> StoredPicture:
    """Store the picture in `stream` under `directory` with its renditions and say what was stored.

    It is kept upright, in sRGB, at most 2560 pixels wide, without any metadata. The same bytes give the same files.
    Raises `PictureRefused` for anything that is not a still picture within the limits, `PictureUnopened` where memory
    or time ran out, OSError when the disk is full (no half-written file stays).
    """
    with _workspace(directory) as work:
        _save_upload(stream, work / "upload")
        told = decode("take_in", work / "upload", work)
        extension, width = told["extension"], told["width"]
        original = work / f"original.{extension}"
        with original.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()[:32]
        byte_size = original.stat().st_size
        _move_into_place(original, directory / "originals" / f"{digest}.{extension}")
        for name, step in rendition_names(digest, extension, width):
            _move_into_place(work / f"{step}.{extension}", directory / "renditions" / name)
    return StoredPicture(digest, extension, width, told["height"], byte_size)


def rendition_names(digest: str, extension: str, width: int) -> list[tuple[str, int]]:
    """Return (name under the media address, width in pixels) of each rendition of an original, narrowest first."""
    return [(f"{digest[:2]}/{digest}-{step}.{extension}", step) for step in rendition_widths(width)]


def rendition_path(directory: Path, name: str) -> Path | None:
    """Return where the rendition called `name` lies (it may not exist), None when that cannot be a rendition."""
    return directory / "renditions" / name if _RENDITION_NAME.fullmatch(name) else None


def digest_from_name(name: str) -> str:
    """Return the digest in the name of a rendition."""
    return name[3:35]


def missing_renditions(directory: Path, digest: str, extension: str, width: int) -> list[str]:
    """Return the names of those renditions of an original `width` pixels wide that are not on disk."""
    names = [name for name, _ in rendition_names(digest, extension, width)]
    return [name for name in names if not (directory / "renditions" / name).exists()]


def make_renditions(directory: Path, digest: str, extension: str, width: int) -> int:
    """Make the missing renditions of a stored original `width` pixels wide and return how many were made.

    Raises OSError when the original is gone or the disk is full, `PictureRefused` when the original is damaged,
    `PictureUnopened` where memory or time ran out.
    """
    original = directory / "originals" / f"{digest}.{extension}"
    missing = set(missing_renditions(directory, digest, extension, width))
    steps = {
        step: name for name, step in rendition_names(digest, extension, width) if name in missing
    }
    if not steps:
        return 0
    with _workspace(directory) as work:
        decode("cut", original, work, *steps)
        for step, name in steps.items():
            _move_into_place(work / f"{step}.{extension}", directory / "renditions" / name)
    return len(steps)


def remove_renditions(directory: Path, digest: str, extension: str) -> int:
    """Delete every rendition of an original, of whatever width, and return how many there were; the original stays."""
    paths = list((directory / "renditions" / digest[:2]).glob(f"{digest}-*.{extension}"))
    for path in paths:
        path.unlink(missing_ok=True)
    return len(paths)


def rendition_digests(html: str) -> set[str]:
    """Return the digests of the pictures whose renditions a text shows."""
    return {digest for _, digest in _RENDITION_URL.findall(html)} if "/media/" in html else set()


@contextmanager
def _workspace(directory: Path) -> Iterator[Path]:
    """Give a directory of its own beside what is kept, gone afterwards."""
    _make_directory(directory, 0o711)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=directory) as name:
        yield Path(name)


def _save_upload(stream: IO[bytes], path: Path) -> None:
    """Write an upload to a file, piece by piece; raises PictureRefused as soon as it is too large."""
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
    """Move a finished file to its place, so that it is either there whole or not at all.

    The web server may read renditions (0644 in 0755) and nobody else an original (0600 in 0700), whatever the umask.
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
    """Make a directory with a mode whatever the umask, and those above it so that others can walk through."""
    if path.is_dir():
        return
    _make_directory(path.parent, 0o755 if path.parent.name == "renditions" else 0o711)
    path.mkdir(exist_ok=True)
    path.chmod(mode)
