"""Backups: made while the site runs, verified, and restored into an empty installation only."""

from __future__ import annotations

import json
import os
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select

from spectator import accounts, create_app, preview_links
from spectator.cli import main
from spectator.db import Base, db
from spectator.models import User, UserSession
from spectator.operations import backup, backup_archive, restore
from spectator.operations.site_lock import require_stopped_site
from tests import postgresql
from tests.conftest import settings
from tests.test_database_copy import all_rows

Story = Callable[..., int]
FORGOTTEN = ("user_session", "preview_link")


@pytest.fixture
def site(app: Flask, editor: User, story: Story) -> Flask:
    """Site with stories, a session, a preview link and two pictures."""
    article_id = story(headline="É plain", topics=("Ports",), authors=("Amina",))
    story(headline="Another")
    accounts.log_in(editor.email, "a long password of editor", accounts.Client("192.0.2.1"))
    preview_links.create(article_id, editor.id, 30)
    originals = app.config["MEDIA"] / "originals"
    originals.mkdir(exist_ok=True)
    for name in ("aa.jpg", "bb.png", ".new-x1y2", "notes"):  # an unfinished upload, a stray file
        (originals / name).write_bytes(name.encode() * 1000)
    return app


@pytest.fixture
def empty(tmp_path: Path) -> dict[str, str]:
    """Environment of an empty installation."""
    directory = tmp_path / "empty"
    environ = settings(directory)
    if postgresql.SERVER_URL:
        name = f"{postgresql.DATABASE}_restored"
        postgresql.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        postgresql.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        environ["SPECTATOR_DATABASE_URL"] = f"{postgresql.SERVER_URL}/{name}"
    return environ


def run(environ: dict[str, str], *words: object) -> tuple[int, str]:
    """Run the command with these settings; return its exit code and output."""
    result = CliRunner().invoke(main, list(map(str, words)), env=environ)
    return result.exit_code, result.output


@pytest.fixture
def path(site: Flask, tmp_path: Path) -> Path:
    """Backup of the site."""
    path = tmp_path / "a.backup"
    make(site, path)
    return path


def make(site: Flask, path: Path, with_key: bool = False) -> backup.Manifest:
    return backup.make(site.config, path, with_key)


def test_a_restored_site_has_every_row_and_picture_but_no_session(
    site: Flask, empty: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "a.backup"
    make(site, path, with_key=True)
    assert path.stat().st_mode & 0o777 == 0o600
    rows = all_rows(db.engine)
    assert all(rows[table] for table in FORGOTTEN)
    [token_hash] = db.session.scalars(select(UserSession.token_hash))
    assert token_hash.encode() not in path.read_bytes()
    code, output = run(empty, "restore", path)
    assert code == 0, output
    assert "restored: 2 stories and 2 pictures of " in output
    restored = create_app(empty)
    with restored.app_context():
        expected = rows | {table: [] for table in FORGOTTEN}
        assert all_rows(db.engine) == expected
        db.session.remove()
        db.engine.dispose()
    for name in ("aa.jpg", "bb.png"):
        picture = restored.config["MEDIA"] / "originals" / name
        assert picture.read_bytes() == name.encode() * 1000
        assert picture.stat().st_mode & 0o777 == 0o600
    assert restored.config["SECRET_KEY"] == site.config["SECRET_KEY"]


def test_the_key_is_in_a_backup_only_on_request(site: Flask, tmp_path: Path) -> None:
    assert "secret_key" not in make(site, tmp_path / "a.backup").files
    assert "secret_key" in make(site, tmp_path / "b.backup", with_key=True).files


def test_nothing_is_overwritten(site: Flask, path: Path, empty: dict[str, str]) -> None:
    with pytest.raises(backup.BackupError, match="exists"):
        make(site, path)
    rows = all_rows(db.engine)
    code, output = run(settings(site.config["DATA_DIR"]), "restore", path)
    assert code == 1 and "Restore into an empty installation." in output
    assert all_rows(db.engine) == rows
    originals = Path(empty["SPECTATOR_DATA_DIR"]) / "media/originals"
    originals.mkdir(parents=True)
    (originals / "aa.jpg").write_bytes(b"another picture")
    code, output = run(empty, "restore", path)
    assert code == 1 and "aa.jpg exists and differs" in output
    assert (originals / "aa.jpg").read_bytes() == b"another picture"


def test_a_backup_is_not_restored_beside_a_running_site(
    path: Path, empty: dict[str, str]
) -> None:
    data = Path(empty["SPECTATOR_DATA_DIR"])
    data.mkdir()
    with require_stopped_site(data):  # as a running worker does
        code, output = run(empty, "restore", path)
    assert (code, output) == (
        1,
        "spectator: The site is running. Stop it first, then try again.\n",
    )


def test_an_interrupted_restore_can_be_repeated(
    path: Path, empty: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_url: str, _path: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(restore.database_dump, "restore", stop)
        assert run(empty, "restore", path)[0] == 1
    data = Path(empty["SPECTATOR_DATA_DIR"])
    assert not (data / "spectator.db").exists()
    assert run(empty, "restore", path)[0] == 0
    assert [name for name in os.listdir(data) if name.startswith(".")] == []


@pytest.mark.sqlite
def test_files_that_sqlite_left_beside_another_database_are_deleted(
    path: Path, empty: dict[str, str]
) -> None:
    data = Path(empty["SPECTATOR_DATA_DIR"])
    data.mkdir()
    for suffix in ("-wal", "-shm", "-journal"):
        (data / f"spectator.db{suffix}").write_bytes(b"of an older database")
    assert run(empty, "restore", path)[0] == 0
    for suffix in ("-wal", "-shm", "-journal"):
        file = data / f"spectator.db{suffix}"
        assert not file.exists() or b"older" not in file.read_bytes()


@pytest.mark.parametrize("position", [0.02, 0.3, 0.6, 0.9, 0.99])
def test_a_damaged_byte_is_found(path: Path, position: float) -> None:
    with tarfile.open(path) as archive:
        members = archive.getmembers()
    offset = int(position * (members[-1].offset_data + members[-1].size))
    member = max((m for m in members if m.offset_data <= offset), key=lambda m: m.offset_data)
    offset = min(offset, member.offset_data + member.size - 1)  # not in the padding
    content = bytearray(path.read_bytes())
    content[offset] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(backup.BackupError):
        backup.check(path)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.95])
