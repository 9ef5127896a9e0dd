"""While a writer locks the database for three seconds, only other writers wait."""

from __future__ import annotations

import threading
import time

import pytest

from spectator.db import sqlite
from tests.drills.running_site import Site, token

pytestmark = pytest.mark.drill
HELD_SECONDS = 3.0
MAX_READ_SECONDS = 1.5


def test_readers_do_not_wait_for_a_writer_and_editors_do(shared_site: Site) -> None:
    site = shared_site
    [story] = site.publish([token(1, "zl")])
    site.assert_findable([story], 10, "before the lock")
    lock_taken = threading.Event()
    holder = threading.Thread(target=hold_write_lock, args=(site, lock_taken))
    holder.start()
    assert lock_taken.wait(5)
    with site.polling(
        ["/", "/politics/", story.path, f"/search?q={story.token}", "/readyz"]
    ) as responses:
        started = time.monotonic()
        [late] = site.publish([token(2, "zl")])
        waited = time.monotonic() - started
    holder.join(10)
    assert HELD_SECONDS / 2 < waited < HELD_SECONDS + 4
    assert max(response.seconds for response in responses) < MAX_READ_SECONDS
    site.assert_findable([late], 10, "after the lock")


def hold_write_lock(site: Site, lock_taken: threading.Event) -> None:
    """Hold the write lock for HELD_SECONDS; set the event once it is held."""
    connection = sqlite.connect(str(site.data / "spectator.db"), isolation_level=None, timeout=5)
    connection.execute("BEGIN IMMEDIATE")
    lock_taken.set()
    time.sleep(HELD_SECONDS)
    connection.execute("ROLLBACK")
    connection.close()
