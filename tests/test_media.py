"""Uploaded pictures: stored without metadata, scaled down, with renditions."""

from __future__ import annotations

import hashlib
import os
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from spectator import media
from spectator.media import PictureError, store_upload
from tests.picture_samples import chunk, encoded, photograph, png, refusal, store_bytes


def near(colour: object, expected: tuple[int, ...], tolerance: int = 12) -> bool:
    assert isinstance(colour, tuple)
    return all(abs(a - b) <= tolerance for a, b in zip(colour, expected, strict=True))


def test_a_photograph_is_stored_with_its_renditions(tmp_path: Path) -> None:
    picture, stored = store_bytes(encoded(photograph(1500, 1000), quality=95), tmp_path)
    content = (tmp_path / "originals" / f"{picture.digest}.jpg").read_bytes()
    assert (picture.extension, picture.width, picture.height) == ("jpg", 1500, 1000)
    assert picture.byte_size == len(content)
    assert picture.digest == hashlib.sha256(content).hexdigest()[:32]
    assert stored.format == "JPEG"
    assert stored.info["progressive"]
    names = media.rendition_names(picture.digest, "jpg", picture.width)
    assert [width for _, width in names] == [320, 480, 640, 960, 1280]
    assert names[2][0] == f"{picture.digest[:2]}/{picture.digest}-640.jpg"
    sizes = []
    for name, width in names:
        path = media.rendition_path(tmp_path, name)
        assert path
        with Image.open(path) as rendition:
            assert rendition.width == width
            assert abs(rendition.height - width * 1000 / 1500) <= 1
        sizes.append(path.stat().st_size)
    assert sizes == sorted(sizes)


@pytest.mark.parametrize("umask", [0o077, 0o000])
def test_the_web_server_can_read_only_renditions_whatever_the_umask(
    tmp_path: Path, umask: int
) -> None:
    before = os.umask(umask)
    try:
        store_upload(BytesIO(encoded(photograph(400, 300))), tmp_path / "media")
    finally:
        os.umask(before)
    media = tmp_path / "media"
    assert media.stat().st_mode & 0o077 == 0o011, "others may walk through"
    for path in (media / "renditions", *(media / "renditions").rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644), path
    for path in (media / "originals", *(media / "originals").rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_the_same_picture_is_stored_once(tmp_path: Path) -> None:
    data = encoded(photograph(700, 500))
    first = store_upload(BytesIO(data), tmp_path)
    moments = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.jpg")}
    assert store_upload(BytesIO(data), tmp_path) == first
    assert {
        path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()
    } == moments


def test_a_wide_original_is_scaled_down(tmp_path: Path) -> None:
    picture, _ = store_bytes(encoded(photograph(3000, 600), quality=60), tmp_path)
    assert (picture.width, picture.height) == (2560, 512)


@pytest.mark.parametrize(
    ("width", "widths"), [(2560, media.WIDTHS), (640, (320, 480, 640)), (319, (319,)), (8, (8,))]
)
def test_no_rendition_is_wider_than_the_original(width: int, widths: tuple[int, ...]) -> None:
    assert tuple(step for _, step in media.rendition_names("ab" * 16, "jpg", width)) == widths


def test_a_small_original_has_a_rendition_of_its_own_width(tmp_path: Path) -> None:
    picture, _ = store_bytes(encoded(photograph(200, 100)), tmp_path)
    [(name, width)] = media.rendition_names(picture.digest, picture.extension, picture.width)
    assert width == 200
    assert (tmp_path / "renditions" / name).is_file()


def test_metadata_is_dropped_and_orientation_applied(tmp_path: Path) -> None:
    picture = Image.new("RGB", (400, 200), "red")
    picture.paste("blue", (0, 0, 200, 200))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn a quarter clockwise
    exif[0x010F] = "A camera maker"
    exif.get_ifd(0x8825).update({1: "S", 2: (1.0, 17.0, 24.0), 3: "E", 4: (36.0, 49.0, 12.0)})
    data = encoded(picture, exif=exif, comment=b"a source's name", dpi=(300, 300), quality=95)
    assert b"A camera maker" in data
    result, stored = store_bytes(data, tmp_path)
    assert (result.width, result.height) == (200, 400)
    assert near(stored.getpixel((100, 50)), (0, 0, 254))
    assert near(stored.getpixel((100, 350)), (254, 0, 0))
    assert not stored.getexif()
    assert not {"exif", "comment", "dpi", "icc_profile", "xmp"} & set(stored.info)
    for path in tmp_path.rglob("*.jpg"):
        content = path.read_bytes()
        assert b"camera" not in content
        assert b"source's" not in content


@pytest.mark.parametrize(("orientation", "size"), [(3, (60, 30)), (4, (60, 30)), (5, (30, 60))])
def test_a_picture_is_as_wide_as_its_orientation_says(
    orientation: int, size: tuple[int, int], tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    result, stored = store_bytes(encoded(Image.new("RGB", (60, 30)), exif=exif), tmp_path)
    assert (result.width, result.height) == stored.size == size


@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\0\0II*\0",
        b"Exif\0\0" + b"\xff" * 40,
        b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\1" * 60,
    ],
)
def test_a_picture_with_damaged_exif_data_is_stored(exif: bytes, tmp_path: Path) -> None:
    picture, _ = store_bytes(encoded(photograph(300, 200), exif=exif), tmp_path)
    assert (picture.width, picture.height) == (300, 200)


