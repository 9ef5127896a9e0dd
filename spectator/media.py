"""Take in uploaded pictures and cut their renditions: bytes and a directory, no database.

Under the media directory, `originals/` holds each picture as it was taken in (re-encoded, without metadata) and
`renditions/` what readers get. Originals are the truth; renditions may be deleted and are cut again from them.
"""

from __future__ import annotations

import errno
import hashlib
import math
import os
import re
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO

from PIL import ExifTags, Image, ImageCms, ImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

MAX_BYTES, MAX_PIXELS = 10 * 1024 * 1024, 25_000_000
MIN_SIDE, MAX_SIDE, MAX_ASPECT = 8, 12_000, 10
MAX_FRAMES = 1000
# A scan of an empty progressive JPEG is a few dozen bytes but costs a pass over every block. Encoders make about ten.
MAX_SCANS = 300
MAX_PROFILE_BYTES = 4 * 1024 * 1024
ORIGINAL_WIDTH, ORIGINAL_QUALITY = 2560, 82
WIDTHS = (320, 480, 640, 960, 1280)
# A busy photograph steps down until 640 x 427 pixels fit into about 30 kB: most readers pay by the megabyte.
RENDITION_QUALITIES, RENDITION_BYTES_PER_PIXEL = (70, 60, 50), 0.11

DAMAGED = "The picture is damaged or incomplete; export it again and upload the new file."

# Bytes a file must start with, and the one reader it then gets. `Image.open` would import every reader that Pillow
# has, and its limit of 179 megapixels would speak before ours without saying the size.
_READERS: tuple[tuple[re.Pattern[bytes], type[ImageFile.ImageFile]], ...] = (
    (re.compile(rb"\xff\xd8\xff"), JpegImageFile),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), PngImageFile),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), WebPImageFile),
    (re.compile(rb"GIF8[79]a"), GifImageFile),
)
_RENDITION_NAME = re.compile(r"([0-9a-f]{2})/\1[0-9a-f]{30}-[1-9][0-9]{0,3}\.(?:jpg|png)", re.ASCII)
# EXIF 2.32, tag 274: how the picture must be turned to stand upright.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# One picture is decoded at a time in a process: that bounds memory, and the warning filters are global.
_decoding = threading.Lock()


class PictureRefused(ValueError):
    """An upload that is not taken in; the message is one sentence for the person who sent it."""


@dataclass(frozen=True, slots=True)
class TakenPicture:
    """A stored picture: `digest` names its files, sizes are in pixels and bytes of the stored original."""

    digest: str
    extension: str
    width: int
    height: int
    byte_size: int


def take_in(stream: IO[bytes], directory: Path) -> TakenPicture:
    """Store the picture in `stream` under `directory` with its renditions and say what was stored.

    The first frame is kept, upright, in sRGB, at most 2560 pixels wide, without any metadata. The same bytes give the
    same files. Raises `PictureRefused` for anything that is not a picture within the limits, OSError when the
    disk is full (no half-written file stays).
    """
    data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise PictureRefused(f"The picture is larger than {MAX_BYTES // 1024**2} MB; upload a smaller file.")
    with _pillow():
        picture = _decoded(data, ORIGINAL_WIDTH)
        extension = "png" if picture.mode == "RGBA" else "jpg"
        content = _jpeg(picture, ORIGINAL_QUALITY) if extension == "jpg" else _png(picture)
    digest = hashlib.sha256(content).hexdigest()[:32]
    _store(directory / "originals" / f"{digest}.{extension}", content)
    cut_renditions(directory, digest, extension)
    return TakenPicture(digest, extension, picture.width, picture.height, len(content))


def rendition_names(digest: str, extension: str, width: int) -> list[tuple[str, int]]:
    """Return (name under the media address, width in pixels) of each rendition of an original, narrowest first.

    None is wider than the original; one narrower than every step has a single rendition of its own width.
    """
    widths = [step for step in WIDTHS if step <= width] or [width]
    return [(f"{digest[:2]}/{digest}-{step}.{extension}", step) for step in widths]


