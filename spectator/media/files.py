"""Files that are no pictures: PDF and recordings, stored as they are, downloaded or played.

They live beside the pictures: the original, which only the site reads, and one copy for readers
with the number 0 instead of a width, which is removed while no published story links to it.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from spectator.i18n import gettext
from spectator.media.decoder import PictureError
from spectator.media.names import original_name, rendition_names
from spectator.media.stores import BucketStore, DirectoryStore

MAX_STORED_BYTES = 32 * 1024 * 1024
SIGNATURE_BYTES = 1024
CHUNK_BYTES = 256 * 1024
_SIGNATURES = (
    ("mp3", re.compile(rb"ID3[\x02-\x04]|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]")),
    ("ogg", re.compile(rb"OggS\x00")),
    ("wav", re.compile(rb"RIFF....WAVE", re.DOTALL)),
    ("m4a", re.compile(rb"....ftypM4[AB] ", re.DOTALL)),
    ("pdf", re.compile(rb"%PDF-[12]\.")),
)


def file_extension(start: bytes) -> str:
    """Return the extension of a file by its first `SIGNATURE_BYTES`, "" if it is none of ours."""
    return next((name for name, signature in _SIGNATURES if signature.match(start)), "")


def store_file(
    stream: IO[bytes], store: DirectoryStore | BucketStore, extension: str
) -> tuple[str, int]:
    """Store a file with its copy for readers; return its digest and its size in bytes.

    Raises PictureError if it is too large, OSError if the disk is full, and StoreError.
    """
    with store.workspace() as work:
        original, name = work / f"original.{extension}", f"0.{extension}"
        digest, byte_size = _write(stream, original)
        copy_file(original, work, [name])
        [(rendition, _)] = rendition_names(digest, extension, 0)
        store.save(original_name(digest, extension), original)
        store.save(f"renditions/{rendition}", work / name)
    return digest, byte_size


def _write(stream: IO[bytes], path: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as file:
        while chunk := stream.read(CHUNK_BYTES):
            size += len(chunk)
            if size > MAX_STORED_BYTES:
                limit = MAX_STORED_BYTES // 1024**2
                raise PictureError(gettext("The file is larger than %(limit)s MB.", limit=limit))
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()[:32], size


def copy_file(original: Path, work: Path, names: Iterable[str]) -> None:
    """Write the copies of an original for readers, which are its renditions."""
    for name in names:
        shutil.copyfile(original, work / name)
