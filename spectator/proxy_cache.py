"""Refreshing of pages in the cache of nginx after a story was withdrawn or changed.

nginx caches a page for each kind of Accept-Encoding, and serves it while the site is down. An old
cached page would bring back the text of a withdrawn story. nginx cannot delete cached pages on
request, so the worker requests each URL once in each encoding with a header that bypasses the
cache, and nginx stores the new response.

This is a consumer of the outbox. Its offset is in a file next to the database; without one it
starts at the newest row.
"""

from __future__ import annotations

import http.client
import logging
import math
import socket
import ssl
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from spectator import outbox, queries, request_ids
from spectator.editions import all_editions

log = logging.getLogger(__name__)
OFFSET_FILE = "front_copies.offset"
# The four kinds that deploy/nginx-shared.conf distinguishes.
ENCODINGS = ("br, gzip", "gzip", "br", "")
REFRESH_HEADER = ("X-Spectator-Renew", "1")
REFRESH_ACTIONS = frozenset({"withdraw", "update", "correct", "rename"})
BATCH_SIZE = 20
TIMEOUT_SECONDS, RETRY_SECONDS = 5.0, 2.0
# After this many attempts, a page that still answers 500 is skipped, so that the others need not
# wait. While the whole site is down, the proxy answers 502 or 504.
MAX_PAGE_FAILURES = 30


class ProxyCacheRefresher:
    """The consumer that refreshes the proxy's cached pages."""

    def __init__(self, data_dir: Path, front_url: str, site_url: str) -> None:
        self.proxy = urlsplit(front_url)
        self.is_enabled = bool(self.proxy.netloc)
        self.site_host = urlsplit(site_url).hostname or ""
        self.offset_file = data_dir / OFFSET_FILE
        self.offset: int | None = None
        self.withdrawals_offset = 0  # the last row up to which withdrawn stories are refreshed
        self.retries_at = 0.0
        self.page_failures = 0

    def catch_up(self) -> bool:
        """Refresh the pages of changed stories, and return whether there may be more to do.

        Withdrawn stories come first: a large import before them may take many minutes.
        """
        if not self.is_enabled or time.monotonic() < self.retries_at:
            return False
        if self.offset is None:
            self.offset = self._stored_offset()
            if outbox.oldest_number() > self.offset + 1:
                log.error(
                    "this host was away for so long that copies of withdrawn stories may be left: "
                    "delete the files in nginx's cache"
                )
        article_ids, last = outbox.articles_with_actions_after(
            self.offset, REFRESH_ACTIONS, BATCH_SIZE
        )
        if last == self.offset:
            return False
        try:
            with request_ids.caused_by(outbox.request_ids_between(self.offset, last)):
                self._refresh_changed_stories(article_ids, self.offset, last)
        except (OSError, http.client.HTTPException) as error:
            log.warning("cannot refresh pages in the proxy cache; will try again: %s", error)
            self.retries_at = time.monotonic() + RETRY_SECONDS
            return False
        self.offset, self.page_failures = last, 0
        self.offset_file.write_text(str(last), encoding="utf-8")
        return True

    def _refresh_changed_stories(self, article_ids: set[int], offset: int, last: int) -> None:
        """Refresh the pages of the stories and pages of the rows after `offset`, up to `last`."""
        self._refresh_withdrawn_stories(last)
        if paths := _standing_page_paths(offset, last):
            self._refresh(paths)
        if article_ids:
            self._refresh(queries.story_paths(article_ids))
            self._refresh(listing_paths(article_ids))
            log.info("refreshed the proxy's copies of %s stories", len(article_ids))

    def next_retry_at(self) -> float:
        """Return the monotonic time, in seconds, of the next retry; infinity if none is due."""
        return self.retries_at if self.retries_at > time.monotonic() else math.inf

    def prunable_through(self, offset: int) -> int:
        """Return the last outbox row that may be pruned: `offset`, or less if refreshes are due."""
        reached = self._stored_offset() if self.offset is None else self.offset
        return min(offset, reached) if self.is_enabled else offset

    def _stored_offset(self) -> int:
        """Return the offset of the last run, or the newest row if it is missing or too high."""
        newest = outbox.newest_number()
        with suppress(OSError, ValueError):
            return min(int(self.offset_file.read_text(encoding="utf-8")), newest)
        return newest

    def _refresh_withdrawn_stories(self, offset: int) -> None:
        """Refresh the pages of stories withdrawn after an offset, but not yet their lists.

        Also refresh standing pages that changed since: there are few.
        """
        reached = max(offset, self.withdrawals_offset)
        while reached < outbox.newest_number():
            after = reached
            article_ids, reached = outbox.articles_with_actions_after(
                after, {"withdraw"}, BATCH_SIZE
            )
            paths = queries.story_paths(article_ids) if article_ids else []
            self._refresh(paths + _standing_page_paths(after, reached))
            self.withdrawals_offset = reached

    def _refresh(self, paths: list[str]) -> None:
        connection = self._connect()
        try:
            for path in paths:
                for encoding in ENCODINGS:
                    connection.putrequest("GET", path, skip_host=True, skip_accept_encoding=True)
                    connection.putheader("Host", self.site_host)
                    connection.putheader(*REFRESH_HEADER)
                    if encoding:
                        connection.putheader("Accept-Encoding", encoding)
                    connection.endheaders()
                    response = connection.getresponse()
                    response.read()
                    if response.status == 500 and self.page_failures >= MAX_PAGE_FAILURES:
                        log.error("the proxy keeps its old copy of %s, which fails", path)
                    elif response.status >= 500:
                        self.page_failures += response.status == 500
                        raise http.client.HTTPException(f"{path}: {response.status}")
        finally:
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        address = (
            self.proxy.hostname or "",
            self.proxy.port or (443 if self.proxy.scheme == "https" else 80),
        )
        connection = http.client.HTTPConnection(*address, timeout=TIMEOUT_SECONDS)
        # The proxy is on this machine, but its certificate has the public host name.
        if self.proxy.scheme == "https":
            plain_socket = socket.create_connection(address, TIMEOUT_SECONDS)
            connection.sock = ssl.create_default_context().wrap_socket(
                plain_socket, server_hostname=self.site_host
            )
        return connection


def _standing_page_paths(after: int, through: int) -> list[str]:
    """Return the paths of the standing pages of the rows after `after` up to `through`."""
    page_ids = outbox.pages_changed_between(after, through)
    return queries.page_paths(page_ids) if page_ids else []


def listing_paths(article_ids: set[int]) -> list[str]:
    """Return the paths of the lists and feeds that show these stories, or did, in all editions."""
    lists = ["/", *queries.listing_paths(article_ids)]
    return [
        f"{edition.prefix}{path}"
        for listing in lists
        for path in (listing, f"{listing}feed.xml")
        for edition in all_editions()
    ]