def rendition_path(directory: Path, name: str) -> Path | None:
    """Return where the rendition called `name` lies (it may not exist), None when that cannot be a rendition."""
    return directory / "renditions" / name if _RENDITION_NAME.fullmatch(name) else None


def missing_renditions(directory: Path, digest: str, extension: str, width: int) -> list[str]:
    """Return the names of those renditions of an original `width` pixels wide that are not on disk."""
    names = [name for name, _ in rendition_names(digest, extension, width)]
    return [name for name in names if not (directory / "renditions" / name).exists()]


def cut_renditions(directory: Path, digest: str, extension: str) -> int:
    """Make the missing renditions of a stored original and return how many were made.

    Raises OSError when the original is gone or the disk is full, `PictureRefused` when the original is damaged.
    """
    content = (directory / "originals" / f"{digest}.{extension}").read_bytes()
    with _pillow():
        width = _opened(content).width
        missing = missing_renditions(directory, digest, extension, width)
        if not missing:
            return 0
        # Every rendition comes from this one base, whichever are missing, so that a name always means the same bytes.
        base = _decoded(content, WIDTHS[-1])
        cut = [
            (name, _rendition(_narrowed(base, step), extension))
            for name, step in rendition_names(digest, extension, width)
            if name in missing
        ]
    for name, rendition in cut:
        _store(directory / "renditions" / name, rendition)
    return len(cut)


@contextmanager
def _pillow() -> Iterator[None]:
    """Hold the only right to decode, with Pillow's warnings about odd files silent: we decide, not it."""
    with _decoding, warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="PIL")
        yield


def _decoded(data: bytes, width: int) -> Image.Image:
    """Return the first frame upright, at most `width` wide, in sRGB, "RGBA" only where something shows through."""
    picture = _opened(data)
    try:
        orientation = _orientation(picture)
        shown_width = picture.height if orientation >= 5 else picture.width
        shrink = min(1.0, width / shown_width)
        # libjpeg halves while it decodes: a quarter of the memory, and no effect on other formats.
        picture.draft(None, (math.ceil(picture.width * shrink), math.ceil(picture.height * shrink)))
        picture.load()
        profile = picture.info.get("icc_profile")
        upright: Image.Image = _in_plain_mode(picture)
        if orientation in _UPRIGHT:
            upright = upright.transpose(_UPRIGHT[orientation])
        upright = _in_srgb(_narrowed(upright, width), profile)
        if upright.mode == "RGBA" and upright.getchannel("A").getextrema() == (255, 255):
            upright = upright.convert("RGB")
    except MemoryError as error:
        raise OSError(errno.ENOMEM, "not enough memory to decode the picture") from error
    # Hostile bytes can raise anything in Pillow. Only memory is touched here, so it is always the file's fault.
    except Exception as error:
        raise PictureRefused(DAMAGED) from error
    upright.info = {}
    return upright


def _opened(data: bytes) -> ImageFile.ImageFile:
    """Read the header alone and return the picture, not yet decoded, if its claims are within the limits."""
    reader = next((reader for start, reader in _READERS if start.match(data)), None)
    if reader is None:
        raise PictureRefused("This file is not a JPEG, PNG, WebP or GIF picture; upload one of those.")
    try:
        picture = reader(BytesIO(data))
    except Image.DecompressionBombError as error:
        raise PictureRefused(_too_many_pixels("far too many")) from error
    except Exception as error:  # as above: the header is hostile, and nothing but memory was touched
        raise PictureRefused(DAMAGED) from error
    _check_size(*picture.size)
    if reader is JpegImageFile and data.count(b"\xff\xda") > MAX_SCANS:
        raise PictureRefused("The picture has too many layers of detail; export it again as an ordinary JPEG.")
    # Frames of a GIF are counted by their control block: Pillow's own count walks them all in Python.
    frames = data.count(b"!\xf9\x04") if reader is GifImageFile else getattr(picture, "n_frames", 1)
    if frames > MAX_FRAMES:
        raise PictureRefused(f"The animation has {frames:,} frames; upload one of them as a still picture.")
    return picture


