"""Backups and buckets: pictures that are listed, backups that are stored in a bucket."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner
from flask import Flask

from spectator import create_app, media, publishing, queries
from spectator.cli import main
from spectator.db import db
from spectator.object_storage import WRITING, open_store
from spectator.operations import backup, doctor, nightly_backup
from tests import object_stores
from tests.conftest import settings
from tests.object_stores import BadStore, contents, response
from tests.test_withdrawn_pictures import jpeg
from tests.unfinished_backups import unfinished_workspace

TODAY = date(2026, 11, 29)
Story = Callable[..., int]


def run(environ: dict[str, str], *words: object) -> tuple[int, str]:
    """Run the command with these settings; return its exit code and output."""
    result = CliRunner().invoke(main, list(map(str, words)), env=environ)
    return result.exit_code, result.output


def add_picture(app: Flask) -> str:
    """Store a picture; return the name of its original."""
    stored = media.store_upload(BytesIO(jpeg(10)), app.config["MEDIA"])
    with db.write() as session:
        publishing.add_picture(session, stored, None)
    return f"originals/{stored.digest}.{stored.extension}"


@pytest.fixture
def environ(app: Flask, story: Story) -> dict[str, str]:
    """Settings of a site with a story."""
    story()
    return settings(app.config["DATA_DIR"])


def test_pictures_in_a_bucket_are_listed_and_compared_when_restored(
    app: Flask, environ: dict[str, str], bucket: str, tmp_path: Path
) -> None:
    app.config["MEDIA"] = bucket
    name, file = add_picture(app), tmp_path / "a.backup"
    environ["SPECTATOR_MEDIA"] = bucket
    code, output = run(environ, "backup", file)
    assert (code, output) == (0, f"1 story and the list of 1 picture are in {file}\n")
    manifest = backup.check(file)
    assert manifest.pictures_in_bucket == {name: len(contents(bucket)[name])}
    assert name not in manifest.files
    assert run(environ, "restore", "--check", file)[0] == 0
    store, content = open_store(bucket, WRITING), contents(bucket)[name]
    for damage in (lambda: store.write(name, content[:-1]), lambda: store.delete(name)):
        damage()
        code, output = run(environ, "restore", "--check", file)
        fault = f"are missing or have another size in {bucket}: 1 of 1, such as "
        assert code == 1 and fault in output


@pytest.mark.sqlite
def test_a_restore_brings_the_stories_even_if_pictures_are_lost(
    app: Flask, environ: dict[str, str], bucket: str, tmp_path: Path
) -> None:
    app.config["MEDIA"] = bucket
    name = add_picture(app)
    run(environ | {"SPECTATOR_MEDIA": bucket}, "backup", tmp_path / "a.backup")
    empty = settings(tmp_path / "empty", SPECTATOR_MEDIA=bucket)
    open_store(bucket, WRITING).delete(name)
    code, output = run(empty, "restore", tmp_path / "a.backup")
    assert "restored: 1 story and 1 picture of " in output
    assert code == 1 and "are missing or have another size" in output
    assert (tmp_path / "empty/spectator.db").exists()


@pytest.mark.sqlite
def test_pictures_of_a_directory_are_restored_into_a_bucket(
    app: Flask, environ: dict[str, str], bucket: str, tmp_path: Path
) -> None:
    name = add_picture(app)
    content = (app.config["MEDIA"] / name).read_bytes()
    assert run(environ, "backup", tmp_path / "a.backup")[0] == 0
    empty = settings(tmp_path / "empty", SPECTATOR_MEDIA=bucket)
    assert run(empty, "restore", tmp_path / "a.backup")[0] == 0
    assert contents(bucket) == {name: content}
    assert not (tmp_path / "empty/media").exists()


@pytest.mark.sqlite
def test_a_backup_in_a_bucket_is_checked_and_restored(
    app: Flask, environ: dict[str, str], bucket: str, tmp_path: Path
) -> None:
    name, url = add_picture(app), f"{bucket}/2026-11-29.backup"
    assert run(environ, "backup", "--with-key", url) == (
        0,
        f"1 story and 1 picture are in {url}\n",
    )
    assert not list(app.config["DATA_DIR"].glob(".*")), "nothing temporary remains"
    code, output = run(environ, "backup", url)
    assert (code, output) == (1, f"spectator: {url} exists. Name a new file.\n")
    assert "complete: 1 story" in run(environ, "restore", "--check", url)[1]
    empty = tmp_path / "empty"
    code, output = run(settings(empty), "restore", url)
    assert code == 0, output
    assert (empty / "media" / name).read_bytes() == (app.config["MEDIA"] / name).read_bytes()
    assert (empty / "secret_key").read_text("ascii") == app.config["SECRET_KEY"]
    assert not list(empty.glob(".*"))
    damaged = bytearray(contents(bucket)["2026-11-29.backup"])
    damaged[len(damaged) // 2] ^= 0xFF
    open_store(bucket, WRITING).write("damaged.backup", bytes(damaged))
    code, output = run(environ, "restore", "--check", f"{bucket}/damaged.backup")
    assert code == 1 and "damaged" in output


@pytest.mark.parametrize("command", [("backup",), ("restore",), ("restore", "--check")])
@pytest.mark.parametrize(
    "url", ["s3://bucket", "s3://bucket/", "s3://bucket/a/", "gs://bucket/a", "s3://bucket/../a"]
)
def test_a_wrong_url_is_wrong_usage(command: tuple[str, ...], url: str, tmp_path: Path) -> None:
    code, output = run(settings(tmp_path), *command, url)
    assert code == 2 and "use a file, or s3://bucket/prefix/name" in output


@pytest.mark.sqlite
def test_pictures_and_backups_may_both_be_in_buckets(
    app: Flask, environ: dict[str, str], bucket: str, s3_address: str, tmp_path: Path
) -> None:
    app.config["MEDIA"] = environ["SPECTATOR_MEDIA"] = bucket
    name = add_picture(app)
    url = f"{object_stores.new_bucket(s3_address)}/a.backup"
    code, output = run(environ, "backup", url)
    assert code == 0 and "the list of 1 picture" in output
    empty = settings(tmp_path / "empty", SPECTATOR_MEDIA=bucket)
    code, output = run(empty, "restore", url)
    assert code == 0, output
    restored = create_app(empty)
    with restored.app_context():
        [state] = queries.picture_states()
        assert f"originals/{state.digest}.{state.extension}" == name
        db.session.remove()
        db.engine.dispose()


def test_a_backup_that_is_not_there_is_named(environ: dict[str, str], bucket: str) -> None:
    code, output = run(environ, "restore", "--check", f"{bucket}/none.backup")
    assert (code, output) == (1, f"spectator: There is no {bucket}/none.backup.\n")


def test_a_backup_that_fails_half_way_leaves_no_object(
    environ: dict[str, str], bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> bytes:
        raise OSError("the disk has failed")

    monkeypatch.setattr(backup.Manifest, "serialize", fail)
    assert run(environ, "backup", f"{bucket}/a.backup")[0] == 1
    assert contents(bucket) == {}


def test_a_disk_without_space_for_the_temporary_file_is_not_filled(
    app: Flask, environ: dict[str, str], bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage(NamedTuple):
        free: int = 90_000_000

    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage())
    for target in (f"{bucket}/a.backup", app.config["DATA_DIR"] / "a.backup"):
        code, output = run(environ, "backup", target)
        assert code == 1 and "MB for the backup, but 90 MB are free" in output
    assert contents(bucket) == {}


@pytest.fixture
def nightly(app: Flask, bucket: str, story: Story) -> str:
    """Site whose nightly backups go to a bucket; the bucket's URL."""
    story()
    app.config["BACKUP_TO"] = bucket
    nightly_backup._stored.clear()
    return bucket


