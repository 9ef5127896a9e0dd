"""The page cache around a small application: encodings, limits, waiting, the fast path."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterable
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from spectator import outbox
from spectator.pagecache import EDITION, PUBLIC_CACHE_CONTROL, RELATED, PageCache, middleware
from spectator.pagecache.store import PageStore


class FakeOutboxReader(outbox.OutboxReader):
    """Outbox reader with a preset version."""

    def __init__(self) -> None:
        super().__init__("")
        self.db_version: tuple[int, str] | None = (1, "")

    def poll(self) -> tuple[int, str] | None:
        return self.db_version


class FakeSite:
    """Application that counts calls and waits on request."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.may_go = threading.Event()
        self.may_go.set()
        self.body = b"<p>one</p>"
        self.status = "200 OK"
        self.headers = [("Content-Type", "text/html"), ("Cache-Control", PUBLIC_CACHE_CONTROL)]
        self.is_cacheable = True

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.calls.append(environ)
        body = self.body
        assert self.may_go.wait(10)
        headers = [*self.headers, ("Content-Length", str(len(body)))]
        if self.is_cacheable:
            is_related = environ["PATH_INFO"].startswith("/fragments/related/")
            headers.append(("Surrogate-Key", RELATED if is_related else EDITION))
        start_response(self.status, headers)
        return [body]


def ask(cache: PageCache, path: str = "/", **headers: str) -> tuple[bytes, str, dict[str, str]]:
    chunks, status, sent = run_wsgi_app(
        cache, EnvironBuilder(path, headers=headers).get_environ(), buffered=True
    )
    return b"".join(chunks), status, dict(sent)


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


def test_every_encoding_decodes_to_the_same_page(cache: PageCache, site: FakeSite) -> None:
    site.body = "<p>Ọjọ́ ẹtì</p>".encode() * 100
    plain, _, headers = ask(cache)
    packed, _, packed_headers = ask(cache, **{"Accept-Encoding": "gzip"})
    assert gzip.decompress(packed) == plain == site.body
    assert packed_headers["Content-Encoding"] == "gzip"
    assert packed_headers["Content-Length"] == str(len(packed))
    assert packed_headers["ETag"] != headers["ETag"]
    assert ask(cache, **{"Accept-Encoding": "br"})[0] == plain  # until brotli is ready
    until = time.monotonic() + 10
    while "Content-Encoding" not in (
        response_headers := ask(cache, **{"Accept-Encoding": "gzip, br"})[2]
    ) or (response_headers["Content-Encoding"] != "br"):
        assert time.monotonic() < until
        time.sleep(0.01)
    (page,) = cache.store.pages.values()
    assert cache.store.size == page.size
    cache.outbox_reader.db_version = (2, "")  # type: ignore[attr-defined]
    assert (
        ask(cache, **{"Accept-Encoding": "gzip, br"})[2]["Content-Encoding"] == "br"
    )  # the same text: not packed anew
    assert len(site.calls) == 2


def test_head_returns_the_headers_of_the_page_without_its_body(
    cache: PageCache, site: FakeSite
) -> None:
    environ = EnvironBuilder("/", method="HEAD").get_environ()
    for _ in range(2):
        chunks, status, headers = run_wsgi_app(cache, dict(environ), buffered=True)
        assert (b"".join(chunks), status) == (b"", "200 OK")
        assert headers["Content-Length"] == str(len(site.body))
    assert ask(cache)[0] == site.body
    assert len(site.calls) == 1


def test_the_site_receives_no_headers_that_differ_between_readers(
    cache: PageCache, site: FakeSite
) -> None:
    ask(
        cache,
        Cookie="session=secret",
        Authorization="Basic x",
        **{"X-Forwarded-Host": "evil.example"},
    )
    seen = {name for name in site.calls[0] if name.startswith(("HTTP_", "REMOTE_", "CONTENT_"))}
    assert seen == {"HTTP_HOST"}


def test_a_response_that_sets_a_cookie_is_never_cached(cache: PageCache, site: FakeSite) -> None:
    site.headers.append(("Set-Cookie", "a=b"))
    ask(cache)
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
    environ = EnvironBuilder("/", method=method, data=b"x", headers={"Cookie": "a=b"}).get_environ()
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
        ask(cache, f"/{number}")
        ask(cache, "/0")
        assert cache.store.size <= 100_000
        assert cache.store.size == sum(page.size for page in cache.store.pages.values())
    paths = [key[1] for key in cache.store.pages]
    assert paths[-1] == "/0"
    assert "/1" not in paths
    site.body = b"x" * 200_000
    assert ask(cache, "/large")[0] == site.body
    assert cache.store.size <= 100_000


