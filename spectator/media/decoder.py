"""The picture decoder: a separate program with limited memory and time.

`python -I decoder.py original SOURCE DIRECTORY` writes `original.<extension>` and its renditions as
`<width>.<extension>`; `… renditions SOURCE DIRECTORY 320.jpg 640.avif …` writes those. The
result is one JSON object on standard output. The program imports nothing else from this site: it
has to start fast, and it reads untrusted bytes.
"""

from __future__ import annotations

import json
import math
import mmap
import re
import resource
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image, ImageCms, ImageFile, features
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

# Limits of an upload. libjpeg scales while it decodes, so a JPEG may be larger than other formats.
MAX_BYTES = 40 * 1024 * 1024
MAX_JPEG_PIXELS, MAX_PIXELS = 50_000_000, 25_000_000
MIN_SIDE, MAX_SIDE, MAX_ASPECT = 8, 12_000, 10
# An empty scan of a progressive JPEG takes a few dozen bytes but costs a pass over every block.
# Encoders write about ten scans.
MAX_SCANS = 300
MAX_PROFILE_BYTES = 4 * 1024 * 1024
# Limits of this program. The coefficients of a progressive JPEG of 50 megapixels take 300 MB.
MEMORY_BYTES, CPU_SECONDS, FILE_BYTES = 768 * 1024 * 1024, 30, 256 * 1024 * 1024

ORIGINAL_WIDTH, ORIGINAL_QUALITY = 2560, 82
# Original and renditions may take this many bytes, or three times the upload. Otherwise the picture
# is stored narrower: noise as a lossy WebP takes twenty times as many bytes in PNG.
STORED_BYTES, STORED_GROWTH = 4_000_000, 3
WIDTHS = (320, 480, 640, 960, 1280)
# Quality falls until 640 x 427 pixels fit into about 30 kB: most readers pay by the megabyte.
RENDITION_QUALITIES, RENDITION_BYTES_PER_PIXEL = (70, 60, 50), 0.11
# Phones of 360 pixels at twice the density load 640 or 720. AVIF has half the bytes: for each
# quality of a JPEG the one that looks the same. Encoding takes 40 bytes and 0.3 µs a pixel.
AVIF_WIDTHS = (320, 480, 640, 720, 960, 1280)
AVIF_QUALITIES, AVIF_SPEED, MAX_AVIF_PIXELS = (55, 50, 40), 6, 3_300_000
HAS_AVIF = bool(features.check("avif"))  # not in every build of Pillow


def gettext_noop(message: str) -> str:
    """Mark a message for the catalogues: `sandbox` translates what this program prints."""
    return message


DAMAGED = gettext_noop(
    "The picture is damaged or incomplete. Export it again and upload the new file."
)
ANIMATED = gettext_noop(
    "This picture is animated. Upload a still picture, such as one frame of it."
)
NO_MEMORY = gettext_noop(
    "There is not enough memory to open this picture. Try again later or upload a smaller one."
)

# The reader for each file signature. `Image.open` would import all readers of Pillow, and its limit
# of 179 megapixels would apply before ours without naming the size.
_READERS: tuple[tuple[re.Pattern[bytes], type[ImageFile.ImageFile]], ...] = (
    (re.compile(rb"\xff\xd8\xff"), JpegImageFile),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), PngImageFile),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), WebPImageFile),
    (re.compile(rb"GIF8[79]a"), GifImageFile),
)
# EXIF 2.32, tag 274: how the picture must be turned to stand upright.
_ORIENTATION_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class PictureError(ValueError):
    """An upload that is refused; the message tells the person who sent it why.

    `values` fill in the placeholders of the message, such as %(limit)s.
    """

    def __init__(self, message: str, **values: int) -> None:
        super().__init__(message % values if values else message)
        self.message, self.values = message, values


class PictureResourceError(PictureError):
    """A picture that was not opened for lack of memory or time; a later attempt may succeed."""


def make_original(data: bytes, directory: Path) -> dict[str, Any]:
    """Write the original and the renditions of an upload; return its extension and size.

    If they take too many bytes, the original becomes as wide as the widest rendition, which no
    reader notices; then it is compressed like a rendition; then it becomes narrower.
    """
    picture, limit = _decode(data, ORIGINAL_WIDTH), max(STORED_BYTES, STORED_GROWTH * len(data))
    extension = "png" if picture.mode == "RGBA" else "jpg"
    attempts = [(ORIGINAL_WIDTH, False), (WIDTHS[-1], False)]
    for width, is_compressed in attempts + [(width, True) for width in reversed(WIDTHS)]:
        picture = _shrink_to_width(picture, width)
        if is_compressed:
            content = _rendition(picture, extension)
        else:
            content = _jpeg(picture, ORIGINAL_QUALITY) if extension == "jpg" else _png(picture)
        if _write_original(content, directory, extension, picture.width) <= limit:
            break
    return {"extension": extension, "width": picture.width, "height": picture.height}


