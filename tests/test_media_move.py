"""`spectator media move`: verified copies, repeated after a kill, and honest about losses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask

from spectator import media, publishing
from spectator.cli import main
from spectator.db import db
from spectator.object_storage import WRITING, open_store
from spectator.operations import media_move
from spectator.operations.site_lock import require_stopped_site
from tests import object_stores
from tests.conftest import settings
from tests.object_stores import contents
from tests.test_withdrawn_pictures import jpeg


@pytest.fixture
def pictures(app: Flask) -> list[media.StoredPicture]:
    """Three pictures of the site, in its directory."""
    stored = [
        media.store_upload(BytesIO(jpeg(shade)), app.config["MEDIA"]) for shade in (10, 20, 30)
    ]
    with db.write() as session:
        for picture in stored:
            publishing.add_picture(session, picture, None)
    return stored


def files(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


def run(app: Flask, target: object, **changes: str) -> tuple[int, str, str]:
    """Run the command; return its exit code, its output and its errors."""
    result = CliRunner().invoke(
        main, ["media", "move", str(target)], env=settings(app.config["DATA_DIR"], **changes)
    )
    return result.exit_code, result.stdout, result.stderr


def test_pictures_move_to_a_bucket_and_back(
    app: Flask, pictures: list[media.StoredPicture], bucket: str, tmp_path: Path
) -> None:
    (app.config["MEDIA"] / "originals" / "notes.txt").write_text("not a picture")
    expected = files(app.config["MEDIA"])
    del expected["originals/notes.txt"]
    code, output, errors = run(app, bucket)
    assert (code, output) == (
        0,
        f"files copied and verified: {len(expected)}; already there: 0\n"
        f"Now set SPECTATOR_MEDIA={bucket} on every host and start the site.\n",
    ), errors
    assert contents(bucket) == expected
    copy = tmp_path / "copy"
    code, output, errors = run(app, copy, SPECTATOR_MEDIA=bucket)
    assert code == 0, errors
    assert files(copy) == expected
    assert (copy / "originals").stat().st_mode & 0o777 == 0o700
    for name in expected:
        mode = (copy / name).stat().st_mode & 0o777
        assert mode == (0o600 if name.startswith("originals/") else 0o644)


def test_a_bucket_moves_to_another_bucket(
    app: Flask, pictures: list[media.StoredPicture], bucket: str, s3_address: str
) -> None:
    assert run(app, bucket)[0] == 0
    other = object_stores.new_bucket(s3_address)
    assert run(app, other, SPECTATOR_MEDIA=bucket)[0] == 0
    assert contents(other) == contents(bucket) == files(app.config["MEDIA"])


def test_a_repeated_move_copies_only_what_is_missing_or_differs(
    app: Flask, pictures: list[media.StoredPicture], bucket: str
) -> None:
    assert run(app, bucket)[0] == 0
    expected, store = contents(bucket), open_store(bucket, WRITING)
    missing, shorter, changed = list(expected)[:3]
    store.delete(missing)
    store.write(shorter, expected[shorter][:-1])
    store.write(changed, bytes(len(expected[changed])))
    code, output, _ = run(app, bucket)
    assert code == 0 and f"verified: 3; already there: {len(expected) - 3}" in output
    assert contents(bucket) == expected


def test_a_damaged_or_missing_original_is_named_and_the_others_are_copied(
    app: Flask, pictures: list[media.StoredPicture], bucket: str
) -> None:
    originals = app.config["MEDIA"] / "originals"
    (originals / f"{pictures[0].digest}.jpg").write_bytes(b"damaged")
    (originals / f"{pictures[1].digest}.jpg").unlink()
    code, output, errors = run(app, bucket)
    assert code == 1 and "Now set" not in output
    assert f"not copied: originals/{pictures[0].digest}.jpg: it is damaged" in errors
    assert f"files not copied: 1; originals missing in {bucket}: 2 of 3." in errors
    assert f"originals/{pictures[2].digest}.jpg" in contents(bucket)


def test_a_store_that_changes_what_it_stores_is_noticed(
    app: Flask,
    pictures: list[media.StoredPicture],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    save = media.stores.DirectoryStore.save

    def save_half(store: media.stores.DirectoryStore, name: str, finished: Path) -> None:
        finished.write_bytes(finished.read_bytes()[:-5])
        save(store, name, finished)

    monkeypatch.setattr(media.stores.DirectoryStore, "save", save_half)
    code, _, errors = run(app, tmp_path / "copy")
    assert code == 1 and "the copy differs" in errors


def test_beside_a_running_site_the_command_asks_to_be_repeated(
    app: Flask, pictures: list[media.StoredPicture], tmp_path: Path
) -> None:
    with require_stopped_site(app.config["DATA_DIR"]):  # as a running worker does
        code, output, _ = run(app, tmp_path / "copy")
    assert code == 0 and "Stop it on every host, run this command again" in output


def test_a_picture_uploaded_during_the_copy_is_left_to_the_next_one(
    app: Flask,
    pictures: list[media.StoredPicture],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    copy_files = media_move.move

    def copy_and_upload(*arguments: Any) -> media_move.MoveReport:
        report = copy_files(*arguments)
        uploaded = media.store_upload(BytesIO(jpeg(40)), app.config["MEDIA"])
        with db.write() as session:
            publishing.add_picture(session, uploaded, None)
        return report

    monkeypatch.setattr(media_move, "move", copy_and_upload)
    with require_stopped_site(app.config["DATA_DIR"]):  # as a running worker does
        code, output, errors = run(app, tmp_path / "copy")
    assert code == 0, errors
    assert "run this command again for the pictures uploaded meanwhile" in output
    monkeypatch.undo()
    code, output, _ = run(app, tmp_path / "copy")
    assert code == 0 and "already there: 0" not in output
    assert files(tmp_path / "copy") == files(app.config["MEDIA"])


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("s3://", "s3://bucket/prefix"),
        ("gs://bucket", "s3://bucket/prefix"),
        ("", "already there"),
    ],
)
def test_a_wrong_target_is_wrong_usage(app: Flask, url: str, problem: str) -> None:
    code, _, errors = run(app, url or app.config["MEDIA"])
    assert code == 2 and problem in errors


def test_a_store_that_refuses_is_explained_in_one_line(
    app: Flask, pictures: list[media.StoredPicture], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = object_stores.response("403 Forbidden", b"<Error><Code>AccessDenied</Code></Error>")
    server = object_stores.BadStore(answer)
    object_stores.use_store(monkeypatch, server.address)
    code, output, errors = run(app, "s3://pictures/site")
    server.stop()
    assert (code, output) == (1, "")
    assert "AccessDenied" in errors and "Traceback" not in errors


def test_a_killed_move_can_be_repeated(
    app: Flask,
    pictures: list[media.StoredPicture],
    tmp_path: Path,
    s3_address: str,
    bucket: str,
) -> None:
    expected = files(app.config["MEDIA"])
    environ = os.environ | settings(app.config["DATA_DIR"]) | object_stores.environ(s3_address)
    process = subprocess.Popen(
        [sys.executable, "-m", "spectator", "media", "move", bucket], env=environ
    )
    wait_for(lambda: len(contents(bucket)) > 1, process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert contents(bucket).items() <= expected.items(), "what is there is complete"
    assert run(app, bucket)[0] == 0
    assert contents(bucket) == expected


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)


def test_every_copy_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "source"
    media.store_upload(BytesIO(jpeg(1)), source)
    read: list[str] = []
    content = media.stores.DirectoryStore.content

    def count(store: media.stores.DirectoryStore, name: str) -> bytes:
        read.append(f"{store.directory.name}/{name}")
        return content(store, name)

    monkeypatch.setattr(media.stores.DirectoryStore, "content", count)
    report = media_move.move(source, tmp_path / "target", lambda _: None, lambda: None)
    assert report.copied == len(files(source)) and not report.failures
    assert {name for name in read if name.startswith("target/")} == {
        f"target/{name}" for name in files(source)
    }
