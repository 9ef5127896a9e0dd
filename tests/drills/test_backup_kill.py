"""A killed backup leaves nothing that looks like a backup, and the others restore completely.

Stories and pictures are added meanwhile, and every other backup goes to a bucket. 4 kills in CI,
100 at full size (variable `BACKUP_KILLS`).
"""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from threading import Event, Thread

import pytest
from flask import Flask
from PIL import Image

from spectator import create_app, media, publishing
from spectator.db import db
from spectator.object_storage import WRITING, open_store
from spectator.operations import backup, restore
from spectator.operations.database_dump import LEFT_OUT
from tests import object_stores
from tests.conftest import settings
from tests.drills.running_site import Site, publish
from tests.drills.sizes import drill_size
from tests.test_database_copy import all_rows

pytestmark = pytest.mark.drill
KILLS = drill_size("BACKUP_KILLS", ci=4, full=100)
# Tables whose rows are only added meanwhile, so that a backup has a part of them.
GROWING = ("article", "revision", "outbox", "picture")


def add_story(app: Flask, number: int) -> None:
    """Publish a story and store a picture."""
    publish(f"zbackup{number}")
    buffer = BytesIO()
    Image.effect_noise((200, 150), number % 90 + 10).save(buffer, "PNG")
    stored = media.store_upload(BytesIO(buffer.getvalue()), app.config["MEDIA"])
    with db.write() as session:
        publishing.add_picture(session, stored, None)


@contextmanager
def writing(site: Site) -> Iterator[None]:
    """Add stories and pictures until the end of the context."""
    is_ending, errors = Event(), []

    def write() -> None:
        number = random.randrange(10**9)
        with site.app_context() as app:
            while not is_ending.wait(0.05):
                try:
                    add_story(app, number := number + 1)
                except Exception as error:
                    errors.append(error)
                    return

    thread = Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        is_ending.set()
        thread.join()
    assert not errors


@pytest.fixture
def busy_site(make_site: Callable[[], Site]) -> Site:
    """Site with some stories and pictures."""
    site = make_site()
    with site.app_context() as app:
        for number in range(5):
            add_story(app, number)
    return site


def test_a_killed_backup_never_looks_like_a_backup(
    busy_site: Site, tmp_path: Path, bucket: str, s3_address: str
) -> None:
    site, environ, rng = busy_site, object_stores.environ(s3_address), random.Random(5)
    directory = tmp_path / "backups"
    directory.mkdir()
    seconds = 2.0
    with writing(site):
        for number in range(KILLS):
            name = f"{number}.backup"
            destination: backup.Destination = (
                f"{bucket}/{name}" if number % 2 else directory / name
            )
            started = time.monotonic()
            process = site.spawn("spectator", "backup", str(destination), **environ)
            with suppress(subprocess.TimeoutExpired):
                process.wait(rng.uniform(0.3, 1.1) * seconds)
                seconds = time.monotonic() - started
            process.kill()
            process.wait()
            if exists(destination):
                assert_complete(site, destination, tmp_path / f"restored{number}")
        last = directory / "last.backup"
        assert site.spawn("spectator", "backup", str(last)).wait(180) == 0, site.log_tail()
        assert_complete(site, last, tmp_path / "last")
    names = {path.name for path in directory.iterdir()}
    assert all(name.endswith((".backup", ".unfinished")) for name in names), names
    final = directory / "final.backup"
    assert site.spawn("spectator", "backup", str(final)).wait(180) == 0, site.log_tail()
    assert_equal(site, final, tmp_path / "final")


def exists(destination: backup.Destination) -> bool:
    """Return whether there is something with the name of a backup."""
    if isinstance(destination, Path):
        return destination.exists()
    prefix, _, name = destination.rpartition("/")
    return open_store(prefix, WRITING).byte_size(name) is not None


@contextmanager
def restored(destination: backup.Destination, data: Path) -> Iterator[Flask]:
    """Restore a backup into an empty installation, and enter its context."""
    data.mkdir()
    app = create_app(settings(data))
    with backup.local_copy(destination, data) as path:
        restore.restore(app.config, path)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def assert_complete(site: Site, destination: backup.Destination, data: Path) -> None:
    """Restore a backup; its rows must be some of the site's, with the picture of each row."""
    with restored(destination, data) as app:
        rows = all_rows(db.engine)
        pictures = picture_files(app)
        names = {f"{row[1]}.{row[2]}" for row in rows["picture"]}
        assert names and names <= pictures.keys()
    with site.app_context() as app:
        now = all_rows(db.engine)
        for table in GROWING:
            assert rows[table] and set(map(repr, rows[table])) <= set(map(repr, now[table])), (
                table
            )
        assert pictures.items() <= picture_files(app).items()


def assert_equal(site: Site, destination: backup.Destination, data: Path) -> None:
    """Restore a backup; it must have every row and file of the site, which is idle."""
    with restored(destination, data) as app:
        rows, pictures = all_rows(db.engine), picture_files(app)
    with site.app_context() as app:
        expected = all_rows(db.engine) | {table: [] for table in LEFT_OUT}
        assert rows == expected
        assert pictures == picture_files(app)


def picture_files(app: Flask) -> dict[str, bytes]:
    """Return the content of each original by name."""
    directory = app.config["MEDIA"] / "originals"
    return {path.name: path.read_bytes() for path in directory.iterdir()}
