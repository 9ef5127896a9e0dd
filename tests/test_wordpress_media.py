"""Pictures of imported posts, and the addresses of the old site that lead to what was imported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from spectator import media
from spectator.db import db
from spectator.importers import runner
from spectator.importers.downloads import Download, DownloadError
from spectator.importers.wordpress import importer
from spectator.models import Article, OldAddress, Picture, PictureUse
from tests.picture_samples import encoded, photograph
from tests.test_wordpress_import import Run, only_story, stories
from tests.test_wordpress_import import run as run
from tests.wordpress_samples import HOST, category, export, item, meta, term

OLD = f"https://{HOST}"
UPLOADS = f"{OLD}/wp-content/uploads"
BODY = f"""<!-- wp:image {{"id":9}} -->
<figure><img src="{UPLOADS}/2024/05/port-300x200.jpg" alt="The port"></figure>
<!-- /wp:image -->
<!-- wp:paragraph --><p>Ships <a href="https://port.example/">wait</a>.</p><!-- /wp:paragraph -->"""


def attachment(number: int, name: str, *more: str, **fields: str) -> str:
    """Return the item of an uploaded picture."""
    texts = {"post_type": "attachment", "status": "inherit", "content": ""} | fields
    return item(number, *more, **texts, attachment_url=f"{UPLOADS}/2024/05/{name}")


@pytest.fixture
def uploads(tmp_path: Path) -> Path:
    """Return a copy of the uploads, with one picture."""
    directory = tmp_path / "copy"
    (directory / "2024/05").mkdir(parents=True)
    (directory / "2024/05/port-scaled.jpg").write_bytes(encoded(photograph(320, 200)))
    return directory


def test_the_lead_picture_comes_from_the_directory(run: Run, uploads: Path) -> None:
    picture = attachment(
        9,
        "port-scaled.jpg",
        meta("_wp_attachment_image_alt", "The port &amp; ships"),
        meta("_media_credit", "Juma"),
        excerpt="<i>Ships</i>",
    )
    post = item(7, meta("_thumbnail_id", "9"), meta("rank_math_facebook_image_id", "9"))
    options = ("--media", str(uploads))
    result = run(export(post), export(picture), options=options)
    assert result.exit_code == 0, result.output
    story = only_story()
    assert story.picture is not None
    assert (story.picture_alt, story.picture_caption) == ("The port & ships", "Ships")
    assert story.picture_credit == "Juma"
    assert story.share_picture.startswith(f"/media/{story.picture.digest[:2]}/")
    assert db.session.scalar(select(func.count()).select_from(PictureUse)) == 1
    assert "1 unchanged" in run(export(post), export(picture), options=options).output


def test_missing_pictures_are_listed(run: Run, uploads: Path) -> None:
    secret = uploads.parent / "secret.jpg"
    secret.write_bytes(encoded(photograph(320, 200)))
    data = export(
        item(7, meta("_thumbnail_id", "9")),
        item(8, meta("_thumbnail_id", "10")),
        item(6, meta("_yoast_wpseo_opengraph-image", "https://other.example/a.jpg")),
        attachment(9, "gone.jpg"),
        attachment(10, "../../../secret.jpg"),
    )
    result = run(data, options=("--media", str(uploads)))
    assert result.exit_code == 0, result.output
    assert "picture missing: " in result.output
    assert "2024/05/gone.jpg" in result.output
    assert "https://other.example/a.jpg (on another host)" in result.output
    assert db.session.scalar(select(func.count()).select_from(Picture)) == 0


def count(model: type) -> int:
    """Return the number of rows of a table."""
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_pictures_in_the_text_are_those_of_this_site(run: Run, uploads: Path) -> None:
    data = export(item(7, content=BODY), attachment(9, "port-scaled.jpg"))
    result = run(data, options=("--media", str(uploads)))
    assert result.exit_code == 0, result.output
    body = only_story().body
    assert 'src="/media/' in body
    assert 'alt="The port" width="320" height="200"' in body
    assert UPLOADS not in body
    assert count(PictureUse) == 1
    assert "1 unchanged" in run(data, options=("--media", str(uploads))).output


def test_missing_pictures_in_the_text_become_notes_to_editors(
    run: Run, uploads: Path, client: FlaskClient
) -> None:
    lost = BODY.replace("port-300x200", "gone")
    pdf = f'<p><a href="{UPLOADS}/2024/05/report.pdf">Report</a></p>'
    result = run(export(item(7, content=lost + pdf)), options=("--media", str(uploads)))
    body = only_story().body
    assert "<editor-note>" in body
    assert f"{UPLOADS}/2024/05/gone.jpg" in body
    assert f'href="{UPLOADS}/2024/05/report.pdf"' in body
    assert "gone.jpg" not in client.get("/politics/post-7").text
    assert "report.pdf (not in the directory of the media)" in result.output


def test_no_picture_is_decoded_twice(
    run: Run, uploads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = export(item(7, content=BODY), attachment(9, "port-scaled.jpg"))
    run(data, options=("--media", str(uploads)))

    def refuse(*_: object) -> None:
        raise AssertionError("stored again")

    monkeypatch.setattr(media, "store_upload", refuse)
    result = run(data.replace(b"Ships", b"Boats"), options=("--media", str(uploads)))
    assert "1 updated" in result.output, result.output


def test_a_killed_import_goes_on(
    run: Run, uploads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = export(*(item(number, content=BODY) for number in range(1, 8)))
    monkeypatch.setattr(runner, "BATCH_SIZE", 3)
    original, batches = runner.publishing.import_batch, []

    def stop_at_the_second(*arguments: object) -> object:
        batches.append(1)
        if len(batches) == 2:
            raise KeyboardInterrupt
        return original(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(runner.publishing, "import_batch", stop_at_the_second)
    assert run(data, options=("--media", str(uploads))).exit_code == 1
    assert len(stories()) == 3
    again = run(data, options=("--media", str(uploads)))
    assert "4 added, 0 updated, 3 unchanged" in again.output
    assert count(OldAddress) == 7 * 2 + 4  # two of each post, four of the author


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the requested URLs; the old site has one picture."""
    urls: list[str] = []

    def download(url: str, max_bytes: int, is_wanted: Callable[[str], bool]) -> Download:
        urls.append(url)
        assert is_wanted(HOST)
        assert not is_wanted("other.example")
        if url != f"{UPLOADS}/2024/05/port-scaled.jpg":
            raise DownloadError("HTTP 404", has_answered=True)
        return Download(url, encoded(photograph(320, 200)))

    monkeypatch.setattr(importer, "download", download)
    return urls


