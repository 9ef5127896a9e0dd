"""Pictures in a bucket: uploads, renditions on several hosts, withdrawals, stores in trouble."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient

from spectator import media, publishing
from spectator.db import db
from spectator.models import User
from spectator.object_storage import WRITING, Patience, open_store
from spectator.operations import doctor
from spectator.publishing import Action
from spectator.renditions import RenditionConsumer
from tests import object_stores
from tests.conftest import make_draft
from tests.newsroom_client import NEW_STORY, picture_file, post, story_form
from tests.object_stores import BadStore, contents, response
from tests.test_withdrawn_pictures import jpeg


@pytest.fixture
def bucket_site(app: Flask, bucket: str) -> str:
    """Site whose pictures are in a bucket; the bucket's URL."""
    app.config["MEDIA"] = bucket
    return bucket


@pytest.fixture
def broken_site(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[BadStore]:
    """Site whose bucket never answers."""
    server = BadStore(b"")
    object_stores.use_store(monkeypatch, server.address)
    for name in ("READING", "WRITING"):
        monkeypatch.setattr(
            media.stores, name, Patience(seconds=0.3, retries=1, retry_seconds=0.2)
        )
    app.config["MEDIA"] = "s3://pictures/site"
    yield server
    server.stop()


def add_picture(location: media.Location, shade: int = 10) -> tuple[int, media.StoredPicture]:
    stored = media.store_upload(BytesIO(jpeg(shade)), location)
    with db.write() as session:
        return publishing.add_picture(session, stored, None), stored


def names(stored: media.StoredPicture) -> list[str]:
    return [
        name for name, _ in media.rendition_names(stored.digest, stored.extension, stored.width)
    ]


def status_of(client: FlaskClient, name: str) -> int:
    return client.get(f"/media/{name}").status_code


def test_an_upload_is_in_the_bucket_and_readers_get_its_renditions(
    bucket_site: str, newsroom: FlaskClient, client: FlaskClient
) -> None:
    sent = story_form(do="save") | {"picture": picture_file(), "picture_alt": "A port"}
    assert post(newsroom, NEW_STORY, sent).status_code == 303
    objects = contents(bucket_site)
    assert {name.partition("/")[0] for name in objects} == {"originals", "renditions"}
    for name, content in objects.items():
        if name.startswith("renditions/"):
            answer = client.get("/media/" + name.removeprefix("renditions/"))
            assert (answer.status_code, answer.data) == (200, content)
            assert answer.content_type == media.CONTENT_TYPES[f".{name.rpartition('.')[2]}"]
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert status_of(client, "ab/" + "ab" * 16 + "-320.jpg") == 404


def test_the_bucket_is_asked_only_for_pictures_that_somebody_lacks(
    bucket_site: str, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, stored = add_picture(bucket_site)
    path = f"/media/{names(stored)[0]}"
    first = client.get(path)
    monkeypatch.setattr(media.stores.BucketStore, "read", None)
    again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304 and again.headers["ETag"] == first.headers["ETag"]
    assert "max-age=31536000" in again.headers["Cache-Control"]
    assert status_of(client, "ab/" + "ab" * 16 + "-320.jpg") == 404


def test_originals_cannot_be_fetched(bucket_site: str, app: Flask, client: FlaskClient) -> None:
    _, stored = add_picture(bucket_site)
    original = f"{stored.digest}.{stored.extension}"
    for path in (f"originals/{original}", f"../originals/{original}", original):
        assert status_of(client, path) in (301, 404)


def test_renditions_in_the_bucket_may_be_cached_for_a_year_there_too(bucket_site: str) -> None:
    _, stored = add_picture(bucket_site)
    result = open_store(bucket_site, WRITING)
    import obstore

    attributes = obstore.get(result.bucket, f"renditions/{names(stored)[0]}").attributes
    assert attributes["Content-Type"] == "image/jpeg"
    assert attributes["Cache-Control"] == media.stores.IMMUTABLE


def test_a_withdrawn_picture_leaves_the_bucket_and_returns_with_its_story(
    bucket_site: str, client: FlaskClient, editor: User
) -> None:
    consumer = RenditionConsumer(bucket_site)
    consumer.sync()
    picture_id, stored = add_picture(bucket_site)
    draft = make_draft(picture_id=picture_id, picture_alt="A port")
    article_id = publishing.create(draft, editor, Action("publish"))
    consumer.sync()
    assert [status_of(client, name) for name in names(stored)] == [200] * len(names(stored))
    publishing.apply_action(article_id, editor, Action("withdraw", note="Wrong person."))
    assert status_of(client, names(stored)[0]) == 410, "before the worker has deleted the object"
    consumer.sync()
    assert list(contents(bucket_site)) == [f"originals/{stored.digest}.jpg"]
    publishing.apply_action(article_id, editor, Action("reinstate"))
    consumer.sync()
    assert len(contents(bucket_site)) == 1 + len(names(stored))


def test_two_hosts_that_make_the_same_renditions_do_no_harm(bucket_site: str, app: Flask) -> None:
    _, stored = add_picture(bucket_site)
    before = contents(bucket_site)
    store = open_store(bucket_site, WRITING)
    hosts = [RenditionConsumer(bucket_site) for _ in range(2)]
    for host in hosts:
        for name in names(stored):
            store.delete(f"renditions/{name}")
        assert host.repair(10)
        assert contents(bucket_site) == before
    store.delete(f"renditions/{names(stored)[0]}")
    media.make_renditions(bucket_site, stored.digest, stored.extension, stored.width)
    for host in hosts:
        assert host.repair(10)
    assert contents(bucket_site) == before


def test_unchanged_pictures_are_listed_once_an_hour(
    bucket_site: str, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, stored = add_picture(bucket_site)
    consumer = RenditionConsumer(bucket_site)
    assert consumer.repair(10)
    open_store(bucket_site, WRITING).delete(f"renditions/{names(stored)[0]}")
    publishing.create(make_draft(), editor)
    assert consumer.repair(10)
    assert len(contents(bucket_site)) == len(names(stored)), "not listed again"
    later = time.time() + 3600
    monkeypatch.setattr("spectator.renditions.time.time", lambda: later)
    assert consumer.repair(10)
    assert len(contents(bucket_site)) == 1 + len(names(stored))


def test_a_damaged_original_is_skipped_and_the_others_are_restored(
    bucket_site: str, app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    pictures = [add_picture(bucket_site, shade)[1] for shade in (10, 20, 30)]
    store = open_store(bucket_site, WRITING)
    for stored in pictures:
        for name in names(stored):
            store.delete(f"renditions/{name}")
    store.delete(f"originals/{pictures[0].digest}.jpg")
    store.write(f"originals/{pictures[1].digest}.jpg", b"\xff\xd8\xff no picture")
    consumer = RenditionConsumer(bucket_site)
    for _ in range(2):
        consumer.sync()
        consumer.next_repair_at = 0.0
    assert caplog.text.count("cannot restore its renditions") == 2
    restored = {name for name in contents(bucket_site) if name.startswith("renditions/")}
    assert restored == {f"renditions/{name}" for name in names(pictures[2])}


def test_a_store_that_never_answers_refuses_the_picture_and_keeps_the_text(
    broken_site: BadStore, newsroom: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    form = story_form(do="save", body="Every <word>.")
    answer = post(newsroom, NEW_STORY, form | {"picture": picture_file()})
    assert (answer.status_code, media.STORE_DOWN in answer.text) == (422, True)
    assert "Every &lt;word&gt;." in answer.text
    assert "s3://pictures/site: cannot write originals/" in caplog.text
    answer = post(
        newsroom, "/newsroom/fragments/pictures", {"picture": picture_file(), "alt": "A port"}
    )
    assert (answer.status_code, media.STORE_DOWN in answer.text) == (200, True)
    assert post(newsroom, NEW_STORY, form).status_code == 303, "without a picture it is saved"


def test_pages_do_not_ask_the_store_and_pictures_give_up_soon(
    bucket_site: str,
    app: Flask,
    client: FlaskClient,
    newsroom: FlaskClient,
    editor: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    picture_id, stored = add_picture(bucket_site)
    draft = make_draft(picture_id=picture_id, picture_alt="A port", slug="a-port")
    article_id = publishing.create(draft, editor, Action("publish"))
    server = BadStore(b"")
    try:
        object_stores.use_store(monkeypatch, server.address)
        monkeypatch.setattr(
            media.stores, "READING", Patience(seconds=1.2, retries=0, retry_seconds=0.0)
        )
        story = client.get("/politics/a-port")
        assert story.status_code == 200 and names(stored)[0] in story.text
        for path in ("/", "/feed.xml", "/politics/"):
            assert client.get(path).status_code == 200
        for path in ("", "/preview"):
            page = newsroom.get(f"/newsroom/stories/{article_id}{path}")
            assert page.status_code == 200
        assert server.requests == 0
        durations = []
        for name in (names(stored) * 3)[:6]:
            started = time.monotonic()
            answer = client.get(f"/media/{name}")
            durations.append(time.monotonic() - started)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
            assert answer.headers["Cache-Control"] == "no-store"
        assert sum(duration > 0.5 for duration in durations) == 1, "one request waits, then none"
        assert server.requests == 1
    finally:
        server.stop()


def test_the_worker_goes_on_when_the_store_refuses(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    server = BadStore(response("403 Forbidden", b"<Error><Code>AccessDenied</Code></Error>"))
    object_stores.use_store(monkeypatch, server.address)
    with db.write() as session:
        picture = media.StoredPicture("ab" * 16, "jpg", 400, 300, 1000)
        publishing.add_picture(session, picture, None)
    consumer = RenditionConsumer("s3://pictures/site")
    consumer.sync()
    server.stop()
    assert "will try again" in caplog.text and "AccessDenied" in caplog.text
    assert not consumer.broken, "the picture is tried again later"


def test_an_upload_whose_renditions_fail_is_stored(
    bucket_site: str,
    app: Flask,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(media, "RENDITION_SECONDS", -1.0)
    with caplog.at_level(logging.WARNING):
        _, stored = add_picture(bucket_site)
    assert list(contents(bucket_site)) == [f"originals/{stored.digest}.jpg"]
    assert "the worker will store the remaining renditions" in caplog.text
    assert RenditionConsumer(bucket_site).repair(10)
    assert len(contents(bucket_site)) == 1 + len(names(stored))


def test_the_doctor_names_pictures_without_an_original(bucket_site: str, app: Flask) -> None:
    _, stored = add_picture(bucket_site)
    assert not [line for line in doctor.problems(app) if "pictures" in line]
    open_store(bucket_site, WRITING).delete(f"originals/{stored.digest}.jpg")
    [line] = [line for line in doctor.problems(app) if "pictures" in line]
    assert line.startswith(f"1 of 1 pictures have no original, such as {stored.digest}.jpg.")
