"""With a full disk for the index, pages and newsroom go on; with free space search recovers
alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spectator.db import StorageError
from tests.drills.running_site import Answer, Site, Story, eventually, token

pytestmark = pytest.mark.drill
HEALING_SECONDS = 40.0  # the supervisor's longest pause and a rebuild


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
    """Use up every byte of a disk; return the file that does."""
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
    raise AssertionError("the disk has no end")


def test_a_full_disk_stops_only_the_index(small_disk: Site) -> None:
    site, index = small_disk, small_disk.data / "index"
    stories = site.publish([token(number) for number in range(5)])
    site.assert_findable(stories, 10, "while there is room")
    stories += without_room(site, index, 10, stories)
    without_room(site, index, 20, stories, is_index_lost=True)


def without_room(
    site: Site, index: Path, number: int, before: list[Story], is_index_lost: bool = False
) -> list[Story]:
    """Fill the disk, publish, free the disk; return the published stories."""
    pages = ["/", "/politics/", "/feed.xml", before[0].path, f"/search?q={before[0].token}"]
    if not is_index_lost:
        pages.append(f"/fragments/suggest?q={before[0].token[:-1]}")
    complaint, count = "No space left on device", len(site.log_matches("No space left on device"))
    with site.polling(pages) as answers:
        if is_index_lost:
            for path in index.iterdir():
                path.unlink() if path.is_symlink() or path.is_file() else shutil.rmtree(path)
        filler = fill(index)
        during = site.publish([token(number + extra) for extra in range(5)])
        eventually(
            lambda: len(site.log_matches(complaint)) > count, 15, "the worker meets the full disk"
        )
        assert [site.get(story.path).status for story in during] == [200] * 5
        assert not site.is_findable(during[0])
        filler.unlink()
        site.assert_findable(before + during, HEALING_SECONDS, "with room again")
    assert site.is_index_correct()
    if not is_index_lost:
        searches = [
            answer
            for answer in answers
            if before[0].token[:-1] in answer.path and "?q=" in answer.path
        ]
        assert [answer.status for answer in searches] == [200] * len(searches), (
            "what was committed stays searchable"
        )
        assert all(f'href="{before[0].path}"' in answer.body for answer in searches)
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


def says_full(answer: Answer) -> bool:
    """Return whether one response says both: a write of SQLite may free a page between two."""
    return answer.status == 503 and '"storage":"full disk"' in answer.body


def test_a_full_disk_stops_saves_alone_and_all_recovers(small_site: Site) -> None:
    site = small_site
    stories = site.publish([token(number) for number in range(3)])
    site.assert_findable(stories, 15, "while there is room")
    for round_ in (1, 2):
        filler = fill(site.data)
        with site.polling(["/", "/politics/", stories[0].path, f"/search?q={stories[0].token}"]):
            with pytest.raises(StorageError):
                for number in range(200):
                    site.publish([token(1000 * round_ + number)])
            eventually(lambda: says_full(site.get("/readyz")), 15, "unready, and why")
        filler.unlink()
        eventually(
            lambda: site.get("/readyz").status == 200, HEALING_SECONDS, "ready again by itself"
        )
        late = site.publish([token(10 * round_)])
        site.assert_findable(late, HEALING_SECONDS, "with room again")
