"""Pictures for tests, and what storing one of them gives: the stored file or a refusal."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from spectator.media import PictureError, StoredPicture, store_upload


def encoded(picture: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def photograph(width: int, height: int) -> Image.Image:
    bands = [
        Image.linear_gradient("L"),
        Image.radial_gradient("L"),
        Image.linear_gradient("L").rotate(90),
    ]
    return Image.merge("RGB", [band.resize((width, height)) for band in bands])


def chunk(name: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
    )


def png(width: int, height: int, *chunks: bytes, depth: int = 8, colour: int = 0) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IEND", b"")


def store_bytes(data: bytes, directory: Path) -> tuple[StoredPicture, Image.Image]:
    """Store the bytes; return the result and the stored original."""
    picture = store_upload(BytesIO(data), directory)
    stored = Image.open(directory / "originals" / f"{picture.digest}.{picture.extension}")
    stored.load()
    assert stored.size == (picture.width, picture.height)
    return picture, stored


def refusal(data: bytes, directory: Path) -> str:
    """Return the message with which the bytes are refused; fail if anything is stored."""
    with pytest.raises(PictureError) as refused:
        store_upload(BytesIO(data), directory)
    assert not [path for path in directory.rglob("*") if path.is_file()]
    message = str(refused.value)
    assert message.endswith(".")
    assert "\n" not in message
    return message
