"""Costs of an upload: sizes at every limit, bounded memory and time."""

from __future__ import annotations

import random
import resource
import struct
import subprocess
import sys
import threading
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from spectator import media
from spectator.media import PictureError, PictureResourceError, decoder, sandbox, store_upload
from tests.picture_samples import chunk, encoded, photograph, store_bytes

# A process that stores the largest pictures may grow by this much; decoding takes far more and
# happens in another process.
MAX_GROWTH_BYTES = 20_000_000
# A program that stores a picture; it prints the width and its own growth in bytes.
STORE_PICTURE = """
import resource, sys
from pathlib import Path
from spectator import incoming, media
with open(sys.argv[1], "rb") as stream:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    picture = media.store_upload(stream, Path(sys.argv[2]))
    print(picture.width, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


def deep_png(width: int, height: int, colour: int, channels: int) -> bytes:
    """Return a PNG of 16 bits a channel, packed line by line."""
    packer, row = zlib.compressobj(1), b"\0" + b"\x80\x10" * (width * channels)
    data = b"".join([packer.compress(row) for _ in range(height)] + [packer.flush()])
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def large_jpeg(mode: str, **options: Any) -> bytes:
    """Return a JPEG of just under 50 megapixels."""
    picture = Image.new(mode, (8660, 5770), (90, 120, 30, 0)[: len(mode)])
    return encoded(picture, quality=80, **options)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("baseline", lambda: large_jpeg("RGB")),
        ("progressive 4:4:4", lambda: large_jpeg("RGB", progressive=True, subsampling=0)),
        ("progressive CMYK", lambda: large_jpeg("CMYK", progressive=True, subsampling=0)),
        ("16-bit RGBA PNG", lambda: deep_png(5000, 5000, 6, 4)),
        ("16-bit grey PNG", lambda: deep_png(5000, 5000, 0, 1)),
        ("16-bit grey PNG with alpha", lambda: deep_png(5000, 5000, 4, 2)),
        (
            "RGBA WebP",
            lambda: encoded(
                Image.new("RGBA", (5000, 5000), (9, 9, 9, 9)), "WEBP", lossless=True, method=0
            ),
        ),
    ],
)
def test_the_largest_pictures_are_stored_without_much_memory_in_this_process(
    name: str, data: Any, tmp_path: Path
) -> None:
    upload = tmp_path / "upload"
    upload.write_bytes(data())
    command = [sys.executable, "-c", STORE_PICTURE, str(upload), str(tmp_path / "media")]
    result = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert result.returncode == 0, result.stderr
    width, growth = map(int, result.stdout.split())
    assert width == 2560, name
    assert growth < MAX_GROWTH_BYTES, name


def padded(data: bytes, size: int) -> bytes:
    """Return a picture of exactly that many bytes; decoders ignore what follows its end."""
    return data + bytes(size - len(data))


def test_pictures_over_40_megabytes_are_refused(tmp_path: Path) -> None:
    data = encoded(photograph(64, 64))
    store_upload(BytesIO(padded(data, media.MAX_BYTES)), tmp_path)
    with pytest.raises(PictureError, match="larger than 40 MB"):
        store_upload(BytesIO(padded(data, media.MAX_BYTES + 1)), tmp_path)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_running_out_of_memory_is_not_reported_as_a_damaged_picture(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"progressive": True, "subsampling": 0} if kind == "JPEG" else {}
    if kind == "GIF":
        picture = Image.effect_noise((4500, 4500), 60).convert("RGB").quantize(64)
    else:
        picture = photograph(4500, 4500)
    upload = BytesIO(encoded(picture, kind, **options))
    program = tmp_path / "decoding.py"
    text = Path(decoder.__file__).read_text(encoding="utf-8")
    program.write_text(
        text.replace(
            "MEMORY_BYTES, CPU_SECONDS, FILE_BYTES = 768",
            "MEMORY_BYTES, CPU_SECONDS, FILE_BYTES = 72",
        )
    )
    assert program.read_text() != text
    monkeypatch.setattr(sandbox, "PROGRAM", program)
    with pytest.raises(PictureResourceError, match="memory"):
        store_upload(upload, tmp_path / "media")
    assert not [path for path in (tmp_path / "media").rglob("*") if path.is_file()]


def test_a_memory_limit_of_this_process_is_not_reported_as_a_damaged_picture(
    tmp_path: Path,
) -> None:
    (tmp_path / "upload").write_bytes(encoded(photograph(4000, 4000), "PNG"))
    limits = (110_000_000, 110_000_000)
    code = f"import resource; resource.setrlimit(resource.RLIMIT_AS, {limits})\n{STORE_PICTURE}"
    command = [sys.executable, "-c", code, str(tmp_path / "upload"), str(tmp_path / "media")]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "PictureResourceError: There is not enough memory" in result.stderr
    assert "damaged" not in result.stderr


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ("import time; time.sleep(60)", "too long"),
        ("import os; os.kill(os.getpid(), 24)", "too long"),
        ("import os; os.kill(os.getpid(), 9)", "memory"),
        ("import os; os.kill(os.getpid(), 11)", "damaged"),
        ("raise RuntimeError('a fault of ours')", "the reason is in its log"),
        ("raise MemoryError", "memory"),
    ],
)
def test_every_failure_of_the_decoder_gives_a_readable_message(
    end: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "program.py"
    program.write_text(end)
    monkeypatch.setattr(sandbox, "PROGRAM", program)
    monkeypatch.setattr(sandbox, "WALL_SECONDS", 1.0)
    with pytest.raises(PictureError, match=words) as refused:
        store_upload(BytesIO(encoded(photograph(64, 64))), tmp_path / "media")
    assert isinstance(refused.value, PictureResourceError) is (words != "damaged")
    assert not [path for path in (tmp_path / "media").rglob("*") if path.is_file()]


@pytest.mark.parametrize("job", ["original", "renditions"])
def test_an_error_of_the_disk_keeps_its_number(job: str, tmp_path: Path) -> None:
    (tmp_path / "upload").write_bytes(encoded(photograph(64, 64)))
    with pytest.raises(FileNotFoundError, match="No such file or directory"):
        sandbox.decode(job, tmp_path / "upload", tmp_path / "missing", "320.avif")


def test_the_decoder_limits_its_memory_and_cpu_time() -> None:
    command = (
        f"import runpy; decoding = runpy.run_path({decoder.__file__!r});"
        " decoding['limit_resources'](); "
        + (
            "import resource; kinds = resource.RLIMIT_AS, resource.RLIMIT_CPU; "
            "print(*(resource.getrlimit(kind)[1] for kind in kinds))"
        )
    )
    result = subprocess.run(
        [sys.executable, "-I", "-c", command], capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == [str(decoder.MEMORY_BYTES), str(decoder.CPU_SECONDS)]
    assert resource.getrlimit(resource.RLIMIT_CPU)[1] == resource.RLIM_INFINITY, (
        "this process has no limit"
    )


class HeldLock:
    """Lock that nobody can acquire; it records timeouts and lets only the first caller wait."""

    def __init__(self) -> None:
        self.timeouts: list[float] = []
        self.is_waited_for, self.released = threading.Event(), threading.Event()

    def acquire(self, timeout: float) -> bool:
        self.timeouts.append(timeout)
        if timeout and len(self.timeouts) == 1:
            self.is_waited_for.set()
            self.released.wait(60)
        return False


def test_only_one_picture_waits_while_another_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = HeldLock()
    slots = threading.BoundedSemaphore(sandbox._slots._initial_value)  # type: ignore[attr-defined]
    monkeypatch.setattr(sandbox, "_decoder_lock", lock)
    monkeypatch.setattr(sandbox, "_slots", slots)
    assert slots.acquire(blocking=False)  # for the picture that is decoded
    data = encoded(photograph(64, 64))

    def refused() -> None:
        with pytest.raises(PictureResourceError, match="busy with other pictures"):
            store_upload(BytesIO(data), tmp_path)

    waiting = threading.Thread(target=refused)
    waiting.start()
    assert lock.is_waited_for.wait(60)
    for _ in range(3):
        refused()
    assert lock.timeouts == [sandbox.WAIT_SECONDS], "other pictures do not wait"
    lock.released.set()
    waiting.join(60)
    assert slots.acquire(blocking=False), "every slot is free again"


def test_an_upload_waits_for_the_slowest_picture_and_only_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy waits 60 seconds for the newsroom, and the picture itself takes some of them."""
    waits: list[float] = []

    class FreeLock:
        def acquire(self, timeout: float) -> bool:
            waits.append(timeout)
            return True

        def release(self) -> None:
            """Release nothing."""

    monkeypatch.setattr(sandbox, "_decoder_lock", FreeLock())
    store_upload(BytesIO(encoded(photograph(64, 64))), tmp_path, with_avif=True)
    assert waits == [sandbox.WAIT_SECONDS, 0]
    assert decoder.CPU_SECONDS <= sandbox.WAIT_SECONDS < sandbox.UPLOAD_SECONDS <= 50