def test_a_colour_profile_is_applied_and_dropped(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # In this profile red is where blue ought to be.
    swapped = srgb.replace(b"rXYZ", b"?XYZ").replace(b"bXYZ", b"rXYZ").replace(b"?XYZ", b"bXYZ")
    red = Image.new("RGB", (64, 64), "red")
    for profile, colour in (
        (srgb, (254, 0, 0)),
        (swapped, (0, 0, 254)),
        (b"not a profile" * 9, (254, 0, 0)),
    ):
        for kind in ("JPEG", "PNG", "WEBP"):
            _, stored = store_bytes(encoded(red, kind, icc_profile=profile), tmp_path)
            assert near(stored.getpixel((30, 30)), colour), (kind, profile[:20])
            assert "icc_profile" not in stored.info


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    picture, stored = store_bytes(
        encoded(Image.new("CMYK", (64, 64), (0, 255, 255, 0)), quality=95), tmp_path
    )
    assert (picture.extension, stored.mode) == ("jpg", "RGB")
    assert near(stored.getpixel((30, 30)), (255, 0, 0))


def test_sixteen_bit_grey_keeps_its_tones(tmp_path: Path) -> None:
    row = b"\0" + b"\x80\x00" * 64
    data = png(64, 64, chunk(b"IDAT", zlib.compress(row * 64)), depth=16)
    _, stored = store_bytes(data, tmp_path)
    assert near(stored.getpixel((30, 30)), (128, 128, 128), 2)


def test_visible_transparency_is_kept(tmp_path: Path) -> None:
    palette = Image.new("P", (400, 300), 0)
    palette.putpalette([200, 30, 30, 10, 120, 40])
    palette.paste(1, (0, 0, 200, 300))
    picture, stored = store_bytes(encoded(palette, "PNG", transparency=b"\x00\xff"), tmp_path)
    assert (picture.extension, stored.mode) == ("png", "RGBA")
    assert stored.getpixel((100, 100)) == (10, 120, 40, 255)
    assert stored.getchannel("A").getpixel((300, 100)) == 0
    [(name, _)] = media.rendition_names(picture.digest, "png", picture.width)
    with Image.open(tmp_path / "renditions" / name) as rendition:
        assert near(rendition.convert("RGBA").getpixel((80, 80)), (10, 120, 40, 255), 2)
        assert rendition.convert("RGBA").getchannel("A").getpixel((300, 100)) == 0


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_picture_with_an_opaque_alpha_channel_becomes_a_jpeg(kind: str, tmp_path: Path) -> None:
    picture, _ = store_bytes(encoded(photograph(400, 300).convert("RGBA"), kind), tmp_path)
    assert picture.extension == "jpg"


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF"])
def test_an_animation_is_refused_and_a_single_frame_stored(kind: str, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("lime", "red", "blue")]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=50)
    assert "animated" in refusal(data, tmp_path)
    store_bytes(encoded(frames[0], kind, save_all=True), tmp_path)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_png_mode_is_accepted(mode: str, tmp_path: Path) -> None:
    picture, _ = store_bytes(encoded(Image.new(mode, (2600, 300)), "PNG"), tmp_path)
    assert (picture.width, picture.height) == (2560, 295)