def _check_size(width: int, height: int) -> None:
    """Refuse a size that costs too much to decode or that no page can show."""
    if width * height > MAX_PIXELS:
        raise PictureRefused(_too_many_pixels(f"{math.ceil(width * height / 1e6):,}"))
    shortest, longest = sorted((width, height))
    if shortest < MIN_SIDE or longest > MAX_SIDE or longest > MAX_ASPECT * shortest:
        limits = f"sides may have {MIN_SIDE} to {MAX_SIDE:,}, one of them at most {MAX_ASPECT} times the other"
        raise PictureRefused(f"The picture is {width:,} × {height:,} pixels; {limits}.")


def _too_many_pixels(count: str) -> str:
    return f"The picture has {count} megapixels; {MAX_PIXELS // 10**6} is the most."


def _orientation(picture: ImageFile.ImageFile) -> int:
    """Return the EXIF orientation, 1 to 8."""
    try:
        value = picture.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # a damaged EXIF block says nothing against the picture beside it
        return 1
    return value if value in _UPRIGHT else 1


def _in_plain_mode(picture: Image.Image) -> Image.Image:
    """Return the picture as L, RGB, RGBA or CMYK, which can be scaled smoothly and put through a colour profile."""
    if picture.mode.startswith("I;16"):
        return picture.point(lambda value: value * (1 / 256)).convert("L")
    if picture.has_transparency_data:
        return picture if picture.mode == "RGBA" else picture.convert("RGBA")
    if picture.mode in ("L", "RGB", "CMYK"):
        return picture
    return picture.convert("L" if picture.mode == "1" else "RGB")


def _narrowed(picture: Image.Image, width: int) -> Image.Image:
    """Return the picture at most `width` wide, its proportions kept."""
    if picture.width <= width:
        return picture
    height = max(1, round(picture.height * width / picture.width))
    return picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)


def _in_srgb(picture: Image.Image, profile: object) -> Image.Image:
    """Return an RGB or RGBA picture in the colours of the web, by its own colour profile where that is usable."""
    mode = "RGBA" if picture.mode == "RGBA" else "RGB"
    if isinstance(profile, bytes) and len(profile) <= MAX_PROFILE_BYTES:
        # A profile that does not fit its picture is ignored, as browsers do.
        with suppress(ImageCms.PyCMSError, OSError):
            source, target = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
            return ImageCms.profileToProfile(picture, source, target, outputMode=mode) or picture.convert(mode)
    return picture.convert(mode)


def _rendition(picture: Image.Image, extension: str) -> bytes:
    """Return the bytes that readers get: a JPEG within its budget if it can be, or a PNG with a palette."""
    if extension == "png":
        return _png(picture.convert("RGBA").quantize(256, Image.Quantize.FASTOCTREE))
    budget = RENDITION_BYTES_PER_PIXEL * picture.width * picture.height
    *better, last = RENDITION_QUALITIES
    tries = (_jpeg(picture, quality) for quality in better)
    return next((content for content in tries if len(content) <= budget), None) or _jpeg(picture, last)


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    buffer = BytesIO()
    picture.convert("RGB").save(buffer, "JPEG", quality=quality, progressive=True, optimize=True)
    return buffer.getvalue()


def _png(picture: Image.Image) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, "PNG", optimize=picture.mode == "P")
    return buffer.getvalue()


def _store(path: Path, content: bytes) -> None:
    """Write a file so that it is either there whole or not at all.

    The web server may read renditions (0644 in 0755) and nobody else an original (0600 in 0700), whatever the umask.
    """
    if path.exists():
        return
    is_private = path.parent.name == "originals"
    _make_directory(path.parent, 0o700 if is_private else 0o755)
    handle, temporary = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), 0o600 if is_private else 0o644)
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
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