def test_an_incomplete_file_is_no_backup(path: Path, share: float) -> None:
    os.truncate(path, int(path.stat().st_size * share))
    with pytest.raises(backup.BackupError):
        backup.check(path)


@pytest.mark.parametrize("name", ["../escaped", "/tmp/escaped", "originals/../../escaped"])
def test_a_hostile_archive_writes_nothing_outside(
    path: Path, empty: dict[str, str], tmp_path: Path, name: str
) -> None:
    with tarfile.open(path, "a") as archive:
        information = tarfile.TarInfo(name)
        information.size = 4
        archive.addfile(information, BytesIO(b"evil"))
    code, output = run(empty, "restore", path)
    assert code == 1 and "does not hold the files that it lists" in output
    assert not list(tmp_path.rglob("escaped"))


@pytest.mark.parametrize("name", ["originals/..", "originals/a/b.jpg", "spectator.db", "wsgi.py"])
def test_a_hostile_manifest_is_refused(name: str) -> None:
    manifest = backup.Manifest(datetime.now(UTC), "1", "0001", "sqlite", 1, {name: (1, "")})
    with pytest.raises(backup.BackupError, match="unknown file"):
        backup.Manifest.parse(manifest.serialize())


@pytest.mark.parametrize(
    "change",
    [
        {"stories": float("inf")},
        {"stories": True},
        {"schema": []},
        {"version": "\x1b[2J"},
        {"database": "sqlite\n"},
        {"files": {"secret_key": (float("inf"), "")}},
        {"made_at": 1},
    ],
)
def test_a_manifest_with_other_values_is_damaged(change: dict[str, object]) -> None:
    manifest = backup.Manifest(datetime.now(UTC), "1", "0001", "sqlite", 1, {})
    values = json.loads(manifest.serialize())
    assert backup.Manifest.parse(json.dumps(values).encode()) == manifest
    with pytest.raises(backup.BackupError, match="its manifest cannot be read"):
        backup.Manifest.parse(json.dumps(values | change).encode())


def test_a_manifest_that_is_nested_too_deeply_is_damaged() -> None:
    with pytest.raises(backup.BackupError, match="its manifest cannot be read"):
        backup.Manifest.parse(b"[" * 100_000)


@pytest.mark.sqlite
@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_SPARSE, tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_member_that_is_not_a_plain_file_is_refused_unread(path: Path, kind: bytes) -> None:
    """A sparse one may claim terabytes, which take hours to read."""
    with tarfile.open(path) as archive:
        member = archive.getmember("database.sqlite")
        member.type, member.linkname = kind, "database.sqlite"
        if kind == tarfile.GNUTYPE_SPARSE:
            member.sparse = [(0, 10**13)]
        with (
            pytest.raises(backup.BackupError, match=r"database\.sqlite is not a file"),
            backup_archive.open_member(archive, "database.sqlite"),
        ):
            pass


def test_checking_writes_nothing(path: Path, empty: dict[str, str]) -> None:
    code, output = run(empty, "restore", "--check", path)
    assert code == 0 and "complete: 2 stories and 2 pictures of " in output
    assert not Path(empty["SPECTATOR_DATA_DIR"]).exists()


def test_a_backup_on_a_full_disk_leaves_no_file(
    site: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup_archive, "_member", fill)
    directory = tmp_path / "backups"
    directory.mkdir()
    with pytest.raises(OSError, match="No space"):
        make(site, directory / "a.backup")
    assert list(directory.iterdir()) == []


def test_stories_saved_during_a_backup_are_whole(
    site: Flask, story: Story, tmp_path: Path, empty: dict[str, str]
) -> None:
    names: list[str] = []

    def save(name: str) -> None:
        names.append(name)
        story(headline=f"During {len(names)}")

    backup.make(site.config, tmp_path / "a.backup", show=save)
    assert run(empty, "restore", tmp_path / "a.backup")[0] == 0
    restored = create_app(empty)
    with restored.app_context():
        assert len(db.session.scalars(select(Base.metadata.tables["article"].c.id)).all()) == 2
        db.session.remove()
        db.engine.dispose()