def test_an_upload_that_has_waited_has_less_time_for_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times: list[float] = []
    run = subprocess.run

    def record(command: list[str], *, timeout: float, **options: Any) -> Any:
        times.append(timeout)
        return run(command, timeout=timeout, **options)

    monkeypatch.setattr(subprocess, "run", record)
    monkeypatch.setattr(sandbox, "WALL_SECONDS", 1000.0)
    store_upload(BytesIO(encoded(photograph(64, 64))), tmp_path, with_avif=True)
    assert sandbox.UPLOAD_SECONDS >= times[0] > times[1] > 0


def upscaled_noise(width: int, height: int) -> bytes:
    """Return a WebP that takes twenty times as many bytes in PNG."""
    noise = Image.frombytes("RGBA", (160, 160), random.Random(1).randbytes(160 * 160 * 4))
    picture = noise.resize((width, height), Image.Resampling.BICUBIC)
    return encoded(picture, "WEBP", quality=5, alpha_quality=20, method=1)


def tiled_noise(mode: str, width: int, height: int) -> bytes:
    """Return a PNG of equal tiles: shrunk, they are no longer equal."""
    tile = Image.frombytes(mode, (64, 64), random.Random(2).randbytes(64 * 64 * len(mode)))
    picture = Image.new(mode, (width, height))
    for x in range(0, width, 64):
        picture.paste(tile, (x, 0))
    for y in range(64, height, 64):
        picture.paste(picture.crop((0, 0, width, 64)), (0, y))
    return encoded(picture, "PNG")


