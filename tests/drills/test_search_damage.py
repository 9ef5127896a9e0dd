"""With one damaged index file, search results of a running site stay correct and search recovers.

12 random combinations of file and damage in CI, all at full size (variable `SEARCH_DAMAGES`).
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from tests.drills.running_site import (
    Response,
    Site,
    Story,
    eventually,
    stable_index_files,
    token,
)
from tests.drills.sizes import drill_size

# Whoosh does not close files that it fails to read; this process also reads the damaged index.
pytestmark = [
    pytest.mark.drill,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
DAMAGES = drill_size("SEARCH_DAMAGES", ci=12, full=1000)  # more than there are combinations
SEED = 20261123
STORIES = 20
RECOVERY_SECONDS = 40.0

Damage = Callable[[Path], None]


def cut(path: Path) -> None:
    """Cut a file in half."""
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    """Empty a file."""
    os.truncate(path, 0)


def delete(path: Path) -> None:
    """Delete a file."""
    path.unlink()


def replace(path: Path) -> None:
    """Replace a file with random bytes of the same length."""
    other = path.with_name("other")
    other.write_bytes(os.urandom(path.stat().st_size))
    other.replace(path)


def lengthen(path: Path) -> None:
    """Append to a file."""
    with path.open("ab") as file:
        file.write(b"\0" * 1000)


def files_by_kind(site: Site) -> dict[str, Path]:
    """Return the largest file of each kind ("toc", "trm", "article.col" …) in the current index."""
    sizes = stable_index_files(site.data / "index")
    paths = sorted(sizes, key=lambda path: sizes[path])
    return {
        "toc" if path.suffix == ".toc" else path.name.partition(".")[2]: path for path in paths
    }


def test_search_recovers_from_damage_to_any_index_file(site: Site) -> None:
    stories = site.publish([token(number) for number in range(STORIES)])
    site.assert_findable(stories, 15, "before anything is damaged")
    initial_kinds = files_by_kind(site)
    assert {"toc", "trm", "pst", "article.col", "facets.col"} <= initial_kinds.keys()
    cases = list(product(sorted(initial_kinds), (cut, empty, delete, replace, lengthen)))
    rng = random.Random(SEED)
    for kind, damage in rng.sample(cases, min(DAMAGES, len(cases))):
        path = files_by_kind(site).get(kind)
        if path is not None:  # a rebuilt index lacks some kinds
            damage_and_recover(site, path, damage, stories)
    assert [site.get(story.path).status for story in stories] == [200] * STORIES


def damage_and_recover(site: Site, path: Path, damage: Damage, stories: list[Story]) -> None:
    """Damage one file while search is polled; wait until the index is correct again."""
    case = f"{path.name} {damage.__name__}"
    first, last = stories[0], stories[-1]
    common = "/search?q=drill&sort=oldest"
    pages = [
        f"/search?q={first.token}",
        f"/search?q={last.token}",
        common,
        f"/fragments/related/{first.id}",
    ]
    with site.polling(pages) as responses:
        damage(path)
        for _ in range(2):  # there are two web processes
            site.assert_findable(stories, RECOVERY_SECONDS, f"after {case}")
        eventually(site.is_index_correct, RECOVERY_SECONDS, f"a correct index after {case}")
    for response in responses:
        check_response(response, {pages[0]: first, pages[1]: last, common: first}, case)


def check_response(response: Response, expected: dict[str, Story], case: str) -> None:
    """Check that a search with status 200 lists its story; search may also be unavailable."""
    story = expected.get(response.path)
    if story and response.status == 200:
        assert f'href="{story.path}"' in response.body, (
            f"{case}: {response.path} does not show {story.path}"
        )


def test_stories_published_after_damage_become_findable(site: Site) -> None:
    stories = site.publish([token(number) for number in range(STORIES)])
    site.assert_findable(stories, 15, "before anything is damaged")
    for number, (kind, damage) in enumerate(
        (("trm", cut), ("facets.col", empty), ("toc", delete), ("pst", replace))
    ):
        damage(files_by_kind(site)[kind])
        # The worker meets the damage when it indexes these stories.
        stories += site.publish([token(1000 + number)])
        site.assert_findable(stories, RECOVERY_SECONDS, f"after {kind} {damage.__name__}")
    assert site.is_index_correct()