def test_nightly_backups_are_stored_in_the_bucket_and_the_newest_are_kept(
    app: Flask, nightly: str, tmp_path: Path
) -> None:
    open_store(nightly, WRITING).write("another file", b"stays")
    app.config["BACKUP_KEEP"] = 2
    for number in range(3):
        day = TODAY + timedelta(days=number)
        assert nightly_backup.is_missing(app.config, day)
        nightly_backup.make(app.config, day)
        assert not nightly_backup.is_missing(app.config, day)
    objects = contents(nightly)
    newest = "spectator-2026-12-01.backup"
    assert set(objects) == {"another file", "spectator-2026-11-30.backup", newest}
    (tmp_path / "b").write_bytes(objects[newest])
    assert backup.check(tmp_path / "b").stories == 1
    assert nightly_backup.find_problem(app.config) is None


def test_another_worker_does_not_repeat_the_backup_of_a_day(app: Flask, nightly: str) -> None:
    nightly_backup.make(app.config, TODAY)
    before = contents(nightly)
    nightly_backup._stored.clear()  # as in another process
    assert nightly_backup.is_missing(app.config, TODAY), "not known yet"
    nightly_backup.make(app.config, TODAY)
    assert not nightly_backup.is_missing(app.config, TODAY)
    assert contents(nightly) == before


