"""An import from WordPress that is killed at random and started again ends like an undisturbed one.

1,000 posts and 5 kills in CI, 10,000 and 20 at full size (variables `WORDPRESS_POSTS` and
`WORDPRESS_KILLS`).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from spectator.db import sqlite
from tests.drills.running_site import Site
from tests.drills.sizes import drill_size
from tests.picture_samples import encoded, photograph
from tests.wordpress_samples import category, comment, export, item, meta, term

pytestmark = pytest.mark.drill
POSTS = drill_size("WORDPRESS_POSTS", ci=1_000, full=10_000)
KILLS = drill_size("WORDPRESS_KILLS", ci=5, full=20)
UPLOADS = "https://old.example/wp-content/uploads/2024/05"
QUERIES = (
    "SELECT external_id, slug, headline, body, status, version FROM article ORDER BY 1",
    "SELECT address, kind FROM old_address ORDER BY 1",
    "SELECT action, count(*) FROM revision GROUP BY 1",
    "SELECT count(*) FROM picture",
    "SELECT count(*) FROM picture_use",
    "SELECT path, title, body, status FROM page ORDER BY 1",
    "PRAGMA integrity_check",
)


def test_a_killed_import_ends_like_an_undisturbed_one(
    make_site: Callable[[], Site], tmp_path: Path
) -> None:
    (tmp_path / "uploads/2024/05").mkdir(parents=True)
    for number in range(10):
        picture = encoded(photograph(64 + number, 48))
        (tmp_path / f"uploads/2024/05/p{number}.jpg").write_bytes(picture)
    (tmp_path / "posts.xml").write_bytes(export_file())
    command = ("spectator", "import", "wordpress", str(tmp_path / "posts.xml"))
    command += ("--media", str(tmp_path / "uploads"))
    undisturbed, killed = make_site(), make_site()
    start = time.monotonic()
    assert undisturbed.spawn(*command).wait(600) == 0
    duration = time.monotonic() - start
    chance = random.Random(16)
    kills = 0
    for _ in range(KILLS):
        process = killed.spawn(*command)
        time.sleep(chance.uniform(0.2, 0.9) * duration)
        kills += process.poll() is None
        process.kill()
        process.wait(10)
    assert kills, "every import ended before its kill"
    assert killed.spawn(*command).wait(600) == 0
    assert contents(killed) == contents(undisturbed)


def export_file() -> bytes:
    """Return an export with posts, some with a picture or a comment, and two pages."""
    posts = (
        item(
            number,
            term("category", f"c{number % 7}", f"Category {number % 7}"),
            term("post_tag", f"t{number % 50}", f"Tag {number % 50}"),
            *([comment("Yes")] if number % 3 == 0 else []),
            *([meta("_thumbnail_id", str(900_000 + number % 10))] if number % 9 == 0 else []),
            content=f'<p>{"word " * 300}</p><p><img src="{UPLOADS}/p{number % 10}.jpg" alt=""></p>',
            status="private" if number % 11 == 0 else "publish",
        )
        for number in range(1, POSTS + 1)
    )
    files = (
        item(
            900_000 + number,
            post_type="attachment",
            status="inherit",
            attachment_url=f"{UPLOADS}/p{number}.jpg",
        )
        for number in range(10)
    )
    pages = (
        item(800_001, post_type="page", post_name="imprint", title="Imprint"),
        item(800_002, post_type="page", post_name="team", title="Team", post_parent="800001"),
    )
    categories = (category(f"c{number}", f"Category {number}") for number in range(7))
    return export(*categories, *posts, *pages, *files)


def contents(site: Site) -> list[Any]:
    """Return what an import stores."""
    with closing(sqlite.connect(str(site.data / "spectator.db"))) as connection:
        return [connection.execute(query).fetchall() for query in QUERIES]