def _write_original(content: bytes, directory: Path, extension: str, width: int) -> int:
    """Write an original and its renditions; return their bytes."""
    files = [f"{size}.{extension}" for size in rendition_widths(width)]
    (directory / f"original.{extension}").write_bytes(content)
    make_renditions(content, directory, files)
    return len(content) + sum((directory / file).stat().st_size for file in files)


def make_renditions(content: bytes, directory: Path, files: Sequence[str]) -> dict[str, Any]:
    """Write renditions of an original, such as 320.jpg.

    All come from the same base, whichever are needed, so that a name always means the same bytes.
    """
    base = _decode(content, WIDTHS[-1])
    for file in files:
        width, _, extension = file.partition(".")
        (directory / file).write_bytes(_rendition(_shrink_to_width(base, int(width)), extension))
    return {}


def rendition_widths(width: int) -> list[int]:
    """Return the widths of the renditions of an original, narrowest first.

    None is wider than the original; one narrower than all WIDTHS has one of its own width.
    """
    return [standard for standard in WIDTHS if standard <= width] or [width]


def avif_widths(width: int, height: int) -> list[int]:
    """Return the widths of an original's AVIF renditions, narrowest first.

    An original whose widest one would have too many pixels has none.
    """
    widths = [standard for standard in AVIF_WIDTHS if standard <= width] or [width]
    return widths if widths[-1] ** 2 * height <= MAX_AVIF_PIXELS * width else []


def _decode(data: bytes, width: int) -> Image.Image:
    """Return the picture upright, at most `width` wide, in sRGB; "RGBA" only if transparent."""
    picture = _open_header(data)
    try:
        orientation = _orientation(picture)
        upright_width = picture.height if orientation >= 5 else picture.width
        shrink = min(1.0, width / upright_width)
        # libjpeg halves while it decodes: a quarter of the memory, and no effect on other formats.
        picture.draft(
            None, (math.ceil(picture.width * shrink), math.ceil(picture.height * shrink))
        )
        picture.load()
        profile = picture.info.get("icc_profile")
        upright: Image.Image = _to_plain_mode(picture)
        if orientation in _ORIENTATION_TRANSPOSE:
            upright = upright.transpose(_ORIENTATION_TRANSPOSE[orientation])
        upright = _to_srgb(_shrink_to_width(upright, width), profile)
        if upright.mode == "RGBA" and upright.getchannel("A").getextrema() == (255, 255):
            upright = upright.convert("RGB")
    # Hostile bytes can raise anything in Pillow. No file is used here: if memory suffices, the
    # picture is at fault.
    except Exception as error:
        raise _failure(error, picture) from error
    upright.info = {}
    return upright


def _open_header(data: bytes) -> ImageFile.ImageFile:
    """Read only the header and return the picture, not yet decoded, if it is within the limits."""
    reader = next((reader for start, reader in _READERS if start.match(data)), None)
    if reader is None:
        raise PictureError(
            gettext_noop(
                "This file is not a picture we support. Upload a JPEG, PNG, WebP or GIF file."
            )
        )
    max_pixels = MAX_JPEG_PIXELS if reader is JpegImageFile else MAX_PIXELS
    try:
        picture = reader(BytesIO(data))
    except Image.DecompressionBombError as error:
        raise PictureError(
            gettext_noop(
                "The picture has far too many megapixels. The limit is %(limit)s; "
                "upload a smaller one."
            ),
            limit=max_pixels // 10**6,
        ) from error
    except Exception as error:  # As above: a hostile header can raise anything.
        raise _failure(error, None) from error
    _check_size(*picture.size, max_pixels)
    if reader is JpegImageFile and data.count(b"\xff\xda") > MAX_SCANS:
        raise PictureError(
            gettext_noop(
                "The picture has too many progressive scans. Export it again as an ordinary JPEG."
            )
        )
    if _is_animated(picture):
        raise PictureError(ANIMATED)
    return picture


def _is_animated(picture: ImageFile.ImageFile) -> bool:
    """Return whether there is a second frame; counting the frames of a GIF would read them all."""
    if not isinstance(picture, GifImageFile):
        return bool(getattr(picture, "is_animated", False))
    try:
        return bool(picture.is_animated)
    except Exception as error:
        raise _failure(error, picture) from error


def _failure(error: Exception, picture: Image.Image | None) -> PictureError:
    """Return why a picture could not be read: out of memory, or damaged.

    Decoders raise the same error for many causes, so this checks whether enough memory is left.
    """
    pixels = picture.width * picture.height if picture is not None else MAX_PIXELS
    if isinstance(error, MemoryError) or not _is_memory_available(12 * pixels):
        return PictureResourceError(NO_MEMORY)
    return PictureError(DAMAGED)


def _is_memory_available(size: int) -> bool:
    """Return whether this program can allocate that many more bytes."""
    try:
        mmap.mmap(-1, max(size, 1)).close()
    except (OSError, MemoryError):
        return False
    return True