def test_a_bucket_that_refuses_is_logged_and_named_by_the_doctor(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    server = BadStore(response("403 Forbidden", b"<Error><Code>AccessDenied</Code></Error>"))
    object_stores.use_store(monkeypatch, server.address)
    app.config["BACKUP_TO"] = "s3://backups/site"
    nightly_backup.make(app.config, TODAY)
    assert nightly_backup.is_missing(app.config, TODAY)
    lines = [line for line in doctor.problems(app) if "BACKUP_TO" in line]
    server.stop()
    assert caplog.text.count("the nightly backup failed: s3://backups/site: cannot") == 1
    assert len(lines) == 1 and "AccessDenied" in lines[0]


def test_the_doctor_reports_an_old_backup_in_a_bucket(
    app: Flask, nightly: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert f"The last backup in {nightly} is missing." in str(
        nightly_backup.find_problem(app.config)
    )
    nightly_backup.make(app.config, TODAY)
    assert not [line for line in doctor.problems(app) if "backup" in line]
    monkeypatch.setattr(nightly_backup, "MAX_AGE", timedelta(0))
    assert f"is of {datetime.now(UTC):%Y-%m-%d}" in str(nightly_backup.find_problem(app.config))


def test_the_doctor_probes_the_bucket_of_the_pictures(
    app: Flask, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.config["MEDIA"] = bucket
    assert not [line for line in doctor.problems(app) if "SPECTATOR_MEDIA" in line]
    assert contents(bucket) == {}, "the probe is deleted"
    old_media = app.config["DATA_DIR"] / "media"
    (old_media / "renditions").mkdir(parents=True)
    [line] = [line for line in doctor.problems(app) if "moved to a bucket" in line]
    old_media.rename(old_media.with_name("media.old"))
    assert line.endswith(f"Run: mv {old_media} {old_media}.old")
    assert not [line for line in doctor.problems(app) if "bucket" in line]
    app.config["MEDIA"] = "s3://never-created/site"
    [line] = [line for line in doctor.problems(app) if "SPECTATOR_MEDIA" in line]
    assert line.startswith("SPECTATOR_MEDIA cannot be used. Check its address and keys")
    assert "NoSuchBucket" in line


def test_the_doctor_names_a_bucket_of_backups_once_and_hides_no_missing_backup(
    app: Flask, nightly: str
) -> None:
    missing = f"The last backup in {nightly} is missing."
    app.config["MEDIA"] = "s3://never-created/site"
    assert [line for line in doctor.problems(app) if line.startswith(missing)]
    app.config["BACKUP_TO"] = "s3://never-created/backups"
    about_backups = [line for line in doctor.problems(app) if "backup" in line.lower()]
    assert [line.partition(" ")[0] for line in about_backups] == ["SPECTATOR_BACKUP_TO"]


def test_what_a_killed_backup_left_is_deleted_by_the_next(
    app: Flask, environ: dict[str, str], tmp_path: Path
) -> None:
    unfinished = unfinished_workspace(tmp_path)
    with backup.workspace(tmp_path) as running:
        assert not unfinished.exists()
        backup.make(app.config, tmp_path / "a.backup")
        assert running.exists(), "that of a running backup stays"
    assert [path.name for path in tmp_path.glob(".spectator-backup-*")] == []


def test_a_backup_deletes_nothing_that_it_did_not_make(app: Flask, tmp_path: Path) -> None:
    foreign = [tmp_path / ".backup-photos", tmp_path / ".spectator-backup-photos"]
    for directory in foreign:
        directory.mkdir()
        (directory / "a.jpg").write_bytes(b"precious")
    elsewhere = unfinished_workspace(tmp_path, "another-host")
    link, target = tmp_path / ".spectator-backup-link", unfinished_workspace(tmp_path / "there")
    link.symlink_to(target)
    (tmp_path / ".spectator-backup-file").touch()
    backup.make(app.config, tmp_path / "a.backup")
    assert all((directory / "a.jpg").exists() for directory in foreign)
    assert elsewhere.exists() and target.exists() and link.is_symlink()
