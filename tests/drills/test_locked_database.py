"""While another writer locks the database for three seconds, readers go on and an editor waits."""

from __future__ import annotations

import threading
import time

import pytest

from spectator.db import sqlite
from tests.drills.running_site import Site, token

pytestmark = pytest.mark.drill
HELD_SECONDS = 3.0
AT_ONCE_SECONDS = 1.5


def test_readers_do_not_wait_for_a_writer_and_editors_do(calm_site: Site) -> None:
    site = calm_site
    [story] = site.publish([token(1, "zl")])
    site.assert_findable([story], 10, "before the lock")
    is_held = threading.Event()
    holder = threading.Thread(target=hold, args=(site, is_held))
    holder.start()
    assert is_held.wait(5)
    with site.polling(
        ["/", "/politics/", story.path, f"/search?q={story.token}", "/readyz"]
    ) as answers:
        started = time.monotonic()
        [late] = site.publish([token(2, "zl")])
        waited = time.monotonic() - started
    holder.join(10)
    assert HELD_SECONDS / 2 < waited < HELD_SECONDS + 4
    assert max(answer.seconds for answer in answers) < AT_ONCE_SECONDS
    site.assert_findable([late], 10, "after the lock")


def hold(site: Site, is_held: threading.Event) -> None:
    """Hold the write lock for a while."""
    connection = sqlite.connect(str(site.data / "spectator.db"), isolation_level=None, timeout=5)
    connection.execute("BEGIN IMMEDIATE")
    is_held.set()
    time.sleep(HELD_SECONDS)
    connection.execute("ROLLBACK")
    connection.close()