def _check_size(width: int, height: int, limit: int) -> None:
    """Raise PictureError for a size that costs too much to decode or that no page can show."""
    if width * height > limit:
        raise PictureError(
            gettext_noop(
                "The picture has %(count)s megapixels. The limit is %(limit)s; "
                "upload a smaller one."
            ),
            count=math.ceil(width * height / 1e6),
            limit=limit // 10**6,
        )
    shortest, longest = sorted((width, height))
    if shortest < MIN_SIDE or longest > MAX_SIDE or longest > MAX_ASPECT * shortest:
        raise PictureError(
            gettext_noop(
                "The picture is %(width)s × %(height)s pixels. "
                "Sides must be %(shortest)s to %(longest)s, one at most %(aspect)s times the other."
            ),
            width=width,
            height=height,
            shortest=MIN_SIDE,
            longest=MAX_SIDE,
            aspect=MAX_ASPECT,
        )


def _orientation(picture: ImageFile.ImageFile) -> int:
    """Return the EXIF orientation, 1 to 8."""
    try:
        value = picture.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # A damaged EXIF block does not mean a damaged picture.
        return 1
    return value if value in _ORIENTATION_TRANSPOSE else 1


def _to_plain_mode(picture: Image.Image) -> Image.Image:
    """Return the picture as L, RGB, RGBA or CMYK, which can be resized and colour-managed."""
    if picture.mode.startswith("I;16"):
        return picture.point(lambda value: value * (1 / 256)).convert("L")
    if picture.has_transparency_data:
        return picture if picture.mode == "RGBA" else picture.convert("RGBA")
    if picture.mode in ("L", "RGB", "CMYK"):
        return picture
    return picture.convert("L" if picture.mode == "1" else "RGB")


def _shrink_to_width(picture: Image.Image, width: int) -> Image.Image:
    """Return the picture at most `width` wide, in its own proportions."""
    if picture.width <= width:
        return picture
    height = max(1, round(picture.height * width / picture.width))
    return picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)


def _to_srgb(picture: Image.Image, profile: object) -> Image.Image:
    """Return an RGB or RGBA picture in sRGB, converted by its colour profile if usable."""
    mode = "RGBA" if picture.mode == "RGBA" else "RGB"
    if isinstance(profile, bytes) and len(profile) <= MAX_PROFILE_BYTES:
        # A profile that does not fit its picture is ignored, as browsers do.
        with suppress(ImageCms.PyCMSError, OSError):
            source, target = (
                ImageCms.ImageCmsProfile(BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
            )
            return ImageCms.profileToProfile(
                picture, source, target, outputMode=mode
            ) or picture.convert(mode)
    return picture.convert(mode)


def _rendition(picture: Image.Image, extension: str) -> bytes:
    """Return the bytes of a rendition: a palette PNG, or within its budget if possible."""
    if extension == "png":
        return _png(picture.convert("RGBA").quantize(256, Image.Quantize.FASTOCTREE))
    content, level = _fit_jpeg(picture)
    # A JPEG takes a tenth of the time of AVIF, and tells as well how much detail there is.
    return _avif(picture, AVIF_QUALITIES[level]) if extension == "avif" else content


def _fit_jpeg(picture: Image.Image) -> tuple[bytes, int]:
    """Return a JPEG within its budget, or the smallest one, and the index of its quality."""
    budget = RENDITION_BYTES_PER_PIXEL * picture.width * picture.height
    for level, quality in enumerate(RENDITION_QUALITIES[:-1]):
        content = _jpeg(picture, quality)
        if len(content) <= budget:
            return content, level
    return _jpeg(picture, RENDITION_QUALITIES[-1]), len(RENDITION_QUALITIES) - 1


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    buffer = BytesIO()
    picture.convert("RGB").save(buffer, "JPEG", quality=quality, progressive=True, optimize=True)
    return buffer.getvalue()


def _avif(picture: Image.Image, quality: int) -> bytes:
    buffer = BytesIO()
    # One thread: more would need more memory, and could write other bytes.
    picture.save(buffer, "AVIF", quality=quality, speed=AVIF_SPEED, max_threads=1)
    return buffer.getvalue()


def _png(picture: Image.Image) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, "PNG", optimize=picture.mode == "P")
    return buffer.getvalue()


def limit_resources() -> None:
    """Lower the resource limits of this program; a lower limit that it inherited stays."""
    for kind, maximum in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        limit = maximum if hard == resource.RLIM_INFINITY else min(maximum, hard)
        resource.setrlimit(kind, (limit, limit))


def main(job: str, source: Path, directory: Path, *files: str) -> dict[str, Any]:
    """Do one job; return its result, or the error as `refused`, `unopened` or `errno`."""
    warnings.filterwarnings("ignore")  # Warnings about odd files: our own limits decide.
    try:
        data = source.read_bytes()
        if job == "renditions":
            return make_renditions(data, directory, files)
        return make_original(data, directory)
    except PictureResourceError as unopened:
        return {"unopened": unopened.message, "values": unopened.values}
    except PictureError as refused:
        return {"refused": refused.message, "values": refused.values}
    except MemoryError:
        return {"unopened": NO_MEMORY}
    except OSError as error:
        return {"errno": error.errno, "strerror": error.strerror}


if __name__ == "__main__":
    limit_resources()
    sys.stdout.write(
        json.dumps(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), *sys.argv[4:]))
    )