def test_a_page_is_rendered_once_for_simultaneous_requests(
    cache: PageCache, site: FakeSite
) -> None:
    site.may_go.clear()
    answers: list[bytes] = []
    threads = [threading.Thread(target=lambda: answers.append(ask(cache)[0])) for _ in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    site.may_go.set()
    for thread in threads:
        thread.join(10)
    assert answers == [site.body] * 8
    assert len(site.calls) == 1
    assert not cache.single_flight.in_flight


def test_a_stale_page_is_served_for_at_most_a_second_during_rendering(
    cache: PageCache,
    site: FakeSite,
    outbox_reader: FakeOutboxReader,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ask(cache)
    outbox_reader.db_version, site.body = (2, ""), b"<p>two</p>"
    site.may_go.clear()
    maker = threading.Thread(target=ask, args=(cache,))
    maker.start()
    while len(site.calls) < 2:
        time.sleep(0.01)
    assert ask(cache)[0] == b"<p>one</p>"
    (page,) = cache.store.pages.values()
    page.confirmed_at -= middleware.MAX_STALE_SECONDS + 0.1
    late: list[bytes] = []
    waiter = threading.Thread(target=lambda: late.append(ask(cache)[0]))
    waiter.start()
    time.sleep(0.05)
    assert not late
    site.may_go.set()
    maker.join(10)
    waiter.join(10)
    assert late == [b"<p>two</p>"]


def test_an_error_is_not_cached_and_the_next_request_renders_again(
    cache: PageCache, site: FakeSite
) -> None:
    site.status, site.is_cacheable = "500 INTERNAL SERVER ERROR", False
    assert ask(cache)[1].startswith("500")
    site.status, site.is_cacheable = "200 OK", True
    assert ask(cache)[1].startswith("200")
    assert not cache.single_flight.in_flight


def test_the_database_is_polled_rarely_and_after_every_action(
    cache: PageCache, site: FakeSite, outbox_reader: FakeOutboxReader
) -> None:
    cache.poll_seconds = 1000.0
    ask(cache)
    outbox_reader.db_version, site.body = (2, ""), b"<p>two</p>"
    assert ask(cache)[0] == b"<p>one</p>"
    run_wsgi_app(cache, EnvironBuilder("/newsroom/", method="POST").get_environ(), buffered=True)
    assert ask(cache)[0] == b"<p>two</p>"
    outbox_reader.db_version, site.body = (3, ""), b"<p>three</p>"
    cache.poll_seconds = middleware.POLL_SECONDS
    time.sleep(2 * middleware.POLL_SECONDS)
    assert ask(cache)[0] == b"<p>three</p>"


def test_the_fast_path_gives_the_same_responses_as_the_slow_path(
    cache: PageCache, site: FakeSite, outbox_reader: FakeOutboxReader
) -> None:
    site.body = b"<p>one</p>" * 100
    packed = {"Accept-Encoding": "gzip"}
    long_way = [
        ask(cache),
        ask(cache, **packed),
        ask(cache, "/?utm=1"),
        ask(cache, "/fragments/related/1"),
    ]
    tag = long_way[1][2]["ETag"]
    long_way.append(ask(cache, **packed, **{"If-None-Match": tag}))
    assert cache.fast_lookup(EnvironBuilder("/").get_environ()) is None
    cache.poll_seconds = 1000.0
    assert cache.fast_lookup(EnvironBuilder("/").get_environ()) is not None
    assert cache.fast_lookup(EnvironBuilder("/fragments/related/1").get_environ()) is not None
    short_way = [
        ask(cache),
        ask(cache, **packed),
        ask(cache, "/?utm=1"),
        ask(cache, "/fragments/related/1"),
    ]
    short_way.append(ask(cache, **packed, **{"If-None-Match": tag}))
    assert short_way == long_way
    calls = len(site.calls)
    run_wsgi_app(cache, EnvironBuilder("/", method="POST").get_environ(), buffered=True)
    assert len(site.calls) == calls + 1
    outbox_reader.db_version = (1, "related 2")
    run_wsgi_app(cache, EnvironBuilder("/", method="POST").get_environ(), buffered=True)
    assert cache.fast_lookup(EnvironBuilder("/").get_environ()) is not None
    assert cache.fast_lookup(EnvironBuilder("/fragments/related/1").get_environ()) is None


def test_cached_pages_are_served_while_the_database_is_unreachable(
    cache: PageCache, site: FakeSite, outbox_reader: FakeOutboxReader
) -> None:
    ask(cache)
    outbox_reader.db_version = None
    assert ask(cache)[0] == site.body
    assert len(site.calls) == 1
    ask(cache, "/other")
    assert len(site.calls) == 2
    assert len(cache.store.pages) == 1
