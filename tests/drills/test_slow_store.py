"""A store of pictures that never answers: pages, searches and saves go on at their usual speed.

6 s in CI, two minutes at full size (variable `SLOW_STORE_SECONDS`).
"""

from __future__ import annotations

import http.client
import time
from collections import Counter
from collections.abc import Callable, Iterator
from threading import Thread

import pytest

from spectator import media, publishing
from spectator.db import db
from tests import object_stores
from tests.drills.running_site import Site
from tests.drills.sizes import drill_size
from tests.object_stores import BadStore

pytestmark = pytest.mark.drill
SECONDS = drill_size("SLOW_STORE_SECONDS", ci=6, full=120)
READERS_OF_PICTURES = 24
MAX_PAGE_SECONDS = 2.0  # on a busy machine; without slots a page waits for ten seconds and more


@pytest.fixture
def silent_store() -> Iterator[BadStore]:
    """Store that accepts requests and never answers."""
    server = BadStore(b"")
    yield server
    server.stop()


def test_pages_do_not_wait_for_a_store_that_never_answers(
    make_site: Callable[[], Site], silent_store: BadStore
) -> None:
    site = make_site()
    site.environ |= object_stores.environ(silent_store.address)
    site.environ["SPECTATOR_MEDIA"] = "s3://pictures/site"
    stored = media.StoredPicture("ab" * 16, "jpg", 1280, 800, 90_000)
    site.publish(["zslowstore"])
    with site.app_context(), db.write() as session:
        publishing.add_picture(session, stored, None)
    site.start()
    names = [name for name, _ in media.rendition_names("ab" * 16, "jpg", 1280)]
    until, statuses = time.monotonic() + SECONDS, Counter[int]()
    clients = [
        Thread(target=request_pictures, args=(site, names, until, statuses))
        for _ in range(READERS_OF_PICTURES)
    ]
    for client in clients:
        client.start()
    number, durations = 0, []
    while time.monotonic() < until:
        number += 1
        response = site.get(f"/search?q=zslowstore+{number}")
        assert response.status == 200, response.body[:200]
        durations.append(response.seconds)
        [story] = site.publish([f"zduring{number}"])
        assert story.id
        time.sleep(0.1)
    for client in clients:
        client.join()
    assert max(durations) < MAX_PAGE_SECONDS, sorted(durations)[-5:]
    assert silent_store.requests > 0
    assert set(statuses) == {503} and statuses[503] > READERS_OF_PICTURES, statuses
    assert site.get("/readyz").status == 200


def request_pictures(site: Site, names: list[str], until: float, statuses: Counter[int]) -> None:
    """Request pictures, one after the other, and count the statuses."""
    number = 0
    while time.monotonic() < until:
        connection = http.client.HTTPConnection(site.address[7:], timeout=60)
        connection.request("GET", f"/media/{names[number % len(names)]}")
        response = connection.getresponse()
        response.read()
        statuses[response.status] += 1
        connection.close()
        number += 1
