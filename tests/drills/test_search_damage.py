"""Any one index file of a running site is damaged: answers stay right, and search recovers.

12 damages drawn from all kinds of file and damage in CI, each of them at full size
(`SEARCH_DAMAGES`).
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from tests.drills.running_site import Answer, Site, Story, eventually, token
from tests.drills.sizes import drill_size

# Whoosh leaves files open that it fails to read; this process reads the damaged index, too.
pytestmark = [
    pytest.mark.drill,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
DAMAGES = drill_size("SEARCH_DAMAGES", ci=12, full=1000)  # or all kinds
SEED = 20261123
STORIES = 20
HEALING_SECONDS = 40.0
OWN_FILES = {"position", "damaged", "MAIN_WRITELOCK"}

Damage = Callable[[Path], None]


def cut(path: Path) -> None:
    """Cut the end off a file."""
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    """Empty a file."""
    os.truncate(path, 0)


def delete(path: Path) -> None:
    """Delete a file."""
    path.unlink()


def replace(path: Path) -> None:
    """Replace a file with another."""
    other = path.with_name("other")
    other.write_bytes(os.urandom(path.stat().st_size))
    other.replace(path)


def lengthen(path: Path) -> None:
    """Append to a file."""
    with path.open("ab") as file:
        file.write(b"\0" * 1000)


def kinds(site: Site) -> dict[str, Path]:
    """Return the largest file of each kind in the current index: "toc", "trm", "article.col" and so
    on.
    """
    directory = (site.data / "index" / "current").resolve()
    paths = sorted(
        (path for path in directory.iterdir() if path.name not in OWN_FILES),
        key=lambda path: path.stat().st_size,
    )
    return {"toc" if path.suffix == ".toc" else path.name.partition(".")[2]: path for path in paths}


def test_any_file_may_be_damaged(site: Site) -> None:
    stories = site.publish([token(number) for number in range(STORIES)])
    site.assert_findable(stories, 15, "before anything is damaged")
    initial_kinds = kinds(site)
    assert {"toc", "trm", "pst", "article.col", "facets.col"} <= initial_kinds.keys()
    cases = list(product(sorted(initial_kinds), (cut, empty, delete, replace, lengthen)))
    chance = random.Random(SEED)
    for kind, damage in chance.sample(cases, min(DAMAGES, len(cases))):
        if kind not in kinds(site):  # a new index has no empty files
            continue
        damage_and_heal(site, kind, damage, stories)
    assert [site.get(story.path).status for story in stories] == [200] * STORIES


def damage_and_heal(site: Site, kind: str, damage: Damage, stories: list[Story]) -> None:
    """Damage one file while readers read; wait until all is right again."""
    what = f"{kind} {damage.__name__}"
    first, last = stories[0], stories[-1]
    common = "/search?q=drill&sort=oldest"
    pages = [
        f"/search?q={first.token}",
        f"/search?q={last.token}",
        common,
        f"/fragments/related/{first.id}",
    ]
    with site.polling(pages) as answers:
        damage(kinds(site)[kind])
        for _ in range(2):  # there are two web processes
            site.assert_findable(stories, HEALING_SECONDS, f"after {what}")
        eventually(site.is_index_correct, HEALING_SECONDS, f"complete after {what}")
    for answer in answers:
        check(answer, {pages[0]: first, pages[1]: last, common: first}, what)


def check(answer: Answer, expected: dict[str, Story], what: str) -> None:
    """Fail on a wrong answer; saying that search is unavailable is not wrong."""
    story = expected.get(answer.path)
    if story and answer.status == 200:
        assert f'href="{story.path}"' in answer.body, (
            f"{what}: {answer.path} does not show {story.path}"
        )


def test_a_damaged_file_does_not_keep_new_stories_out(site: Site) -> None:
    stories = site.publish([token(number) for number in range(STORIES)])
    site.assert_findable(stories, 15, "before anything is damaged")
    for number, (kind, damage) in enumerate(
        (("trm", cut), ("facets.col", empty), ("toc", delete), ("pst", replace))
    ):
        damage(kinds(site)[kind])
        # The worker meets the damage while it writes.
        stories += site.publish([token(1000 + number)])
        site.assert_findable(stories, HEALING_SECONDS, f"after {kind} {damage.__name__}")
    assert site.is_index_correct()
