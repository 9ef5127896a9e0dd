"""Readers and an editor who use a site over HTTP while it is upgraded."""

from __future__ import annotations

import http.client
import time
import urllib.parse
from collections import Counter
from threading import Event, Thread
from types import TracebackType

from sqlalchemy import select

from spectator import accounts
from spectator.db import db
from spectator.models import Article, ListingRow
from tests.drills.running_site import Site

EMAIL, PASSWORD = "desk@news.example", "a long password of the desk"
PATHS = ("/", "/politics/", "/readyz", "/feed.xml", "/newsroom/login")


class Load:
    """Requests at a constant rate, and stories that an editor publishes one after the other."""

    def __init__(self, site: Site, requests_per_second: int) -> None:
        self.host = site.address.removeprefix("http://")
        self.site = site
        self.pause = 1 / requests_per_second
        self.statuses: Counter[int] = Counter()
        self.failures: list[str] = []
        self.published: list[str] = []  # headlines of acknowledged saves
        self.stop_event = Event()
        with site.app_context():
            accounts.add_user(EMAIL, "Desk", "editor", PASSWORD)
            client = accounts.Client("127.0.0.1")
            self.session = accounts.log_in(EMAIL, PASSWORD, client)
        self.threads = [Thread(target=self._read), Thread(target=self._publish)]

    def __enter__(self) -> Load:
        """Start the readers and the editor."""
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop them after a last second with the new code."""
        time.sleep(1)
        self.stop_event.set()
        for thread in self.threads:
            thread.join(60)

    def _read(self) -> None:
        """Request pages at the rate, each in a thread of its own, so that none delays the next."""
        number, due, threads = 0, time.monotonic(), list[Thread]()
        while not self.stop_event.is_set():
            number += 1
            path = PATHS[number % len(PATHS)] + f"?n={number}"  # no copy in the page cache
            threads.append(Thread(target=self._request, args=(path,)))
            threads[-1].start()
            due += self.pause
            time.sleep(max(0.0, due - time.monotonic()))
        for thread in threads:
            thread.join(60)

    def _request(self, path: str, form: dict[str, str] | None = None) -> int:
        """Send a request and return its status, 0 without an answer; record failures."""
        connection = http.client.HTTPConnection(self.host, timeout=30)
        headers = {"Sec-Fetch-Site": "same-origin", "Connection": "close"}
        try:
            if form is None:
                connection.request("GET", path, headers=headers)
            else:
                headers |= {
                    "Cookie": f"__Host-session={self.session}",
                    "Content-Type": "application/x-www-form-urlencoded",
                }
                connection.request("POST", path, urllib.parse.urlencode(form), headers)
            response = connection.getresponse()
            status = response.status if response.read() or response.status == 303 else 0
        except (OSError, http.client.HTTPException) as error:
            status = 0
            self.failures.append(f"{path}: {error!r}")
        finally:
            connection.close()
        self.statuses[status] += 1
        if status not in (0, 200, 303):
            self.failures.append(f"{path}: {status}")
        return status

    def _publish(self) -> None:
        number = 0
        while not self.stop_event.is_set():
            number += 1
            headline = f"Saved during the upgrade, number {number}"
            form = {
                "headline": headline,
                "body": f"<p>Text {number}</p>",
                "section": "politics",
                "language": "en",
                "copy": f"{number:022}",
                "do": "publish",
            }
            if self._request("/newsroom/stories/new", form) == 303:
                self.published.append(headline)
            time.sleep(0.2)

    def assert_nothing_is_lost(self) -> None:
        """Check that each acknowledged story is public and stands in its section's list."""
        assert self.published
        with self.site.app_context():
            query = (
                select(Article.headline)
                .join(ListingRow, ListingRow.article_id == Article.id)
                .where(Article.status == "published", ListingRow.kind == "section")
            )
            listed = Counter(db.session.scalars(query))
        for headline in self.published:
            assert listed[headline] == 1, headline
