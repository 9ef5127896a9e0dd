"""A full disk stops only indexing or saving; with free space both work again by themselves."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spectator.db import StorageError
from tests.drills.running_site import Response, Site, Story, eventually, token

pytestmark = pytest.mark.drill
RECOVERY_SECONDS = 40.0  # the supervisor's longest pause and a rebuild


@pytest.fixture
def small_disk(make_site: Callable[[], Site]) -> Iterator[Site]:
    """Running site whose index is on its own disk of 2 MB."""
    site = make_site()
    index = site.data / "index"
    index.mkdir()
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("only root can mount a small disk")
    mounting = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", index],
        capture_output=True,
        encoding="utf-8",
    )
    if mounting.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounting.stderr.strip()}")
    try:
        site.start()
        yield site
    finally:
        subprocess.run(["umount", "--lazy", index], check=True)


def fill(directory: Path) -> Path:
    """Fill a disk to the last byte; return the file that fills it."""
    filler = directory / "filler"
    handle = os.open(filler, os.O_WRONLY | os.O_CREAT)
    try:
        for size in (65536, 1):
            while os.write(handle, b"\0" * size):
                pass
    except OSError:
        return filler
    finally:
        os.close(handle)
    raise AssertionError("the disk did not become full")


def test_a_full_index_disk_stops_only_indexing_until_space_is_free(small_disk: Site) -> None:
    site, index = small_disk, small_disk.data / "index"
    stories = site.publish([token(number) for number in range(5)])
    site.assert_findable(stories, 10, "before the disk is full")
    stories += publish_on_full_disk(site, index, 10, stories)
    publish_on_full_disk(site, index, 20, stories, is_index_deleted=True)


def publish_on_full_disk(
    site: Site, index: Path, number: int, before: list[Story], is_index_deleted: bool = False
) -> list[Story]:
    """Fill the disk, publish, free the disk; return the published stories."""
    pages = ["/", "/politics/", "/feed.xml", before[0].path, f"/search?q={before[0].token}"]
    if not is_index_deleted:
        pages.append(f"/fragments/suggest?q={before[0].token[:-1]}")
    error = "No space left on device"
    count = len(site.log_matches(error))
    with site.polling(pages) as responses:
        if is_index_deleted:
            for path in index.iterdir():
                if path.is_symlink() or path.is_file():
                    path.unlink(missing_ok=True)
                else:  # the worker may delete files meanwhile
                    shutil.rmtree(path, ignore_errors=True)
        filler = fill(index)
        during = site.publish([token(number + extra) for extra in range(5)])
        eventually(
            lambda: len(site.log_matches(error)) > count,
            15,
            "the worker logs that the disk is full",
        )
        assert [site.get(story.path).status for story in during] == [200] * 5
        assert not site.is_findable(during[0])
        filler.unlink()
        site.assert_findable(before + during, RECOVERY_SECONDS, "after space is free")
    assert site.is_index_correct()
    if not is_index_deleted:
        searches = [
            response
            for response in responses
            if before[0].token[:-1] in response.path and "?q=" in response.path
        ]
        # What was committed before the disk was full stays searchable.
        assert [response.status for response in searches] == [200] * len(searches)
        assert all(f'href="{before[0].path}"' in response.body for response in searches)
    return during


@pytest.fixture
def small_site(make_site: Callable[[], Site]) -> Iterator[Site]:
    """Running site whose data is on its own disk of 24 MB."""
    site = make_site()
    copy = site.data.with_name("copy")
    shutil.copytree(site.data, copy)
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("only root can mount a small disk")
    command = [mount, "-t", "tmpfs", "-o", "size=24m,mode=711", "tmpfs", str(site.data)]
    mounting = subprocess.run(command, capture_output=True, encoding="utf-8")
    if mounting.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounting.stderr.strip()}")
    try:
        shutil.copytree(copy, site.data, dirs_exist_ok=True)
        site.start()
        yield site
    finally:
        subprocess.run(["umount", "--lazy", site.data], check=True)


def reports_full_disk(response: Response) -> bool:
    """Return whether one response has both the status and the reason.

    Two responses might disagree, because SQLite may free a page between them.
    """
    return response.status == 503 and '"storage":"full disk"' in response.body


def test_a_full_data_disk_stops_only_saves_until_space_is_free(small_site: Site) -> None:
    site = small_site
    stories = site.publish([token(number) for number in range(3)])
    site.assert_findable(stories, 15, "before the disk is full")
    for round_ in (1, 2):
        filler = fill(site.data)
        with site.polling(["/", "/politics/", stories[0].path, f"/search?q={stories[0].token}"]):
            with pytest.raises(StorageError):
                for number in range(200):
                    site.publish([token(1000 * round_ + number)])
            eventually(lambda: reports_full_disk(site.get("/readyz")), 15, "/readyz reports it")
        filler.unlink()
        eventually(
            lambda: site.get("/readyz").status == 200, RECOVERY_SECONDS, "/readyz is 200 again"
        )
        late = site.publish([token(10 * round_)])
        site.assert_findable(late, RECOVERY_SECONDS, "after space is free")
