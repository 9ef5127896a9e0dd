"""AVIF renditions: made for uploads and for older pictures, and named by pages once they exist."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from spectator import avif, media, publishing, queries
from spectator.avif import AvifMaker
from spectator.config import PROJECT_ROOT
from spectator.db import db
from spectator.media import PictureResourceError, decoder
from spectator.media.names import STORED_NAME
from spectator.models import Picture, User
from spectator.publishing import Action
from spectator.renditions import RenditionConsumer
from tests.conftest import make_draft
from tests.newsroom_client import NEW_STORY, logged_in_client, post, story_form, upload
from tests.picture_samples import encoded, photograph

pytestmark = pytest.mark.skipif(not media.HAS_AVIF, reason="this build of Pillow writes no AVIF")
Story = Callable[..., int]
WIDTHS = [320, 480, 640, 720, 960, 1280]


def store(
    location: media.Location, width: int, height: int, **options: Any
) -> media.StoredPicture:
    data = encoded(photograph(width, height), quality=90)
    return media.store_upload(BytesIO(data), location, **options)


def add_picture(app: Flask, width: int = 700, height: int = 400, **options: Any) -> Picture:
    stored = store(app.config["MEDIA"], width, height, **options)
    with db.write() as session:
        picture_id = publishing.add_picture(session, stored, None)
    picture = queries.picture(picture_id)
    assert picture is not None
    db.session.expunge(picture)
    return picture


def avif_files(location: media.Location) -> list[str]:
    assert isinstance(location, Path)
    return sorted(path.name for path in location.rglob("renditions/*/*.avif"))


def has_avif(picture_id: int) -> bool:
    db.session.rollback()
    picture = queries.picture(picture_id)
    assert picture is not None
    db.session.refresh(picture)
    return picture.has_avif


@pytest.fixture
def maker(app: Flask, monkeypatch: pytest.MonkeyPatch) -> AvifMaker:
    """Task that makes AVIF renditions without pauses."""
    monkeypatch.setattr(avif, "PAUSE_FACTOR", 0.0)
    return AvifMaker(app.config["MEDIA"], lambda: True)


def test_renditions_have_every_width_and_half_the_bytes(tmp_path: Path) -> None:
    picture = store(tmp_path, 1500, 1000, with_avif=True)
    assert picture.has_avif
    names = media.avif_names(picture.digest, 1500, 1000)
    assert [width for _, width in names] == WIDTHS
    sizes = {}
    for name, width in names:
        content = (tmp_path / "renditions" / name).read_bytes()
        with Image.open(BytesIO(content)) as rendition:
            assert (rendition.format, rendition.width) == ("AVIF", width)
            assert abs(rendition.height - width * 2 / 3) <= 1
        sizes[width] = len(content)
    assert list(sizes.values()) == sorted(sizes.values())
    for name, width in media.rendition_names(picture.digest, "jpg", 1500):
        assert sizes[width] < 0.6 * (tmp_path / "renditions" / name).stat().st_size


def test_detail_costs_quality_and_the_budget_holds(tmp_path: Path) -> None:
    noise = Image.merge("RGB", [Image.effect_noise((160, 107), 40).resize((720, 480))] * 3)
    data = encoded(noise, quality=95)
    picture = media.store_upload(BytesIO(data), tmp_path, with_avif=True)
    sizes = {path.name[33:]: path.stat().st_size for path in tmp_path.rglob("*/*/*.avif")}
    assert sizes["640.avif"] <= 25_000
    assert picture.has_avif


def test_transparent_pictures_stay_transparent_and_small_ones_small(tmp_path: Path) -> None:
    picture = Image.new("RGBA", (40, 9), (200, 0, 0, 0))
    picture.paste((200, 0, 0, 255), (20, 0, 40, 9))
    stored = media.store_upload(BytesIO(encoded(picture, "PNG")), tmp_path, with_avif=True)
    ((name, width),) = media.avif_names(stored.digest, stored.width, stored.height)
    with Image.open(tmp_path / "renditions" / name) as rendition:
        assert (rendition.mode, rendition.size, width) == ("RGBA", (40, 9), 40)
        assert rendition.getpixel((2, 4))[3] < 20 and rendition.getpixel((38, 4))[3] > 235


def test_very_tall_pictures_have_no_avif_and_count_as_done(
    app: Flask, maker: AvifMaker, client: FlaskClient, story: Story
) -> None:
    assert media.avif_names("ab" * 16, 1280, 2500) and not media.avif_names("ab" * 16, 1280, 2600)
    picture = add_picture(app, 1280, 2640, with_avif=True)
    assert not picture.has_avif and avif_files(app.config["MEDIA"]) == []
    story(picture_id=picture.id, picture_alt="A mast", slug="mast")
    maker.make_next()
    assert not maker.broken and not has_avif(picture.id)
    assert "<source" not in client.get("/politics/mast").text


def test_a_page_names_avif_once_it_exists(
    app: Flask, client: FlaskClient, story: Story, maker: AvifMaker
) -> None:
    picture = add_picture(app)
    story(picture_id=picture.id, picture_alt="A port", slug="port")
    before = client.get("/politics/port").text
    assert "avif" not in before and "srcset" in before
    maker.make_next()
    assert has_avif(picture.id)
    for path in ("/politics/port", "/politics/", "/"):
        page = client.get(path).text
        match = re.search(r'<picture>\s*<source type="image/avif"\s+srcset="([^"]+)"', page)
        assert match, path
        for source in match[1].split(", "):
            address, width = source.split()
            with client.get(address) as answer:
                assert (answer.status_code, answer.content_type) == (200, "image/avif")
                with Image.open(BytesIO(answer.data)) as rendition:
                    assert f"{rendition.width}w" == width
        assert re.search(r'<img[^>]+width="700"[^>]+height="400"', page)
        assert page.count('fetchpriority="high"') == (path != "/politics/")


def test_an_upload_of_the_newsroom_has_avif_at_once(app: Flask) -> None:
    newsroom = logged_in_client(app)
    data = upload(encoded(photograph(500, 300)), "port.jpg")
    sent = story_form(do="save") | {"picture": data, "picture_alt": "A port"}
    assert post(newsroom, NEW_STORY, sent).status_code == 303
    assert has_avif(1)
    assert len(avif_files(app.config["MEDIA"])) == 2


def test_an_upload_without_avif_is_stored_all_the_same(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    decode = media.decode

    def fail_for_avif(job: str, *more: Any, **options: Any) -> dict[str, Any]:
        if job == "renditions":
            raise PictureResourceError("no memory")
        return decode(job, *more, **options)

    with monkeypatch.context() as patch:
        patch.setattr(media, "decode", fail_for_avif)
        assert not store(app.config["MEDIA"], 400, 300, with_avif=True).has_avif
        assert "the worker will make the AVIF renditions: no memory" in caplog.text
    monkeypatch.setattr(media, "HAS_AVIF", False)
    assert not store(app.config["MEDIA"], 401, 300, with_avif=True).has_avif
    assert avif_files(app.config["MEDIA"]) == []


def test_older_pictures_get_theirs_one_at_a_time_the_newest_first(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = add_picture(app, 400, 300).id, add_picture(app, 401, 300).id
    monkeypatch.setattr(avif, "PAUSE_FACTOR", 1000.0)
    maker = AvifMaker(app.config["MEDIA"], lambda: True)
    for _ in range(3):
        assert maker.make_next() is False
    assert (has_avif(first), has_avif(second)) == (False, True), "a pause follows"
    maker.next_at = 0.0
    maker.make_next()
    assert has_avif(first)


def test_only_the_host_with_the_lease_makes_them(app: Flask) -> None:
    picture = add_picture(app)
    AvifMaker(app.config["MEDIA"], lambda: False).make_next()
    assert not has_avif(picture.id) and avif_files(app.config["MEDIA"]) == []


def fail_with_full_disk(*_: Any) -> int:
    raise OSError(28, "No space left on device")


def test_a_picture_that_always_fails_is_tried_after_the_others(
    app: Flask, maker: AvifMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    older, newer = add_picture(app, 400, 300), add_picture(app, 401, 300)
    make = media.make_avif

    def fail_for_newer(location: media.Location, digest: str, *more: Any) -> int:
        if digest == newer.digest:
            raise PictureResourceError("out of memory")
        return make(location, digest, *more)

    monkeypatch.setattr(media, "make_avif", fail_for_newer)
    for _ in range(2):
        maker.next_at = 0.0
        maker.make_next()
    assert has_avif(older.id) and not has_avif(newer.id)


def test_damaged_pictures_are_reported_once_and_full_disks_end_nothing(
    app: Flask,
    maker: AvifMaker,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    good, damaged, missing = (add_picture(app, width, 300) for width in (400, 401, 402))
    original = app.config["MEDIA"] / "originals"
    (original / f"{damaged.digest}.jpg").write_bytes(b"\xff\xd8\xff not a picture")
    (original / f"{missing.digest}.jpg").unlink()
    with monkeypatch.context() as patch:
        patch.setattr(media, "make_avif", fail_with_full_disk)
        maker.make_next()
    assert "no AVIF now, will try again: [Errno 28]" in caplog.messages[-1]
    for _ in range(6):
        maker.next_at = 0.0
        maker.make_next()
    assert maker.broken == {damaged.digest, missing.digest}
    assert sum("cannot make its AVIF renditions" in line for line in caplog.messages) == 2
    assert has_avif(good.id) and not has_avif(damaged.id)


def test_a_withdrawal_removes_them_and_they_return_with_the_story(
    app: Flask, editor: User, client: FlaskClient, maker: AvifMaker
) -> None:
    renditions = RenditionConsumer(app.config["MEDIA"])
    renditions.catch_up()
    picture = add_picture(app, with_avif=True)
    draft = make_draft(picture_id=picture.id, picture_alt="A port")
    article_id = publishing.create(draft, editor, Action("publish"))
    (name, _), *_ = media.avif_names(picture.digest, picture.width, picture.height)
    publishing.apply_action(article_id, editor, Action("withdraw", note="Wrong person."))
    with client.get(f"/media/{name}") as answer:
        assert answer.status_code == 410, "before the worker has deleted the file"
    renditions.catch_up()
    assert avif_files(app.config["MEDIA"]) == [] and not has_avif(picture.id)
    maker.make_next()
    assert avif_files(app.config["MEDIA"]) == []
    publishing.apply_action(article_id, editor, Action("reinstate"))
    renditions.catch_up()
    maker.next_at = 0.0
    maker.make_next()
    assert has_avif(picture.id) and len(avif_files(app.config["MEDIA"])) == 3


def test_a_withdrawal_during_the_work_leaves_nothing_behind(
    app: Flask, editor: User, maker: AvifMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture, make = add_picture(app), media.make_avif
    draft = make_draft(picture_id=picture.id, picture_alt="A port")
    article_id = publishing.create(draft, editor, Action("publish"))

    def make_late(*arguments: Any) -> int:
        publishing.apply_action(article_id, editor, Action("withdraw", note="Wrong person."))
        return make(*arguments)

    monkeypatch.setattr(media, "make_avif", make_late)
    maker.make_next()
    assert avif_files(app.config["MEDIA"]) == [] and not has_avif(picture.id)


def test_pages_stop_naming_them_when_files_are_lost(app: Flask, maker: AvifMaker) -> None:
    picture = add_picture(app, with_avif=True)
    path = next(app.config["MEDIA"].rglob("*.avif"))
    content = path.read_bytes()
    path.unlink()
    assert RenditionConsumer(app.config["MEDIA"]).repair(60.0)
    assert not has_avif(picture.id)
    maker.make_next()
    assert has_avif(picture.id) and path.read_bytes() == content, "the same bytes again"


ENCODE = """
import resource, sys
from pathlib import Path
from spectator.media import sandbox
sandbox.decode("renditions", Path(sys.argv[1]), Path(sys.argv[2]), "1280.avif")
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(usage.ru_maxrss // 1024, usage.ru_utime)
"""


def test_nginx_the_site_and_copies_of_a_store_know_the_same_names() -> None:
    config = (PROJECT_ROOT / "deploy/nginx.conf").read_text()
    match = re.search(r'location ~ "(\^/media/.+)" \{', config)
    assert match
    pattern = match[1].replace("(?<", "(?P<").replace(r"\k<start>", "(?P=start)")
    for extension in ("jpg", "png", "avif", "webp", "html"):
        name = f"ab/{'ab' * 16}-720.{extension}"
        is_known = extension in {"jpg", "png", "avif"}
        assert media.is_rendition_name(name) is is_known
        assert bool(re.fullmatch(pattern, f"/media/{name}")) is is_known
        assert bool(STORED_NAME.fullmatch(f"renditions/{name}")) is is_known


def test_encoding_the_largest_rendition_is_bounded(tmp_path: Path) -> None:
    assert decoder.avif_widths(1280, 2560) and not decoder.avif_widths(1280, 2600)
    noise = Image.effect_noise((1280, 2560), 90).convert("RGB")
    (tmp_path / "original.jpg").write_bytes(encoded(noise, quality=60))
    result = subprocess.run(
        [sys.executable, "-c", ENCODE, str(tmp_path / "original.jpg"), str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    megabytes, seconds = map(float, result.stdout.split())
    assert (tmp_path / "1280.avif").stat().st_size > 100_000
    assert megabytes < 250 and seconds < decoder.CPU_SECONDS / 2