def test_deleted_renditions_are_made_again_identically(tmp_path: Path) -> None:
    picture, _ = store_bytes(encoded(photograph(1000, 700)), tmp_path)
    names = media.missing_renditions(tmp_path, picture.digest, picture.extension, picture.width)
    assert names == []
    before = {path: path.read_bytes() for path in tmp_path.rglob("renditions/*/*")}
    assert len(before) == 4
    assert media.make_renditions(tmp_path, picture.digest, picture.extension, picture.width) == 0
    for path in sorted(before)[1:3]:
        path.unlink()
    assert (
        len(media.missing_renditions(tmp_path, picture.digest, picture.extension, picture.width))
        == 2
    )
    assert media.make_renditions(tmp_path, picture.digest, picture.extension, picture.width) == 2
    assert {path: path.read_bytes() for path in tmp_path.rglob("renditions/*/*")} == before


def test_making_renditions_without_a_good_original_fails(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        media.make_renditions(tmp_path, "ab" * 16, "jpg", 640)
    (tmp_path / "originals").mkdir()
    (tmp_path / "originals" / f"{'ab' * 16}.jpg").write_bytes(b"\xff\xd8\xff rotten")
    with pytest.raises(PictureError):
        media.make_renditions(tmp_path, "ab" * 16, "jpg", 640)


def test_renditions_of_detailed_photographs_are_compressed_more(tmp_path: Path) -> None:
    noise = Image.effect_noise((640, 427), 60).convert("RGB")
    picture, _ = store_bytes(encoded(noise, quality=95), tmp_path)
    rendition = tmp_path / "renditions" / media.rendition_names(picture.digest, "jpg", 640)[-1][0]
    assert rendition.stat().st_size < len(
        encoded(noise, quality=60, progressive=True, optimize=True)
    )
    calm, _ = store_bytes(encoded(photograph(640, 427), quality=95), tmp_path)
    assert (
        tmp_path / "renditions" / media.rendition_names(calm.digest, "jpg", 640)[-1][0]
    ).stat().st_size < 30_000


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_full_disk_leaves_no_half_written_file(
    failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(f"spectator.media.stores.os.{failing}", full)
    with pytest.raises(OSError, match="No space left"):
        store_upload(BytesIO(encoded(photograph(300, 200))), tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    monkeypatch.undo()
    store_upload(BytesIO(encoded(photograph(300, 200))), tmp_path)


DIGEST = "0123456789abcdef" * 2


def test_rendition_names_become_paths_in_the_directory(tmp_path: Path) -> None:
    assert (
        media.rendition_path(tmp_path, f"01/{DIGEST}-640.jpg")
        == tmp_path / "renditions" / "01" / f"{DIGEST}-640.jpg"
    )
    assert media.rendition_path(tmp_path, f"01/{DIGEST}-8.png")


@pytest.mark.parametrize(
    "name",
    [
        "",
        f"02/{DIGEST}-640.jpg",
        f"01/{DIGEST}.jpg",
        f"01/{DIGEST}-640.svg",
        f"01/{DIGEST}-640.jpg\n",
        f"01/{DIGEST}-640.jpg/",
        f"01/{DIGEST}-٦٤٠.jpg",
        f"01/{DIGEST}-99999.jpg",
        f"01/{DIGEST}-0640.jpg",
        f"01/{DIGEST.upper()}-640.jpg",
        f"/01/{DIGEST}-640.jpg",
        f"../01/{DIGEST}-640.jpg",
        f"01/../01/{DIGEST}-640.jpg",
        f"01\\{DIGEST}-640.jpg",
        f"originals/{DIGEST}.jpg",
        f"../originals/{DIGEST}.jpg",
        f"{DIGEST}-640.jpg",
        "../../etc/passwd",
        f"01/{DIGEST}-640.jpg\0",
    ],
)
def test_any_other_name_has_no_path(name: str, tmp_path: Path) -> None:
    assert media.rendition_path(tmp_path, name) is None
