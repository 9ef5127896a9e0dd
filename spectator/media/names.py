"""Names of stored files, in their store and below /media/."""

from __future__ import annotations

import re
from pathlib import Path

from spectator.media.decoder import avif_widths, rendition_widths

# Files that are no pictures. They are sent with the type of their extension, which follows from
# their first bytes, never with one that somebody named. None of the types runs scripts on the site.
FILE_TYPES = {
    "pdf": "application/pdf",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "ogg": "audio/ogg",
    "wav": "audio/wav",
}
CONTENT_TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".avif": "image/avif"} | {
    f".{extension}": kind for extension, kind in FILE_TYPES.items()
}
_FILES = "|".join(FILE_TYPES)
_RENDITION = (
    r"([0-9a-f]{2})/\1[0-9a-f]{30}"
    rf"-(?:[1-9][0-9]{{0,3}}\.(?:jpg|png|avif)|0\.(?:{_FILES}))"
)
STORED_NAME = re.compile(
    rf"originals/[0-9a-f]{{32}}\.(?:jpg|png|{_FILES})|renditions/{_RENDITION}", re.ASCII
)
_RENDITION_URL = re.compile(r"/media/([0-9a-f]{2})/(\1[0-9a-f]{30})-[0-9]", re.ASCII)
_RENDITION_NAME = re.compile(_RENDITION, re.ASCII)


def original_name(digest: str, extension: str) -> str:
    """Return the name of an original in its store."""
    return f"originals/{digest}.{extension}"


def rendition_names(digest: str, extension: str, width: int) -> list[tuple[str, int]]:
    """Return (name below /media/, width in pixels) of each rendition, narrowest first.

    That of a file which is no picture is a copy of it, with the width 0.
    """
    widths = [0] if extension in FILE_TYPES else rendition_widths(width)
    return [(f"{digest[:2]}/{digest}-{size}.{extension}", size) for size in widths]


def avif_names(digest: str, width: int, height: int) -> list[tuple[str, int]]:
    """Return (name below /media/, width in pixels) of each AVIF rendition, narrowest first.

    A file without a size has none.
    """
    widths = avif_widths(width, height) if width else []
    return [(f"{digest[:2]}/{digest}-{size}.avif", size) for size in widths]


def rendition_path(directory: Path, name: str) -> Path | None:
    """Return the path of a rendition (it may not exist), or None if the name is not valid."""
    return directory / "renditions" / name if is_rendition_name(name) else None


def is_rendition_name(name: str) -> bool:
    """Return whether a name, such as "ab/ab…-320.jpg", has the form of a rendition's."""
    return _RENDITION_NAME.fullmatch(name) is not None


def is_picture_path(path: str) -> bool:
    """Return whether a path, such as "/media/ab/ab…-320.jpg", has the form of a picture's."""
    is_file = path.rpartition(".")[2] in FILE_TYPES
    is_stored = path.startswith("/media/") and is_rendition_name(path.removeprefix("/media/"))
    return is_stored and not is_file


def digest_from_name(name: str) -> str:
    """Return the digest in the name of a rendition, such as "ab/ab…-320.jpg"."""
    return name[3:35]


def rendition_digests(html: str) -> set[str]:
    """Return the digests of the pictures and files that an HTML text shows or links to."""
    return {digest for _, digest in _RENDITION_URL.findall(html)} if "/media/" in html else set()
