"""Rate limits of nginx and what it never logs, in front of a proxied site that records requests."""

from __future__ import annotations

import http.client
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.drills.nginx_proxy import NAME, NGINX, fetch
from tests.drills.proxied_site import ProxiedSite, run_proxied_site
from tests.drills.running_site import eventually
from tests.drills.test_nginx_faults import behind_cdn

pytestmark = [
    pytest.mark.drill,
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed"),
]
__all__ = ["behind_cdn"]

# A token as the site issues it; tests/test_accounts_sessions.py compares the two.
SESSION = f"__Host-device=d; __Host-session={'s' * 43}.aww2Gg.{'t' * 43}"


@pytest.fixture
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProxiedSite]:
    """New proxied site behind nginx."""
    with run_proxied_site(tmp_path_factory.mktemp("proxied")) as proxied:
        yield proxied


def flood(port: int, path: str, count: int, **headers: str) -> Counter[int]:
    """Send `count` requests on one connection; return the number of responses by status."""
    statuses: Counter[int] = Counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for _ in range(count):
        connection.request("GET", path, headers={"Host": NAME} | headers)
        with connection.getresponse() as response:
            response.read()
            statuses[response.status] += 1
    connection.close()
    return statuses


@pytest.mark.parametrize(
    ("path", "burst"),
    [
        ("/search?q=drought", 50),
        ("/search.xml?q=drought", 50),
        ("/fragments/search?q=drought", 50),
        ("/fragments/suggest?q=d", 50),
        ("//search?q=drought", 50),
        ("/fr/search?q=drought", 50),
        ("/%73earch?q=drought", 50),
        ("/newsroom/login", 30),
        ("/newsroom/shared/guess", 60),
    ],
)
def test_a_flood_of_expensive_requests_gets_429(
    proxied: ProxiedSite, path: str, burst: int
) -> None:
    statuses = flood(proxied.nginx.port, path, burst + 150)
    assert statuses[429] > 20, statuses
    assert burst <= sum(statuses.values()) - statuses[429] < burst + 130
    assert len(proxied.site.requests) == sum(statuses.values()) - statuses[429]
    assert fetch(proxied.nginx.port, "/elsewhere").status != 429, "ordinary pages are limited"


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/politics/", {}),
        ("/static/css/site.css", {}),
        ("/newsroom/stories/", {"Cookie": SESSION}),
    ],
)
def test_pages_for_readers_and_editors_are_not_rate_limited(
    proxied: ProxiedSite, path: str, headers: dict[str, str]
) -> None:
    assert flood(proxied.nginx.port, path, 250, **headers)[429] == 0


@pytest.mark.parametrize(
    ("path", "headers", "bound"),
    [
        ("/search?q=drought", {}, 60),
        ("/newsroom/login", {}, 40),
        ("/newsroom/", {}, 80),
        ("/newsroom/", {"Cookie": "__Host-session=" + "a" * 20}, 80),
        ("/newsroom/", {"Cookie": SESSION}, 380),
    ],
)
def test_all_addresses_of_an_ipv6_network_share_one_rate_limit(
    behind_cdn: ProxiedSite, path: str, headers: dict[str, str], bound: int
) -> None:
    """Count a /64 of IPv6, as homes and phones have, as one client; IPv4 addresses count singly."""
    count, port = bound + 60, behind_cdn.nginx.port
    behind_cdn.site.stop()  # nginx then responds at once, before its rate allows more requests

    def count_passed(address: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        statuses: Counter[int] = Counter()
        for number in range(count):
            proxy_headers = headers | {"Host": NAME, "X-Forwarded-For": address.format(number)}
            connection.request("GET", path, headers=proxy_headers)
            with connection.getresponse() as response:
                response.read()
                statuses[response.status] += 1
        connection.close()
        return count - statuses[429]

    started = time.monotonic()
    same_network = count_passed("2001:db8::{:x}")
    rate = 30 if bound > 300 else 10
    assert same_network <= bound + rate * (time.monotonic() - started)
    assert count_passed("2001:db8:1:{:x}::1") == count, "other networks are limited, too"
    assert count_passed("::ffff:192.0.2.{}") >= min(count, 255), "IPv4 is not counted singly"


def test_slow_requests_never_reach_the_site(proxied: ProxiedSite) -> None:
    request = f"POST /newsroom/login HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 2000\r\n\r\n"
    head = f"{request}email=".encode()
    with ExitStack() as stack:
        for opening in (b"GET / HTTP/1.1\r\nHost: ", head) * 20:
            connection = stack.enter_context(
                socket.create_connection(("127.0.0.1", proxied.nginx.port), timeout=10)
            )
            connection.sendall(opening)
        proxied.site.pages["/read"] = "page"
        assert fetch(proxied.nginx.port, "/read").status == 200
        assert [request for request in proxied.site.requests if "login" in request.path] == []


def test_logs_contain_no_searches_and_no_preview_links(proxied: ProxiedSite) -> None:
    secret = "Zx9secretZx9"
    referer = f"http://{NAME}/search?q={secret}"
    paths = [
        f"/search?q={secret}",
        f"/fragments/suggest?q={secret}",
        f"/newsroom/shared/{secret}",
        f"/newsroom/%73hared/{secret}",
        f"//newsroom//shared/{secret}",
        f"/newsroom/shared/{secret}/more?x={secret}",
        f"/politics/?fbclid={secret}",
    ]
    for path in paths:
        fetch(proxied.nginx.port, path, Referer=referer)
        fetch(proxied.nginx.port, path, Referer=referer, Host="other.example")
    flood(proxied.nginx.port, f"/search?q={secret}", 200)
    proxied.site.stop()
    for path in paths:
        fetch(proxied.nginx.port, path)
    fetch(proxied.nginx.port, "/the/last%0aline")
    log = proxied.nginx.home / "site.log"
    eventually(lambda: "/the/last" in log.read_text(), 5, "nginx has written its log")
    lines = log.read_text().splitlines()
    assert [line for line in lines if " 429 " in line], "rejected requests are not logged"
    assert [line for line in lines if '"/newsroom/shared/-"' in line]
    assert [line for line in lines if "/the/last" in line and "line" in line], (
        "a request took two lines"
    )
    for log_path in proxied.nginx.home.glob("*.log"):
        assert secret not in log_path.read_text(), log_path


def test_the_authorization_header_is_passed_on_only_for_readyz(proxied: ProxiedSite) -> None:
    proxied.site.pages |= {"/readyz": "ok", "/page": "page"}
    for path in ("/readyz", "/page"):
        fetch(proxied.nginx.port, path, Authorization="Bearer t")
    assert proxied.site.requests_to("/readyz")[0].headers["authorization"] == "Bearer t"
    assert "authorization" not in proxied.site.requests_to("/page")[0].headers
