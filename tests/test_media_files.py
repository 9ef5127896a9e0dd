"""PDF and recordings: stored as they are, downloaded or played, withdrawn with their stories."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from spectator import media, publishing
from spectator.db import db
from spectator.importers.records import Record
from spectator.importers.runner import import_records
from spectator.media import files
from spectator.media.names import FILE_TYPES, STORED_NAME
from spectator.models import Article
from spectator.operations.media_move import move
from spectator.renditions import RenditionConsumer
from spectator.text.html.embeds import render_body
from tests.conftest import make_draft
from tests.newsroom_client import create_story, logged_in_client, post
from tests.picture_samples import encoded, photograph

PROJECT_ROOT = Path(__file__).parents[1]
PDF = b"%PDF-1.7\n%\xe2\xe3\n1 0 obj\n<</JS (app.alert(1))>>\nendobj\n%%EOF\n"
SAMPLES = {
    "pdf": PDF,
    "mp3": b"ID3\x04\x00\x00" + bytes(200),
    "ogg": b"OggS\x00\x02" + bytes(200),
    "wav": b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(200),
    "m4a": b"\x00\x00\x00\x20ftypM4A " + bytes(200),
}


def store(content: bytes, location: media.Location) -> media.StoredPicture:
    return media.store_media(BytesIO(content), location)


def url_of(stored: media.StoredPicture) -> str:
    [(name, width)] = media.rendition_names(stored.digest, stored.extension, stored.width)
    assert width == 0
    return f"/media/{name}"


@pytest.mark.parametrize("extension", SAMPLES)
def test_a_file_is_stored_as_it_is_by_its_first_bytes(tmp_path: Path, extension: str) -> None:
    stored = store(SAMPLES[extension], tmp_path)
    assert (stored.extension, stored.width, stored.height) == (extension, 0, 0)
    assert stored.byte_size == len(SAMPLES[extension])
    paths = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert [path.read_bytes() for path in paths] == [SAMPLES[extension]] * 2
    names = [path.relative_to(tmp_path).as_posix() for path in paths]
    assert names == [
        f"originals/{stored.digest}.{extension}",
        f"renditions/{stored.digest[:2]}/{stored.digest}-0.{extension}",
    ]
    assert all(STORED_NAME.fullmatch(name) for name in names)
    assert store(SAMPLES[extension], tmp_path) == stored
    assert media.avif_names(stored.digest, 0, 0) == []
    assert not media.is_picture_path(url_of(stored))


def test_each_type_has_a_sample_and_none_runs_in_a_page() -> None:
    assert set(SAMPLES) == set(FILE_TYPES)
    assert all(re.fullmatch(r"application/pdf|audio/\w+", kind) for kind in FILE_TYPES.values())


@pytest.mark.parametrize(
    "content",
    [
        b"<html>%PDF-1.4",
        b"%PDF",
        b"",
        b"\xff\xfe<\x00h\x00",
        b"PK\x03\x04",
        b"MZ\x90",
        b"RIFF\x00\x00\x00\x00AVI ",
        b"\x00\x00\x00\x20ftypisom",
        b"#!/bin/sh",
    ],
)
def test_other_files_are_refused_as_pictures_that_cannot_be_read(
    tmp_path: Path, content: bytes
) -> None:
    with pytest.raises(media.PictureError):
        store(content, tmp_path)
    assert not list(tmp_path.rglob("*.*"))


def test_pictures_are_stored_as_pictures(tmp_path: Path) -> None:
    stored = store(encoded(photograph(400, 300)), tmp_path)
    assert (stored.extension, stored.width) == ("jpg", 400)


def test_a_file_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_STORED_BYTES", 1024**2)
    store(PDF.ljust(1024**2), tmp_path / "fits")
    with pytest.raises(media.PictureError, match=r"larger than 1 MB"):
        store(PDF.ljust(1024**2 + 1), tmp_path / "other")
    assert not [path for path in (tmp_path / "other").rglob("*") if path.is_file()]


def test_files_are_downloaded_with_a_fixed_type_and_in_ranges(app: Flask) -> None:
    client = app.test_client()
    for extension, content in SAMPLES.items():
        url = url_of(store(content, app.config["MEDIA"]))
        with client.get(url) as response:
            assert response.data == content
            assert response.content_type == FILE_TYPES[extension]
            assert response.headers["Content-Disposition"] == "attachment"
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.cache_control.immutable
        with client.get(url, headers={"Range": "bytes=1-3"}) as part:
            assert (part.status_code, part.data) == (206, content[1:4])
        other = url.replace(f".{extension}", ".html")
        assert client.get(other).status_code == 404


def test_a_file_goes_and_returns_with_its_story(app: Flask) -> None:
    stored = store(PDF, app.config["MEDIA"])
    with db.write() as session:
        publishing.add_picture(session, stored, None)
    url, client = url_of(stored), logged_in_client(app)
    body = f'<p>The <a href="{url}">report</a></p>'
    article_id = create_story(client, body=body, do="publish")
    consumer = RenditionConsumer(app.config["MEDIA"])
    path = media.rendition_path(app.config["MEDIA"], url.removeprefix("/media/"))
    assert path and path.exists()
    story = f"/newsroom/stories/{article_id}"
    assert post(client, f"{story}/withdraw", {"reason": "Wrong."}).status_code == 303
    with app.test_client().get(url) as response:
        assert response.status_code == 410
    assert consumer.repair(60.0)
    assert not path.exists()
    assert post(client, f"{story}/reinstate").status_code == 303
    assert consumer.repair(60.0)
    assert path.read_bytes() == PDF
    with app.test_client().get(url) as response:
        assert response.status_code == 200


def test_recordings_play_in_the_page_of_a_story(tmp_path: Path) -> None:
    url = url_of(store(SAMPLES["mp3"], tmp_path))
    player = f'<audio src="{url}" controls=""></audio>'
    assert render_body(player) == player


def test_moving_the_media_moves_files_too(tmp_path: Path) -> None:
    store(PDF, tmp_path / "old")
    report = move(tmp_path / "old", tmp_path / "new", lambda _count: None, lambda: None)
    assert (report.copied, report.failures) == (2, [])


def test_nginx_knows_the_names_of_files() -> None:
    config = (PROJECT_ROOT / "deploy/nginx.conf").read_text()
    patterns = re.findall(r'location ~ "(\^/media/.+)" \{', config)
    pattern = patterns[1].replace("(?<", "(?P<").replace(r"\k<begin>", "(?P=begin)")
    for extension in (*FILE_TYPES, "html", "jpg"):
        name = f"ab/{'ab' * 16}-0.{extension}"
        is_file = extension in FILE_TYPES
        assert bool(re.fullmatch(pattern, f"/media/{name}")) is is_file
        assert media.is_rendition_name(name) is is_file
        if is_file:
            assert f"{FILE_TYPES[extension]} {extension};" in config


def test_a_pdf_is_no_lead_picture(app: Flask) -> None:
    records = [
        Record(
            "post 1",
            make_draft(),
            "politics",
            1,
            external_id="1",
            stored_picture=store(content, app.config["MEDIA"]),
        )
        for content in (PDF, encoded(photograph(400, 300)))
    ]
    for record, has_picture in zip(records, (False, True), strict=True):
        assert not import_records([record], app.config["MEDIA"]).refused
        article = db.session.scalars(select(Article)).one()
        assert (article.picture_id is not None) is has_picture
        db.session.rollback()
