"""The page cache around a small application: encodings, limits, waiting, the fast path.

A response is cacheable if it has a surrogate key: OUTBOX if it changes with the newest outbox
number, RELATED if it changes with the related stories too. The cache polls the database's version:
(newest outbox number, state of the related stories).
"""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from spectator import outbox
from spectator.pagecache import OUTBOX, PUBLIC_CACHE_CONTROL, RELATED, PageCache, middleware
from spectator.pagecache.store import PageStore


class FakeOutboxReader(outbox.OutboxReader):
    """Outbox reader with a preset version; None means that the database is unreachable."""

    def __init__(self) -> None:
        super().__init__("sqlite://")
        self.db_version: tuple[int, str] | None = (1, "")

    def poll(self) -> tuple[int, str] | None:
        return self.db_version


class FakeSite:
    """Application that records its calls and responds while `may_respond` is set."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.may_respond = threading.Event()
        self.may_respond.set()
        self.body = b"<p>one</p>"
        self.status = "200 OK"
        self.headers = [("Content-Type", "text/html"), ("Cache-Control", PUBLIC_CACHE_CONTROL)]
        self.is_cacheable = True
        self.surrogate_key = ""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.calls.append(environ)
        body = self.body
        assert self.may_respond.wait(10)
        headers = [*self.headers, ("Content-Length", str(len(body)))]
        if self.is_cacheable:
            is_related = environ["PATH_INFO"].startswith("/fragments/related/")
            key = self.surrogate_key or (RELATED if is_related else OUTBOX)
            headers.append(("Surrogate-Key", key))
        start_response(self.status, headers)
        return [body]


def get(cache: PageCache, path: str = "/", **headers: str) -> tuple[bytes, str, dict[str, str]]:
    """Request a page; return its body, status and headers."""
    chunks, status, response_headers = run_wsgi_app(
        cache, EnvironBuilder(path, headers=headers).get_environ(), buffered=True
    )
    return b"".join(chunks), status, dict(response_headers)


@pytest.fixture
def site() -> FakeSite:
    return FakeSite()


@pytest.fixture
def outbox_reader() -> FakeOutboxReader:
    return FakeOutboxReader()


@pytest.fixture
def cache(site: FakeSite, outbox_reader: FakeOutboxReader) -> PageCache:
    cache = PageCache(site, outbox_reader)
    cache.poll_seconds = 0.0
    return cache


def test_every_encoding_decodes_to_the_same_page(
    cache: PageCache, site: FakeSite, outbox_reader: FakeOutboxReader
) -> None:
    site.body = "<p>Ọjọ́ ẹtì</p>".encode() * 100
    body, _, headers = get(cache)
    gzip_body, _, gzip_headers = get(cache, **{"Accept-Encoding": "gzip"})
    assert gzip.decompress(gzip_body) == body == site.body
    assert gzip_headers["Content-Encoding"] == "gzip"
    assert gzip_headers["Content-Length"] == str(len(gzip_body))
    assert gzip_headers["ETag"] != headers["ETag"]
    # A thread compresses with brotli; until it has finished, the page is sent uncompressed.
    assert get(cache, **{"Accept-Encoding": "br"})[0] == body
    deadline = time.monotonic() + 10
    while accepted_encoding(cache) != "br":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    (page,) = cache.store.pages.values()
    assert cache.store.size == page.size
    # At the next outbox number the page has the same text, so its compressed body is used again.
    outbox_reader.db_version = (2, "")
    assert accepted_encoding(cache) == "br"
    assert len(site.calls) == 2


def accepted_encoding(cache: PageCache) -> str:
    """Return the encoding of the page for a browser that accepts gzip and brotli."""
    return get(cache, **{"Accept-Encoding": "gzip, br"})[2].get("Content-Encoding", "")


def test_head_returns_the_headers_of_the_page_without_its_body(
    cache: PageCache, site: FakeSite
) -> None:
    environ = EnvironBuilder("/", method="HEAD").get_environ()
    for _ in range(2):
        chunks, status, headers = run_wsgi_app(cache, dict(environ), buffered=True)
        assert (b"".join(chunks), status) == (b"", "200 OK")
        assert headers["Content-Length"] == str(len(site.body))
    assert get(cache)[0] == site.body
    assert len(site.calls) == 1


def test_the_site_receives_no_headers_that_differ_between_readers(
    cache: PageCache, site: FakeSite
) -> None:
    get(
        cache,
        Cookie="session=secret",
        Authorization="Basic x",
        **{"X-Forwarded-Host": "evil.example"},
    )
    prefixes = ("HTTP_", "REMOTE_", "CONTENT_")
    assert {name for name in site.calls[0] if name.startswith(prefixes)} == {"HTTP_HOST"}


def test_a_response_that_sets_a_cookie_is_never_cached(cache: PageCache, site: FakeSite) -> None:
    site.headers.append(("Set-Cookie", "a=b"))
    get(cache)
    assert not cache.store.pages


@pytest.mark.parametrize(
    ("path", "method"), [("/", "GET"), ("/", "HEAD"), ("/", "POST"), ("/search", "GET")]
)
def test_the_surrogate_key_header_is_removed_from_every_response(
    cache: PageCache, site: FakeSite, path: str, method: str
) -> None:
    for is_cacheable in (True, False):
        site.is_cacheable = is_cacheable
        environ = EnvironBuilder(path, method=method).get_environ()
        headers = run_wsgi_app(cache, environ, buffered=True)[2]
        assert headers["Content-Type"] == "text/html"
        assert "Surrogate-Key" not in headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_pass_through(cache: PageCache, site: FakeSite, method: str) -> None:
    environ = EnvironBuilder(
        "/", method=method, data=b"x", headers={"Cookie": "a=b"}
    ).get_environ()
    run_wsgi_app(cache, environ, buffered=True)
    assert site.calls[0]["HTTP_COOKIE"] == "a=b"
    assert not cache.store.pages


def test_the_cache_stays_within_its_size_limit(
    site: FakeSite, outbox_reader: FakeOutboxReader
) -> None:
    cache = PageCache(site, outbox_reader, PageStore(max_bytes=100_000))
    cache.poll_seconds = 0.0
    site.body = b"x" * 9000
    for number in range(100):
        get(cache, f"/{number}")
        get(cache, "/0")
        assert cache.store.size <= 100_000
        assert cache.store.size == sum(page.size for page in cache.store.pages.values())
    paths = [key[1] for key in cache.store.pages]
    assert paths[-1] == "/0"
    assert "/1" not in paths
    site.body = b"x" * 200_000
    assert get(cache, "/large")[0] == site.body
    assert cache.store.size <= 100_000


def test_a_page_is_rendered_once_for_simultaneous_requests(
    cache: PageCache, site: FakeSite
) -> None:
    site.may_respond.clear()
    bodies: list[bytes] = []
    threads = [threading.Thread(target=lambda: bodies.append(get(cache)[0])) for _ in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    site.may_respond.set()
    for thread in threads:
        thread.join(10)
    assert bodies == [site.body] * 8
    assert len(site.calls) == 1
    assert not cache.single_flight.in_flight


def test_a_stale_page_is_served_for_at_most_a_second_during_rendering(
    cache: PageCache,
    site: FakeSite,
    outbox_reader: FakeOutboxReader,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    get(cache)
    outbox_reader.db_version, site.body = (2, ""), b"<p>two</p>"
    site.may_respond.clear()
    renderer = threading.Thread(target=get, args=(cache,))
    renderer.start()
    while len(site.calls) < 2:
        time.sleep(0.01)
    assert get(cache)[0] == b"<p>one</p>"
    (page,) = cache.store.pages.values()
    page.confirmed_at -= middleware.MAX_STALE_SECONDS + 0.1
    late: list[bytes] = []
    waiter = threading.Thread(target=lambda: late.append(get(cache)[0]))
    waiter.start()
    time.sleep(0.05)
    assert not late
    site.may_respond.set()
    renderer.join(10)
    waiter.join(10)
    assert late == [b"<p>two</p>"]


def test_an_error_is_not_cached_and_the_next_request_renders_again(
    cache: PageCache, site: FakeSite
) -> None:
    site.status, site.is_cacheable = "500 INTERNAL SERVER ERROR", False
    assert get(cache)[1].startswith("500")
    site.status, site.is_cacheable = "200 OK", True
    assert get(cache)[1].startswith("200")
    assert not cache.single_flight.in_flight


def test_the_database_is_polled_rarely_and_after_every_action(
    cache: PageCache, site: FakeSite, outbox_reader: FakeOutboxReader
) -> None:
    cache.poll_seconds = 1000.0
    get(cache)
    outbox_reader.db_version, site.body = (2, ""), b"<p>two</p>"
    assert get(cache)[0] == b"<p>one</p>"
    run_wsgi_app(cache, EnvironBuilder("/newsroom/", method="POST").get_environ(), buffered=True)
    assert get(cache)[0] == b"<p>two</p>"
    outbox_reader.db_version, site.body = (3, ""), b"<p>three</p>"
    cache.poll_seconds = middleware.POLL_SECONDS
    time.sleep(2 * middleware.POLL_SECONDS)
    assert get(cache)[0] == b"<p>three</p>"


def responses(cache: PageCache, tag: str) -> list[tuple[bytes, str, dict[str, str]]]:
    """Return responses to requests of several kinds, one with the ETag of the gzip body."""
    gzip_only = {"Accept-Encoding": "gzip"}
    return [
        get(cache),
        get(cache, **gzip_only),
        get(cache, "/?utm=1"),
        get(cache, "/fragments/related/1"),
        get(cache, **gzip_only, **{"If-None-Match": tag}),
    ]


@pytest.mark.parametrize("is_postgresql", [False, True])
def test_a_server_is_asked_less_often_than_a_file(
    site: FakeSite, outbox_reader: FakeOutboxReader, is_postgresql: bool
) -> None:
    outbox_reader.is_postgresql = is_postgresql
    assert PageCache(site, outbox_reader).poll_seconds == (0.05 if is_postgresql else 0.005)


def test_the_fast_path_gives_the_same_responses_as_the_slow_path(
    cache: PageCache, site: FakeSite
) -> None:
    site.body = b"<p>one</p>" * 100
    environ = EnvironBuilder("/").get_environ()
    tag = get(cache, **{"Accept-Encoding": "gzip"})[2]["ETag"]
    slow = responses(cache, tag)
    assert cache.fast_lookup(environ) is None, "the last poll is too old"
    cache.poll_seconds = 1000.0
    assert cache.fast_lookup(environ) is not None
    assert responses(cache, tag) == slow


def test_the_fast_path_has_no_outdated_related_stories(
    cache: PageCache, site: FakeSite, outbox_reader: FakeOutboxReader
) -> None:
    page, related = (EnvironBuilder(path).get_environ() for path in ("/", "/fragments/related/1"))
    get(cache)
    get(cache, "/fragments/related/1")
    cache.poll_seconds = 1000.0
    assert cache.fast_lookup(related) is not None
    outbox_reader.db_version = (1, "related 2")
    post = EnvironBuilder("/", method="POST").get_environ()
    run_wsgi_app(cache, post, buffered=True)  # after a post the database is polled
    assert len(site.calls) == 3
    assert cache.fast_lookup(page) is not None
    assert cache.fast_lookup(related) is None


def test_cached_pages_are_served_while_the_database_is_unreachable(
    cache: PageCache, site: FakeSite, outbox_reader: FakeOutboxReader
) -> None:
    get(cache)
    outbox_reader.db_version = None
    assert get(cache)[0] == site.body
    assert len(site.calls) == 1
    get(cache, "/other")
    assert len(site.calls) == 2
    assert len(cache.store.pages) == 1


def test_pages_with_cards_are_rendered_again_after_midnight(
    cache: PageCache, site: FakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A card says “Today”; a story's own page has only dates."""
    now = datetime(2026, 11, 29, 22, 59, 59, tzinfo=UTC)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return now.astimezone(tz)

    monkeypatch.setattr(middleware, "datetime", Clock)
    cache.zone = ZoneInfo("Africa/Lagos")  # an hour before UTC
    paths = ("/", "/fragments/related/7", "/politics/a-story")
    for path in paths * 2:
        site.surrogate_key = "article-7" if path == paths[2] else ""
        get(cache, path)
    assert len(site.calls) == 3, "each page is rendered once"
    now += timedelta(seconds=1)
    for path in paths:
        site.surrogate_key = "article-7" if path == paths[2] else ""
        get(cache, path)
    assert [call["PATH_INFO"] for call in site.calls[3:]] == list(paths[:2])