def test_pictures_are_fetched_once_from_the_old_site(run: Run, requests: list[str]) -> None:
    foreign = '<p><img src="https://other.example/a.jpg" alt=""></p>'
    data = export(
        item(7, meta("_thumbnail_id", "9"), content=BODY + foreign),
        attachment(9, "port-scaled.jpg"),
        attachment(10, "gone.jpg"),
    )
    result = run(data, options=("--fetch-media",))
    assert result.exit_code == 0, result.output
    assert requests.count(f"{UPLOADS}/2024/05/port-scaled.jpg") == 1
    assert all(url.startswith(UPLOADS) for url in requests)
    assert "gone.jpg (HTTP 404)" in result.output
    assert "https://other.example/a.jpg (on another host)" in result.output
    story = only_story()
    assert story.picture is not None
    assert story.picture.digest in story.body
    requests.clear()
    assert "1 unchanged" in run(data, options=("--fetch-media",)).output
    assert f"{UPLOADS}/2024/05/port-scaled.jpg" not in requests


def test_a_further_host_may_be_named(run: Run, requests: list[str]) -> None:
    body = '<p>Words <img src="https://cdn.example/2024/a.jpg" alt=""></p>'
    run(export(item(7, content=body)), options=("--fetch-media", "--media-host", "cdn.example"))
    assert "https://cdn.example/2024/a.jpg" in requests


def test_a_dry_run_asks_no_server_and_stores_nothing(
    run: Run, requests: list[str], app: Flask
) -> None:
    data = export(item(7, content=BODY), attachment(9, "port-scaled.jpg"))
    run(data, options=("--fetch-media", "--dry-run"))
    assert not requests
    assert count(Article) == count(Picture) == count(OldAddress) == 0
    assert not (app.config["DATA_DIR"] / "imports").exists()


def test_servers_of_this_machine_are_not_asked(run: Run) -> None:
    head = export(item(7, content=BODY)).decode()
    data = head.replace(f"{UPLOADS}/", "http://127.0.0.1:9/wp-content/uploads/")
    options = ("--fetch-media", "--media-host", "127.0.0.1")
    result = run(data.encode(), options=options)
    assert "127.0.0.1 is not on the public Internet" in result.output


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("/?p=7", "/world/post-7"),
        ("/2024/05/post-7/", "/world/post-7"),
        ("/2024/05/former/", "/world/post-7"),
        ("/?cat=12", "/world/"),
        ("/category/world/", "/world/"),
        ("/category/world/africa/", "/topic/africa/"),
        ("/category/africa/feed/", "/topic/africa/feed.xml"),
        ("/tag/gold/", "/topic/gold/"),
        ("/author/ama/", "/author/ama-mensah/"),
        ("/?author=1", "/author/ama-mensah/"),
        ("/wp-content/uploads/2024/05/port-scaled.jpg", "/media/"),
        ("/wp-content/uploads/2024/05/port-150x150.jpg", "/media/"),
        ("/?attachment_id=9", "/media/"),
        ("/?p=8", ""),
        ("/2024/05/post-8/", ""),
    ],
)
def test_old_addresses_lead_to_what_was_imported(
    run: Run, uploads: Path, client: FlaskClient, address: str, target: str
) -> None:
    world = category("world", "World").replace(
        "<wp:category>", "<wp:category><wp:term_id>12</wp:term_id>"
    )
    terms = (term("category", "world", "World"), term("category", "africa", "Africa"))
    data = export(
        world,
        category("africa", "Africa", "world"),
        item(7, *terms, term("post_tag", "gold", "Gold"), meta("_wp_old_slug", "former")),
        item(8, status="private"),
        attachment(9, "port-scaled.jpg", link=f"{OLD}/port/"),
    )
    run(data, options=("--media", str(uploads)))
    response = client.get(address)
    if target:
        assert response.status_code == 301
        assert response.headers["Location"].removeprefix("https://localhost").startswith(target)
    else:
        assert response.status_code == 404
