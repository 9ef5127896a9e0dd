"""While the index of a running site is deleted or damaged, pages work, and search recovers."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.drills.running_site import Site, Story, eventually, stable_index_files, token

pytestmark = pytest.mark.drill
RECOVERY_SECONDS = 30.0


def delete_all(index: Path) -> None:
    """Delete every file."""
    shutil.rmtree(index, ignore_errors=True)  # the worker may add and delete files meanwhile


def truncate_files(index: Path) -> None:
    """Cut every file in half."""
    for path, size in stable_index_files(index).items():
        os.truncate(path, size // 2)


def fill_with_garbage(index: Path) -> None:
    """Overwrite every file with garbage of the same length."""
    for path, size in stable_index_files(index).items():
        path.write_bytes(os.urandom(size))


def remove_link(index: Path) -> None:
    """Remove the link to the current generation."""
    (index / "current").unlink()


def delete_one_file(index: Path) -> None:
    """Delete the largest file."""
    sizes = stable_index_files(index)
    max(sizes, key=lambda path: sizes[path]).unlink()


DAMAGES = (delete_all, truncate_files, fill_with_garbage, remove_link, delete_one_file)


def test_search_recovers_completely_from_a_damaged_index(site: Site) -> None:
    stories = site.publish([token(number) for number in range(30)])
    site.assert_findable(stories, 15, "before anything is damaged")
    for number, damage in enumerate(DAMAGES):
        stories += damage_and_recover(site, damage, stories, 1000 + 10 * number)


def damage_and_recover(
    site: Site, damage: Callable[[Path], None], stories: list[Story], number: int
) -> list[Story]:
    """Damage the index while pages are polled and stories published; return the new stories.

    Wait until all stories are findable.
    """
    pages = [
        "/",
        "/politics/",
        "/country/mali/",
        "/feed.xml",
        stories[0].path,
        f"/search?q={stories[0].token}",
    ]
    pages.append(f"/fragments/related/{stories[0].id}")
    with site.polling(pages):
        damage(site.data / "index")
        fresh = site.publish([token(number + extra) for extra in range(3)])
        expected = [*stories, *fresh]
        for _ in range(2):  # either of the two web processes may respond
            site.assert_findable(expected, RECOVERY_SECONDS, f"after {damage.__name__}")
    assert site.is_index_correct(), damage.__name__
    return fresh


def test_search_recovers_after_the_index_is_deleted_during_writes(
    site: Site, tmp_path: Path
) -> None:
    site.spawn("tests.drills.publisher", str(tmp_path / "ledger"))
    stories = site.publish([token(number) for number in range(5)])
    for _ in range(3):
        site.assert_findable(stories[-1:], RECOVERY_SECONDS, "before the index is deleted")
        delete_all(site.data / "index")
    site.kill("publisher")
    site.assert_findable(stories, RECOVERY_SECONDS, "after the index was deleted")
    eventually(site.is_index_correct, RECOVERY_SECONDS, "the index is correct")
