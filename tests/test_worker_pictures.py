"""The worker's care of pictures: missing renditions, pictures that fail, unfinished files."""

from __future__ import annotations

import os
import time
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import update

from spectator import maintenance, media, publishing
from spectator.db import db
from spectator.models import Picture
from spectator.worker import Worker


def store_without_renditions(app: Flask, shade: int) -> media.StoredPicture:
    """Store a picture and delete its renditions."""
    buffer = BytesIO()
    Image.new("RGB", (400, 300), (shade, 120, 200)).save(buffer, "JPEG")
    stored = media.store_upload(BytesIO(buffer.getvalue()), app.config["MEDIA"])
    with db.write() as session:
        publishing.add_picture(session, stored, None)
    for name in rendition_names(stored):
        (app.config["MEDIA"] / "renditions" / name).unlink()
    return stored


def rendition_names(picture: media.StoredPicture) -> list[str]:
    return [
        name
        for name, _ in media.rendition_names(picture.digest, picture.extension, picture.width)
    ]


def missing_renditions(app: Flask, picture: media.StoredPicture) -> list[str]:
    return media.missing_renditions(
        app.config["MEDIA"], picture.digest, picture.extension, picture.width
    )


def original_path(app: Flask, picture: media.StoredPicture) -> Path:
    return Path(app.config["MEDIA"] / "originals" / f"{picture.digest}.{picture.extension}")


def test_missing_renditions_are_made_again(
    app: Flask, idle_worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "REPAIR_BUDGET_SECONDS", 60.0)
    stored = store_without_renditions(app, 10)
    assert missing_renditions(app, stored)
    assert idle_worker.run_maintenance()
    assert not missing_renditions(app, stored)


def test_missing_or_damaged_originals_are_reported_once(
    app: Flask,
    idle_worker: Worker,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(maintenance, "REPAIR_BUDGET_SECONDS", 60.0)
    missing, damaged, good = (store_without_renditions(app, shade) for shade in (10, 20, 30))
    original_path(app, missing).unlink()
    original_path(app, damaged).write_bytes(b"\xff\xd8\xff not a picture")
    for _ in range(3):
        assert idle_worker.run_maintenance()
    assert missing_renditions(app, missing) and missing_renditions(app, damaged)
    assert not missing_renditions(app, good)
    assert (
        len(
            [message for message in caplog.messages if "cannot restore its renditions" in message]
        )
        == 2
    )


def test_renditions_are_made_once_the_disk_is_no_longer_full(
    app: Flask,
    idle_worker: Worker,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(maintenance, "REPAIR_BUDGET_SECONDS", 60.0)
    pictures = [store_without_renditions(app, shade) for shade in (10, 20)]
    with monkeypatch.context() as patch:
        patch.setattr(media, "make_renditions", fail_with_full_disk)
        assert idle_worker.run_maintenance()
    assert len(caplog.messages) == 1
    assert idle_worker.run_maintenance()
    assert not [name for stored in pictures for name in missing_renditions(app, stored)]


def test_a_picture_that_always_fails_is_tried_after_the_others(
    app: Flask, idle_worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "REPAIR_BUDGET_SECONDS", 60.0)
    first, second, good = (store_without_renditions(app, shade) for shade in (10, 20, 30))
    make = media.make_renditions

    def fail_twice(directory: Path, digest: str, *more: Any) -> int:
        if digest in {first.digest, second.digest}:
            raise media.PictureResourceError("out of memory")
        return make(directory, digest, *more)

    monkeypatch.setattr(media, "make_renditions", fail_twice)
    for _ in range(3):
        idle_worker.run_maintenance()
    assert not missing_renditions(app, good)
    assert len(idle_worker.renditions.failures) == 2


def test_renditions_that_cannot_be_removed_do_not_end_the_worker(
    app: Flask, idle_worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = store_without_renditions(app, 10)
    (app.config["MEDIA"] / "renditions" / rendition_names(stored)[0]).touch()
    with db.write() as session:
        session.execute(update(Picture).values(was_public=True))
    monkeypatch.setattr(media, "remove_renditions", fail_with_full_disk)
    assert idle_worker.run_maintenance()
    assert idle_worker.error is None and len(idle_worker.renditions.failures) == 1


def fail_with_full_disk(*_: object) -> int:
    raise OSError(28, "No space left on device")


def test_making_many_renditions_is_interrupted_for_indexing(
    app: Flask, idle_worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = [store_without_renditions(app, shade) for shade in (10, 20)]
    monkeypatch.setattr(maintenance, "REPAIR_BUDGET_SECONDS", 0.0)
    monkeypatch.setattr(time, "monotonic", iter(range(1000)).__next__)
    assert not idle_worker.run_maintenance()
    monkeypatch.undo()
    monkeypatch.setattr(maintenance, "REPAIR_BUDGET_SECONDS", 60.0)
    assert idle_worker.run_maintenance()
    assert not [name for stored in pictures for name in missing_renditions(app, stored)]


def test_unfinished_picture_files_older_than_an_hour_are_deleted(
    app: Flask, idle_worker: Worker
) -> None:
    stored = store_without_renditions(app, 10)
    directory: Path = app.config["MEDIA"]
    old = [
        directory / "originals" / ".new-old",
        directory / "renditions" / stored.digest[:2] / ".new-old",
    ]
    fresh = directory / "originals" / ".new-fresh"
    for path in (*old, fresh):
        path.write_bytes(b"half a pict")
    for path in old:
        os.utime(path, (time.time() - 4000,) * 2)
    idle_worker.run_maintenance()
    assert not [path for path in old if path.exists()]
    assert fresh.exists()
    assert original_path(app, stored).exists()
