"""From publication to search on a small site: not a benchmark, but nobody should wait."""

from __future__ import annotations

import statistics
import time

import pytest

from tests.drills.running_site import Site, eventually, token

pytestmark = pytest.mark.drill
WORST_SECONDS = 3.0


def test_a_story_is_findable_soon_after_it_is_published(calm_site: Site) -> None:
    site = calm_site
    eventually(lambda: site.get("/search?q=anything").status == 200, 10, "an index")
    waits = []
    for number in range(15):
        [story] = site.publish([token(number)])
        started = time.monotonic()
        site.must_find([story], WORST_SECONDS, f"as number {number}")
        waits.append(time.monotonic() - started)
    print(f"findable after {statistics.median(waits):.2f} s at the median, {max(waits):.2f} s at worst")
