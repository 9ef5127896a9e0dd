"""What nginx caches with deploy/nginx.conf, for how long, and what it passes on to a small site.

The small site counts its requests. `test_nginx_real_site` does the same with the real site.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from tests.drills.nginx_proxy import (
    BROWSER,
    MAX_STALE_SECONDS,
    NGINX,
    OLD_BROWSER,
    SCRIPT,
    ask,
    ask_raw,
)
from tests.drills.running_site import eventually
from tests.drills.small_site import Small, small_site

pytestmark = [pytest.mark.drill, pytest.mark.skipif(NGINX is None, reason="nginx is not installed")]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    """Small site behind nginx; each test uses pages of its own."""
    with small_site(tmp_path_factory.mktemp("small")) as small:
        yield small


ACCEPTED = {
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


def test_hundreds_of_accept_encodings_are_four(small: Small) -> None:
    small.site.pages["/packed"] = "words " * 500
    for accepted, passed_on in ACCEPTED.items():
        small.site.visits.clear()
        path = f"/packed?before=1-{abs(hash(accepted)) % 10**9}"
        reply = ask(small.nginx.port, path, accepted)
        assert small.site.visits[0].headers.get("accept-encoding", "") == passed_on, accepted
        assert reply.encoding == passed_on.partition(",")[0], accepted
        assert reply.text == small.site.pages["/packed"]
        assert ask(small.nginx.port, "/packed", accepted).text == reply.text
    assert sum(key.endswith("/packed") for key in small.nginx.cached_keys()) == 4


def test_a_crowd_before_a_new_page_reaches_the_site_once(small: Small) -> None:
    small.site.pages["/crowded"], small.site.pause_seconds = "here", 0.3
    try:
        with ThreadPoolExecutor(50) as readers:
            replies = list(
                readers.map(lambda _: ask(small.nginx.port, "/crowded", BROWSER), range(50))
            )
    finally:
        small.site.pause_seconds = 0
    assert {(reply.status, reply.text) for reply in replies} == {(200, "here")}
    assert len(small.site.visits_to("/crowded")) == 1


def test_only_responses_for_everybody_are_cached(small: Small) -> None:
    small.site.pages |= dict.fromkeys(("/open", "/with-cookie", "/newsroom/", "/search"), "words")
    private = [
        "/open?utm_source=letter",
        "/with-cookie",
        "/newsroom/",
        "/search",
        "/search?q=mali",
        "/nothing",
    ]
    # Equivalent URLs, which the site may accept but which are too many to cache.
    odd = ["/%6Fpen", "/x//open", "/x/../open", "/./open", "/open?", "/open?before=1-2&before=1-2"]
    small.site.pages |= dict.fromkeys(("/%6Fpen", "/x//open", "/x/../open", "/./open"), "words")
    for path in (*private, *odd):
        for _ in range(2):
            ask(small.nginx.port, path, BROWSER, Cookie="session=1")
        assert len(small.site.visits_to(path)) == 2, path
    if datetime.now(UTC).second > 55:
        time.sleep(5)  # later pages of a list are cached for one minute
    for path in ("/open", "/open?before=-12-34"):
        for _ in range(2):
            ask(small.nginx.port, path, BROWSER, Cookie="session=1")
        assert len(small.site.visits_to(path)) == 1, path
    cached = {key.partition("/")[2] for key in small.nginx.cached_keys()}
    assert "open" in cached
    assert [key for key in cached if re.fullmatch(r"open\?before=-12-34#[0-9T:-]{16}", key)]
    assert not cached & {path[1:] for path in (*private, *odd)}


def test_a_renewal_replaces_the_copy_with_any_response(small: Small) -> None:
    pages = {"/moved": 301, "/gone": 404, "/taken-back": 410, "/told-anew": 200}
    small.site.pages |= dict.fromkeys(pages, "first words")
    for path in pages:
        assert ask(small.nginx.port, path, BROWSER).text == "first words"
    small.site.pages |= dict.fromkeys(pages, "other words")
    small.site.statuses |= pages
    for path, status in pages.items():
        assert ask(small.nginx.port, path, BROWSER, X_Spectator_Renew="1").status == status
        assert ask(small.nginx.port, path, BROWSER).status == status
    small.site.statuses |= dict.fromkeys(pages, 503)
    eventually(
        lambda: ask(small.nginx.port, "/never", BROWSER, X_Spectator_Renew="1").status == 404,
        5,
        "not kept",
    )
    assert ask(small.nginx.port, "/told-anew", BROWSER, X_Spectator_Renew="1").status == 503, (
        "the worker hears of it"
    )
    time.sleep(MAX_STALE_SECONDS + 1)
    for path, status in pages.items():
        reply = ask(small.nginx.port, path, BROWSER)
        assert (reply.status, reply.text) == (status, "other words"), path


@pytest.mark.parametrize("name", ["X_Forwarded_For", "Forwarded", "CF_Connecting_IP"])
def test_a_local_tunnel_does_not_bypass_the_cache(small: Small, name: str) -> None:
    path = f"/tunnel-{name.lower().replace('_', '-')}"
    small.site.pages[path] = "words"
    ask(small.nginx.port, path, BROWSER)
    ask(small.nginx.port, path, BROWSER, X_Spectator_Renew="1", **{name: "203.0.113.7"})
    assert len(small.site.visits_to(path)) == 1
    ask(small.nginx.port, path, BROWSER, X_Spectator_Renew="1")
    assert len(small.site.visits_to(path)) == 2


def test_an_outage_shows_nothing_that_could_not_be_renewed(small: Small) -> None:
    paths = [
        "/list/?before=1-2",
        "/list/?through=1-2",
        "/fragments/related/7",
        "/fragments/stream/list/?before=1-2",
    ]
    small.site.pages |= dict.fromkeys(
        ("/list/", "/fragments/related/7", "/fragments/stream/list/"), "words"
    )
    for path in (*paths, "/list/"):
        assert ask(small.nginx.port, path, BROWSER).status == 200
    small.site.statuses |= dict.fromkeys(
        ("/list/", "/fragments/related/7", "/fragments/stream/list/"), 503
    )
    time.sleep(61)
    assert {ask(small.nginx.port, path, BROWSER).status for path in paths} == {503}
    assert ask(small.nginx.port, "/list/", BROWSER).text == "words"


def test_cookies_and_passwords_reach_the_newsroom_alone(small: Small) -> None:
    small.site.pages |= {"/newsroom/desk": "desk", "/public": "page"}
    reply = ask(small.nginx.port, "/newsroom/desk", Cookie="session=1")
    assert reply.headers["set-cookie"] == "session=1"
    ask(small.nginx.port, "/public", Cookie="session=1", Authorization="Basic eDp5")
    [desk], [page] = small.site.visits_to("/newsroom/desk"), small.site.visits_to("/public")
    assert desk.headers["cookie"] == "session=1"
    assert not {"cookie", "authorization"} & page.headers.keys()


def test_forwarded_headers_of_clients_are_not_passed_on(small: Small) -> None:
    small.site.pages["/newsroom/asked"] = ""
    spoofed = {
        "X_Forwarded_For": "203.0.113.9",
        "X_Forwarded_Proto": "https",
        "X_Forwarded_Host": "localhost",
        "X_Forwarded_Protocol": "ssl",
        "X_Forwarded_Ssl": "on",
        "X_Forwarded_Port": "1",
        "X_Forwarded_Prefix": "/x",
        "Forwarded": "for=203.0.113.9;proto=https",
    }
    reply = ask(small.nginx.port, "/newsroom/asked", **spoofed)
    assert reply.headers["server"] == "nginx"
    [visit] = small.site.visits_to("/newsroom/asked")
    headers = {
        name: text for name, text in visit.headers.items() if "forward" in name or name == "host"
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
def test_a_request_with_two_meanings_is_refused(small: Small, headers: str) -> None:
    request = f"POST /newsroom/smuggled HTTP/1.1\r\n{headers}"
    answer = ask_raw(small.nginx.port, request.encode())
    assert re.match(r"HTTP/1.1 (400|501) ", answer), answer[:300]
    assert not small.site.visits_to("/newsroom/smuggled")


def test_a_header_written_with_an_underscore_is_dropped(small: Small) -> None:
    small.site.pages["/newsroom/underscored"] = ""
    lines = (
        "Host: news.example\r\nSCRIPT_NAME: /x\r\nX_Forwarded_Proto: https\r\n"
        "Connection: close\r\n\r\n"
    )
    assert " 200 " in ask_raw(
        small.nginx.port, f"GET /newsroom/underscored HTTP/1.1\r\n{lines}".encode()
    )
    [visit] = small.site.visits_to("/newsroom/underscored")
    assert not {"script_name", "x_forwarded_proto"} & visit.headers.keys()


def test_bodies_are_taken_as_far_as_the_site_takes_them(small: Small) -> None:
    def post_status(path: str, length: int, body: bytes = b"") -> int:
        return ask(
            small.nginx.port, path, method="POST", body=body, Content_Length=str(length)
        ).status

    small.site.pages |= {"/newsroom/save": "", "/politics/": ""}
    assert post_status("/politics/", 1_000_001) == 413
    assert post_status("/newsroom/save", 64 * 1024 * 1024 + 1) == 413
    assert post_status("/politics/", 1_000_000, bytes(1_000_000)) == 200
    assert post_status("/newsroom/save", 3_000_000, bytes(3_000_000)) == 200


def test_random_urls_do_not_change_the_cache(small: Small) -> None:
    small.site.pages["/calm"] = "page"
    ask(small.nginx.port, "/calm", BROWSER)
    before, chance = small.nginx.cached_keys(), random.Random(5)

    def visit(_: int) -> int:
        word = "".join(chance.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=12))
        path = chance.choice(
            [
                f"/{word}",
                f"/calm?{word}=1",
                f"/calm?before={word}",
                f"/{word}/?before=1-2",
                f"/calm%{word}",
            ]
        )
        return ask(
            small.nginx.port, path, chance.choice([BROWSER, OLD_BROWSER, SCRIPT]), User_Agent=word
        ).status

    with ThreadPoolExecutor(8) as strangers:
        statuses = set(strangers.map(visit, range(2000)))
    assert statuses <= {200, 400, 404}
    assert small.nginx.cached_keys() == before


def test_no_page_is_shown_longer_than_its_headers_allow(small: Small) -> None:
    """Check pages unrequested since, too: `proxy_cache_use_stale updating` would show them."""
    paths = ["/forgotten", "/asked-late", "/lost", "/withdrawn"]
    small.site.pages |= dict.fromkeys(paths, "old")
    for path in paths:
        assert ask(small.nginx.port, path, BROWSER).text == "old"
    stored_at = time.monotonic()
    small.site.pages |= dict.fromkeys(paths, "new")
    small.site.statuses |= {"/lost": 404, "/withdrawn": 410}
    time.sleep(4)
    assert ask(small.nginx.port, "/asked-late", BROWSER).text == "old", (
        "shown at once, and renewed meanwhile"
    )
    eventually(
        lambda: ask(small.nginx.port, "/asked-late", BROWSER).text == "new",
        2,
        "renewed behind the scenes",
    )
    time.sleep(stored_at + MAX_STALE_SECONDS + 1 - time.monotonic())
    assert ask(small.nginx.port, "/forgotten", BROWSER).text == "new"
    assert [ask(small.nginx.port, path, BROWSER).status for path in ("/lost", "/withdrawn")] == [
        404,
        410,
    ]
    etag = small.site.visits_to("/forgotten")[-1].headers["if-none-match"]
    assert etag.endswith('-br"'), "the site was asked whether the copy is still true"
    small.site.statuses |= dict.fromkeys(paths, 500)
    time.sleep(2.1)
    assert [
        ask(small.nginx.port, path, BROWSER).status for path in ("/forgotten", "/withdrawn")
    ] == [200, 410]
