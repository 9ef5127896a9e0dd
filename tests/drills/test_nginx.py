"""What nginx with deploy/nginx.conf caches, for how long, and which requests it passes on.

A stub site records the requests. `test_nginx_real_site` does the same with the real site.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.drills.nginx_proxy import (
    BROWSER,
    MAX_STALE_SECONDS,
    NGINX,
    OLD_BROWSER,
    SCRIPT,
    SITE_POLICY,
    fetch,
    send_raw,
)
from tests.drills.proxied_site import ProxiedSite, run_proxied_site
from tests.drills.running_site import eventually

pytestmark = [
    pytest.mark.drill,
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed"),
]

# In these tests a page of a list has a cursor like `before=<time>-<story id>` or
# `through=<time>-<story id>`. The time may be
# negative (before 1970). nginx compares only its form, so any numbers will do.


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProxiedSite]:
    """A stub site behind nginx; each test uses its own paths."""
    with run_proxied_site(tmp_path_factory.mktemp("proxied")) as proxied:
        yield proxied


# What nginx passes on to the site for each Accept-Encoding.
PASSED_ON = {
    BROWSER: "br, gzip",
    "br;q=1.0, gzip;q=0.8, *;q=0.1": "br, gzip",
    "GZIP, BR": "br, gzip",
    OLD_BROWSER: "gzip",
    "gzip, br;q=0": "gzip",
    "gzip;q=0.5, br; q=0.000": "gzip",
    "brotli, gzip": "gzip",
    "br": "br",
    "br, gzip;q=0": "br",
    "br;q=0.01": "br",
    "": "",
    "identity": "",
    "gzip;q=0, br;q=0.0": "",
    "x-gzip, *;q=0": "",
}


def test_every_accept_encoding_is_served_from_one_of_four_cached_copies(
    proxied: ProxiedSite,
) -> None:
    proxied.site.pages["/packed"] = "words " * 500
    for number, (accepted, passed_on) in enumerate(PASSED_ON.items()):
        proxied.site.requests.clear()
        # With a cursor of its own, each request reaches the site.
        response = fetch(proxied.nginx.port, f"/packed?before=1-{number}", accepted)
        assert proxied.site.requests[0].headers.get("accept-encoding", "") == passed_on, accepted
        assert response.encoding == passed_on.partition(",")[0], accepted
        assert response.text == proxied.site.pages["/packed"]
        assert fetch(proxied.nginx.port, "/packed", accepted).text == response.text
    assert sum(key.endswith("/packed") for key in proxied.nginx.cached_keys()) == 4


def test_concurrent_first_requests_for_a_page_reach_the_site_once(proxied: ProxiedSite) -> None:
    proxied.site.pages["/new"], proxied.site.pause_seconds = "here", 0.3
    try:
        with ThreadPoolExecutor(50) as readers:
            responses = list(
                readers.map(lambda _: fetch(proxied.nginx.port, "/new", BROWSER), range(50))
            )
    finally:
        proxied.site.pause_seconds = 0
    assert {(response.status, response.text) for response in responses} == {(200, "here")}
    assert len(proxied.site.requests_to("/new")) == 1


def test_only_public_responses_with_canonical_urls_are_cached(proxied: ProxiedSite) -> None:
    proxied.site.pages |= dict.fromkeys(
        ("/open", "/with-cookie", "/newsroom/", "/search", "/fr/search"), "words"
    )
    uncached = [
        "/open?utm_source=letter",
        "/with-cookie",
        "/newsroom/",
        "/search",
        "/search?q=mali",
        "/fr/search",
        "/fr/fragments/suggest?q=m",
        "/nothing",
    ]
    # Other forms of the same URLs, which the site may accept. There are so many forms that caching
    # all would fill the disk.
    equivalents = ("/%6Fpen", "/x//open", "/x/../open", "/./open")
    proxied.site.pages |= dict.fromkeys(equivalents, "words")
    variants = [*equivalents, "/open?", "/open?before=1-2&before=1-2"]
    for path in (*uncached, *variants):
        for _ in range(2):
            fetch(proxied.nginx.port, path, BROWSER, Cookie="session=1")
        assert len(proxied.site.requests_to(path)) == 2, path
    # The key of a later page of a list contains the minute, which must not change now.
    if datetime.now(UTC).second > 55:
        time.sleep(5)
    for path in ("/open", "/open?before=-12-34"):
        for _ in range(2):
            fetch(proxied.nginx.port, path, BROWSER, Cookie="session=1")
        assert len(proxied.site.requests_to(path)) == 1, path
    # A key consists of encoding, scheme and URL: "br, gzip#http/open".
    cached = {f"/{key.partition('/')[2]}" for key in proxied.nginx.cached_keys()}
    assert "/open" in cached
    minute = r"\d{4}-\d\d-\d\dT\d\d:\d\d"
    assert [key for key in cached if re.fullmatch(rf"/open\?before=-12-34#{minute}", key)]
    assert not cached & {*uncached, *variants}


def test_a_renewal_request_replaces_the_cached_copy_with_any_response(
    proxied: ProxiedSite,
) -> None:
    """A request with X-Spectator-Renew, which the worker sends, bypasses and replaces the copy."""
    pages = {"/moved": 301, "/gone": 404, "/retracted": 410, "/changed": 200}
    proxied.site.pages |= dict.fromkeys(pages, "first words")
    for path in pages:
        assert fetch(proxied.nginx.port, path, BROWSER).text == "first words"
    proxied.site.pages |= dict.fromkeys(pages, "other words")
    proxied.site.statuses |= pages
    for path, status in pages.items():
        assert fetch(proxied.nginx.port, path, BROWSER, X_Spectator_Renew="1").status == status
        assert fetch(proxied.nginx.port, path, BROWSER).status == status
    assert (
        fetch(proxied.nginx.port, "/never-cached", BROWSER, X_Spectator_Renew="1").status == 404
    )
    proxied.site.statuses |= dict.fromkeys(pages, 503)
    # The worker gets the error. Readers still get the copy because the site fails, even a copy that
    # is too old to be served during a refresh.
    assert fetch(proxied.nginx.port, "/changed", BROWSER, X_Spectator_Renew="1").status == 503
    time.sleep(MAX_STALE_SECONDS + 1)
    for path, status in pages.items():
        response = fetch(proxied.nginx.port, path, BROWSER)
        assert (response.status, response.text) == (status, "other words"), path


@pytest.mark.parametrize("name", ["X_Forwarded_For", "Forwarded", "CF_Connecting_IP"])
def test_a_local_tunnel_does_not_bypass_the_cache(proxied: ProxiedSite, name: str) -> None:
    """A tunnel (such as cloudflared) or proxy connects from this machine, as the worker does, but
    its requests have a header with the address of the client.
    """
    path = f"/tunnel-{name.lower().replace('_', '-')}"
    proxied.site.pages[path] = "words"
    fetch(proxied.nginx.port, path, BROWSER)
    fetch(proxied.nginx.port, path, BROWSER, X_Spectator_Renew="1", **{name: "203.0.113.7"})
    assert len(proxied.site.requests_to(path)) == 1
    fetch(proxied.nginx.port, path, BROWSER, X_Spectator_Renew="1")
    assert len(proxied.site.requests_to(path)) == 2


def test_fragments_and_later_list_pages_are_not_served_during_a_long_outage(
    proxied: ProxiedSite,
) -> None:
    paths = [
        "/list/?before=1-2",
        "/list/?through=1-2",
        "/fragments/related/7",
        "/fragments/stream/list/?before=1-2",
    ]
    proxied.site.pages |= dict.fromkeys(
        ("/list/", "/fragments/related/7", "/fragments/stream/list/"), "words"
    )
    for path in (*paths, "/list/"):
        assert fetch(proxied.nginx.port, path, BROWSER).status == 200
    proxied.site.statuses |= dict.fromkeys(
        ("/list/", "/fragments/related/7", "/fragments/stream/list/"), 503
    )
    time.sleep(61)  # these copies are valid until the minute ends
    assert {fetch(proxied.nginx.port, path, BROWSER).status for path in paths} == {503}
    assert fetch(proxied.nginx.port, "/list/", BROWSER).text == "words"


def test_cookies_and_authorization_are_removed_from_requests_for_public_pages(
    proxied: ProxiedSite,
) -> None:
    proxied.site.pages |= {"/newsroom/desk": "desk", "/public": "page"}
    response = fetch(proxied.nginx.port, "/newsroom/desk", Cookie="session=1")
    assert response.headers["set-cookie"] == "session=1"
    fetch(proxied.nginx.port, "/public", Cookie="session=1", Authorization="Basic eDp5")
    [desk], [page] = (
        proxied.site.requests_to("/newsroom/desk"),
        proxied.site.requests_to("/public"),
    )
    assert desk.headers["cookie"] == "session=1"
    assert not {"cookie", "authorization"} & page.headers.keys()


def test_forwarded_headers_of_clients_are_not_passed_on(proxied: ProxiedSite) -> None:
    proxied.site.pages["/newsroom/headers"] = ""
    spoofed = {  # `fetch` sends an underscore as a hyphen
        "X_Forwarded_For": "203.0.113.9",
        "X_Forwarded_Proto": "https",
        "X_Forwarded_Host": "localhost",
        "X_Forwarded_Protocol": "ssl",
        "X_Forwarded_Ssl": "on",
        "X_Forwarded_Port": "1",
        "X_Forwarded_Prefix": "/x",
        "Forwarded": "for=203.0.113.9;proto=https",
    }
    response = fetch(proxied.nginx.port, "/newsroom/headers", **spoofed)
    assert response.headers["server"] == "nginx"
    [request] = proxied.site.requests_to("/newsroom/headers")
    headers = {
        name: text
        for name, text in request.headers.items()
        if "forward" in name or name == "host"
    }
    assert headers == {
        "host": "news.example",
        "x-forwarded-host": "news.example",
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-proto": "http",
    }


@pytest.mark.parametrize(
    "headers",
    [
        "Host: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Host: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        "Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        "Host: a\r\nHost: localhost\r\n\r\n",
        "Host: a b\r\n\r\n",
        "\r\n",
    ],
)
def test_an_ambiguous_request_is_rejected(proxied: ProxiedSite, headers: str) -> None:
    request = f"POST /newsroom/smuggled HTTP/1.1\r\n{headers}"
    response = send_raw(proxied.nginx.port, request.encode())
    assert re.match(r"HTTP/1.1 (400|501) ", response), response[:300]
    assert not proxied.site.requests_to("/newsroom/smuggled")


SECURITY_HEADERS = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "strict-origin-when-cross-origin",
    "strict-transport-security": "max-age=31536000",
}
TRANSPORT_SECURITY = 'default "";\n    https "max-age=31536000";'


def as_with_https(config: str) -> str:
    assert TRANSPORT_SECURITY in config
    return config.replace(TRANSPORT_SECURITY, 'default "max-age=31536000";')


def test_responses_of_nginx_itself_have_the_security_headers(tmp_path: Path) -> None:
    with run_proxied_site(tmp_path, as_with_https) as proxied:
        port, site = proxied.nginx.port, proxied.site
        own = [
            fetch(port, "/static/..%2f..%2fsecret_key"),
            fetch(port, "/", Host="other.example"),
            fetch(port, "/", method="POST", Content_Length="1000001"),
            fetch(port, f"/{'a' * 2001}"),
            fetch(port, "/", Cookie="a" * 40_000),
            fetch(port, "/newsroom/", method="POST", Content_Length="64000000000"),
        ]
        # From the site, or its copy in nginx.
        site.pages |= dict.fromkeys(("/page", "/newsroom/page"), "words")
        paths = ("/page", "/page", "/newsroom/page", "/nothing", "/newsroom/nothing")
        passed_on = [fetch(port, path, BROWSER) for path in paths]
        tag = passed_on[0].headers["etag"]
        unchanged = fetch(port, "/page", BROWSER, If_None_Match=tag)
        malformed = send_raw(port, b"GET / HTTP/1.1\r\n\r\n").lower()
        site.stop()
        own += [fetch(port, path) for path in ("/nothing", "/newsroom/", "/static/nothing")]
        copy = fetch(port, "/page", BROWSER)
    assert [response.status for response in own] == [400, 301, 413, 414, 400, 413, 502, 502, 502]
    for response in own:
        assert response.headers.items() >= SECURITY_HEADERS.items(), response
    for name, value in SECURITY_HEADERS.items():
        assert f"\r\n{name}: {value}\r\n" in malformed
    assert [response.status for response in passed_on] == [200, 200, 200, 404, 404]
    for response in (*passed_on, copy):
        assert response.headers["content-security-policy"] == SITE_POLICY, response
    assert unchanged.status == 304
    assert unchanged.headers.get("content-security-policy", SITE_POLICY) == SITE_POLICY


def test_headers_with_underscores_are_dropped(proxied: ProxiedSite) -> None:
    proxied.site.pages["/newsroom/underscored"] = ""
    lines = (
        "Host: news.example\r\nSCRIPT_NAME: /x\r\nX_Forwarded_Proto: https\r\n"
        "Connection: close\r\n\r\n"
    )
    assert " 200 " in send_raw(
        proxied.nginx.port, f"GET /newsroom/underscored HTTP/1.1\r\n{lines}".encode()
    )
    [request] = proxied.site.requests_to("/newsroom/underscored")
    assert not {"script_name", "x_forwarded_proto"} & request.headers.keys()


def test_request_bodies_are_limited_as_on_the_site(proxied: ProxiedSite) -> None:
    def post_status(path: str, length: int, body: bytes = b"") -> int:
        return fetch(
            proxied.nginx.port, path, method="POST", body=body, Content_Length=str(length)
        ).status

    proxied.site.pages |= {"/newsroom/save": "", "/politics/": ""}
    assert post_status("/politics/", 1_000_001) == 413
    assert post_status("/newsroom/save", 64 * 1024 * 1024 + 1) == 413
    assert post_status("/newsroomx", 1_000_001) == 413
    assert post_status("/politics/", 1_000_000, bytes(1_000_000)) == 200
    assert post_status("/newsroom/save", 3_000_000, bytes(3_000_000)) == 200


def test_random_urls_do_not_change_the_cache(proxied: ProxiedSite) -> None:
    proxied.site.pages["/page"] = "page"
    fetch(proxied.nginx.port, "/page", BROWSER)
    before, rng = proxied.nginx.cached_keys(), random.Random(5)

    def request(_: int) -> int:
        word = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=12))
        path = rng.choice(
            [
                f"/{word}",
                f"/page?{word}=1",
                f"/page?before={word}",
                f"/{word}/?before=1-2",
                f"/page%{word}",
            ]
        )
        return fetch(
            proxied.nginx.port, path, rng.choice([BROWSER, OLD_BROWSER, SCRIPT]), User_Agent=word
        ).status

    with ThreadPoolExecutor(8) as clients:
        statuses = set(clients.map(request, range(2000)))
    assert statuses <= {200, 400, 404}
    assert proxied.nginx.cached_keys() == before


def test_no_page_is_served_longer_than_its_headers_allow(proxied: ProxiedSite) -> None:
    """With `proxy_cache_use_stale updating`, nginx would serve an old copy, of whatever age, to the
    first reader after a long time without requests.
    """
    paths = ["/not-requested", "/requested-late", "/lost", "/withdrawn"]
    proxied.site.pages |= dict.fromkeys(paths, "old")
    for path in paths:
        assert fetch(proxied.nginx.port, path, BROWSER).text == "old"
    stored_at = time.monotonic()
    proxied.site.pages |= dict.fromkeys(paths, "new")
    proxied.site.statuses |= {"/lost": 404, "/withdrawn": 410}
    time.sleep(4)  # longer than s-maxage, shorter than stale-while-revalidate
    # The old copy is served without waiting and is revalidated in the background.
    assert fetch(proxied.nginx.port, "/requested-late", BROWSER).text == "old"
    eventually(
        lambda: fetch(proxied.nginx.port, "/requested-late", BROWSER).text == "new",
        2,
        "revalidated in the background",
    )
    time.sleep(stored_at + MAX_STALE_SECONDS + 1 - time.monotonic())
    assert fetch(proxied.nginx.port, "/not-requested", BROWSER).text == "new"
    assert fetch(proxied.nginx.port, "/lost", BROWSER).status == 404
    assert fetch(proxied.nginx.port, "/withdrawn", BROWSER).status == 410
    etag = proxied.site.requests_to("/not-requested")[-1].headers["if-none-match"]
    assert etag.endswith('-br"'), "the site got no conditional request"
    proxied.site.statuses |= dict.fromkeys(paths, 500)
    time.sleep(2.1)  # the copies are older than s-maxage, but may be served while the site fails
    assert fetch(proxied.nginx.port, "/not-requested", BROWSER).status == 200
    assert fetch(proxied.nginx.port, "/withdrawn", BROWSER).status == 410
