"""Search on a small running site: stories are findable soon, and long queries cause no error.

15 stories in CI, 200 at full size (variable `FINDABLE_STORIES`).
"""

from __future__ import annotations

import statistics
import time

import pytest

from tests.drills.running_site import Site, eventually, token
from tests.drills.sizes import drill_size

pytestmark = pytest.mark.drill
STORIES = drill_size("FINDABLE_STORIES", ci=15, full=200)
WORST_SECONDS = 3.0


def test_a_story_is_findable_soon_after_it_is_published(shared_site: Site) -> None:
    site = shared_site
    eventually(lambda: site.get("/search?q=anything").status == 200, 10, "an index")
    waits = []
    for number in range(STORIES):
        [story] = site.publish([token(number)])
        started = time.monotonic()
        site.assert_findable([story], WORST_SECONDS, f"as number {number}")
        waits.append(time.monotonic() - started)
    print(f"findable after {statistics.median(waits):.2f} s (median), {max(waits):.2f} s (worst)")


def test_very_long_search_texts_cause_no_server_error(shared_site: Site) -> None:
    assert shared_site.get("/search?q=" + 20_000 * "x").status == 200
    assert shared_site.get("/search?q=" + 40_000 * "x").status in {400, 414}
