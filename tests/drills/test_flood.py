"""A flood of invented URLs does not grow the memory of the web processes.

15 s in CI, ten minutes at full size (variable `FLOOD_SECONDS`).
"""

from __future__ import annotations

import http.client
import os
import random
import string
import time
from collections import Counter
from pathlib import Path
from threading import Thread

import pytest

from tests.drills.running_site import Site
from tests.drills.sizes import drill_size

pytestmark = pytest.mark.drill
SECONDS = drill_size("FLOOD_SECONDS", ci=15, full=600)
WARM_SECONDS = 5.0
MAX_GROWTH_BYTES = 10_000_000
CLIENTS = 4


def random_path(rng: random.Random, story: str) -> str:
    """Return a random path that no cache has."""
    word = "".join(rng.choices(string.ascii_lowercase, k=12))
    number = rng.randrange(10**15)
    return rng.choice(
        (
            f"/{word}/",
            f"/{word}/{word}",
            f"/politics/?before={number}-{number % 100}",
            f"/fragments/stream/?before={number}-1",
            f"/?{word}={number}",
            f"{story}?fbclid={word}",
            f"/archive/{number % 9998 + 1:04}/{number % 12 + 1:02}/",
            f"/country/{word}/feed.xml",
            f"/search?q={word}",
            f"/fragments/related/{number}",
            f"/fragments/suggest?q={word}",
        )
    )


def flood(site: Site, seconds: float, seed: int, statuses: Counter[int], story: str) -> None:
    """Request random paths, each with another Accept-Encoding and ETag."""
    rng, until = random.Random(seed), time.monotonic() + seconds
    while time.monotonic() < until:
        connection = http.client.HTTPConnection(site.address[7:], timeout=20)
        for _ in range(100):
            headers = {
                "Accept-Encoding": f"gzip;q=0.{rng.randrange(10**9)}",
                "If-None-Match": f'"{rng.random()}"',
            }
            connection.request("GET", random_path(rng, story), headers=headers)
            response = connection.getresponse()
            response.read()
            statuses[response.status] += 1
            if response.will_close or time.monotonic() > until:
                break
        connection.close()


def max_web_memory(site: Site) -> int:
    """Return the resident memory of the largest web process, in bytes."""
    sizes = (
        int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
        for pid in site.processes("web")
    )
    return max(sizes) * os.sysconf("SC_PAGE_SIZE")


def test_a_flood_of_invented_urls_does_not_grow_memory(shared_site: Site) -> None:
    site = shared_site
    [story] = site.publish(["zfloodstory"])
    site.assert_findable([story], 10, "before the flood")
    statuses: Counter[int] = Counter()

    def run(seconds: float, seed: int) -> int:
        threads = [
            Thread(target=flood, args=(site, seconds, seed + number, statuses, story.path))
            for number in range(CLIENTS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return max_web_memory(site)

    before = run(WARM_SECONDS, 1)
    after = run(SECONDS, 100)
    print(
        f"{sum(statuses.values())} requests {dict(statuses)}; "
        f"{before / 1e6:.0f} MB before, {after / 1e6:.0f} MB after"
    )
    assert not [status for status in statuses if status >= 500]
    assert after - before < MAX_GROWTH_BYTES