@pytest.mark.parametrize(
    "data",
    [
        lambda: upscaled_noise(1600, 1600),
        lambda: tiled_noise("RGBA", 2600, 2600),
        lambda: tiled_noise("RGB", 1200, 5000),
    ],
)
def test_a_small_upload_does_not_store_many_times_its_bytes(data: Any, tmp_path: Path) -> None:
    upload = data()
    store_upload(BytesIO(upload), tmp_path)
    stored = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert stored <= max(decoder.STORED_BYTES, decoder.STORED_GROWTH * len(upload))


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_transparent_picture_keeps_its_size_and_colours(kind: str, tmp_path: Path) -> None:
    picture = photograph(2400, 1600).convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    upload = encoded(picture, kind, lossless=True, exact=True)
    result, stored = store_bytes(upload, tmp_path)
    assert (result.width, result.extension) == (2400, "png")
    assert stored.tobytes() == picture.tobytes()


def stored_bytes(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def test_a_lossy_cutout_that_is_too_large_as_png_keeps_its_renditions(tmp_path: Path) -> None:
    noise = Image.frombytes("RGB", (320, 200), random.Random(3).randbytes(320 * 200 * 3))
    picture = Image.blend(
        photograph(1920, 1200), noise.resize((1920, 1200), Image.Resampling.BICUBIC), 0.3
    )
    picture.putalpha(Image.radial_gradient("L").resize(picture.size))
    upload = encoded(picture, "WEBP", quality=60, method=1)
    result, stored = store_bytes(upload, tmp_path)
    assert (result.width, stored.mode) == (1280, "RGBA")
    with Image.open(BytesIO(upload)) as sent:
        sent.load()
    base = decoder._shrink_to_width(sent, 1280)
    for name, width in media.rendition_names(result.digest, "png", result.width):
        path = media.rendition_path(tmp_path, name)
        assert path
        expected = decoder._rendition(decoder._shrink_to_width(base, width), "png")
        assert path.read_bytes() == expected, name
