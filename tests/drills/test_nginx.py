"""What nginx keeps by deploy/nginx.conf, for how long it shows it, and what it lets through, before two sites.

The small one counts its visits; ours is stopped, started and written to. Bounds on age are read from the site's own
Cache-Control: nginx counts in whole seconds, so a copy may be shown for a second more than the two numbers say.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from spectator import media, publishing
from spectator.db import db
from spectator.headers import PLAIN
from spectator.models import User
from spectator.pagecache import FOR_EVERYBODY
from tests.drills.conftest import sites
from tests.drills.front import BROWSER, HAS_BROTLI, NGINX, OLD_BROWSER, SCRIPT, Nginx, SmallSite, ask, ask_raw
from tests.drills.running_site import ROOT, Site, Story, eventually, token

pytestmark = [pytest.mark.drill, pytest.mark.skipif(NGINX is None, reason="nginx is not installed")]
LONGEST_SECONDS = sum(int(re.findall(rf"{name}=(\d+)", FOR_EVERYBODY)[0]) for name in ("s-maxage", "revalidate")) + 1
YEAR = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Small:
    """A small site behind nginx."""

    site: SmallSite
    nginx: Nginx


@dataclass(frozen=True, slots=True)
class Ours:
    """Our site behind nginx, with stories and a picture."""

    site: Site
    nginx: Nginx
    stories: list[Story]
    picture: str


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    """A small site behind nginx; each test has pages of its own."""
    site, home = SmallSite(), tmp_path_factory.mktemp("small")
    nginx = Nginx(home / "nginx", site.port, home / "media")
    try:
        site.start()
        nginx.start()
        yield Small(site, nginx)
    finally:
        nginx.stop()
        site.stop()


@pytest.fixture(scope="module")
def ours(fresh_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ours]:
    """Our site, told of its proxy, behind nginx."""
    home = tmp_path_factory.mktemp("ours")
    with sites(fresh_data, home) as make:
        site = make()
        site.environ["SPECTATOR_TRUSTED_PROXIES"] = "1"
        site.start()
        stories = site.publish([token(number) for number in range(3)])
        file = BytesIO()
        Image.effect_noise((400, 300), 40).convert("RGB").save(file, "JPEG")
        file.seek(0)
        taken = media.take_in(file, site.data / "media")
        picture = "/media/" + media.rendition_names(taken.digest, taken.extension, taken.width)[0][0]
        nginx = Nginx(home / "nginx", int(site.address.rpartition(":")[2]), site.data / "media")
        try:
            nginx.start()
            yield Ours(site, nginx, stories, picture)
        finally:
            nginx.stop()


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
    assert sum(key.endswith("/packed") for key in small.nginx.kept()) == 4


def test_a_crowd_before_a_new_page_reaches_the_site_once(small: Small) -> None:
    small.site.pages["/crowded"], small.site.pause_seconds = "here", 0.3
    try:
        with ThreadPoolExecutor(50) as readers:
            replies = list(readers.map(lambda _: ask(small.nginx.port, "/crowded", BROWSER), range(50)))
    finally:
        small.site.pause_seconds = 0
    assert {(each.status, each.text) for each in replies} == {(200, "here")}
    assert len(small.site.asked("/crowded")) == 1


def test_only_what_the_site_gives_to_everybody_is_kept(small: Small) -> None:
    small.site.pages |= dict.fromkeys(("/open", "/with-cookie", "/newsroom/", "/search"), "words")
    private = ["/open?utm_source=letter", "/with-cookie", "/newsroom/", "/search", "/search?q=mali", "/nothing"]
    # The same page in other spellings: the site may know them, but nobody could count them.
    odd = ["/%6Fpen", "/x//open", "/x/../open", "/./open", "/open?", "/open?before=1-2&before=1-2"]
    small.site.pages |= dict.fromkeys(("/%6Fpen", "/x//open", "/x/../open", "/./open"), "words")
    for path in (*private, *odd):
        for _ in range(2):
            ask(small.nginx.port, path, BROWSER, Cookie="session=1")
        assert len(small.site.asked(path)) == 2, path
    for path in ("/open", "/open?before=-12-34"):
        for _ in range(2):
            ask(small.nginx.port, path, BROWSER, Cookie="session=1")
        assert len(small.site.asked(path)) == 1, path
    kept = {key.partition("/")[2] for key in small.nginx.kept()}
    assert {"open", "open?before=-12-34"} <= kept
    assert not kept & {path[1:] for path in (*private, *odd)}


def test_cookies_and_passwords_reach_the_newsroom_alone(small: Small) -> None:
    small.site.pages |= {"/newsroom/desk": "desk", "/public": "page"}
    given = ask(small.nginx.port, "/newsroom/desk", Cookie="session=1")
    assert given.headers["set-cookie"] == "session=1"
    ask(small.nginx.port, "/public", Cookie="session=1", Authorization="Basic eDp5")
    [desk], [page] = small.site.asked("/newsroom/desk"), small.site.asked("/public")
    assert desk.headers["cookie"] == "session=1"
    assert not {"cookie", "authorization"} & page.headers.keys()


def test_what_a_stranger_says_of_the_road_is_not_passed_on(small: Small) -> None:
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
    [visit] = small.site.asked("/newsroom/asked")
    told = {name: text for name, text in visit.headers.items() if "forward" in name or name == "host"}
    assert told == {
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
    assert not small.site.asked("/newsroom/smuggled")


def test_a_header_written_with_an_underscore_is_dropped(small: Small) -> None:
    small.site.pages["/newsroom/underscored"] = ""
    lines = "Host: news.example\r\nSCRIPT_NAME: /x\r\nX_Forwarded_Proto: https\r\nConnection: close\r\n\r\n"
    assert " 200 " in ask_raw(small.nginx.port, f"GET /newsroom/underscored HTTP/1.1\r\n{lines}".encode())
    [visit] = small.site.asked("/newsroom/underscored")
    assert not {"script_name", "x_forwarded_proto"} & visit.headers.keys()


def test_bodies_are_taken_as_far_as_the_site_takes_them(small: Small) -> None:
    def taken(path: str, length: int, body: bytes = b"") -> int:
        return ask(small.nginx.port, path, method="POST", body=body, Content_Length=str(length)).status

    small.site.pages |= {"/newsroom/save": "", "/politics/": ""}
    assert taken("/politics/", 1_000_001) == 413
    assert taken("/newsroom/save", 64 * 1024 * 1024 + 1) == 413
    assert taken("/politics/", 1_000_000, bytes(1_000_000)) == 200
    assert taken("/newsroom/save", 3_000_000, bytes(3_000_000)) == 200


def test_random_addresses_leave_the_cache_as_it_is(small: Small) -> None:
    small.site.pages["/calm"] = "page"
    ask(small.nginx.port, "/calm", BROWSER)
    before, chance = sorted(small.nginx.kept()), random.Random(5)

    def visit(_: int) -> int:
        word = "".join(chance.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=12))
        path = chance.choice(
            [f"/{word}", f"/calm?{word}=1", f"/calm?before={word}", f"/{word}/?before=1-2", f"/calm%{word}"]
        )
        return ask(small.nginx.port, path, chance.choice([BROWSER, OLD_BROWSER, SCRIPT]), User_Agent=word).status

    with ThreadPoolExecutor(8) as strangers:
        statuses = set(strangers.map(visit, range(2000)))
    assert statuses <= {200, 400, 404}
    assert sorted(small.nginx.kept()) == before


def test_no_page_is_shown_longer_than_its_headers_allow(small: Small) -> None:
    """Also one that nobody asked for since: what `proxy_cache_use_stale updating` would get wrong."""
    paths = ["/forgotten", "/asked-late", "/lost", "/withdrawn"]
    small.site.pages |= dict.fromkeys(paths, "old")
    for path in paths:
        assert ask(small.nginx.port, path, BROWSER).text == "old"
    stored_at = time.monotonic()
    small.site.pages |= dict.fromkeys(paths, "new")
    small.site.statuses |= {"/lost": 404, "/withdrawn": 410}
    time.sleep(4)
    assert ask(small.nginx.port, "/asked-late", BROWSER).text == "old", "shown at once, and renewed meanwhile"
    eventually(lambda: ask(small.nginx.port, "/asked-late", BROWSER).text == "new", 2, "renewed behind the scenes")
    time.sleep(stored_at + LONGEST_SECONDS + 1 - time.monotonic())
    assert ask(small.nginx.port, "/forgotten", BROWSER).text == "new"
    assert [ask(small.nginx.port, path, BROWSER).status for path in ("/lost", "/withdrawn")] == [404, 410]
    held = small.site.asked("/forgotten")[-1].headers["if-none-match"]
    assert held.endswith('-br"'), "the site was asked whether the copy is still true"
    small.site.statuses |= dict.fromkeys(paths, 500)
    time.sleep(2.1)
    assert [ask(small.nginx.port, path, BROWSER).status for path in ("/forgotten", "/withdrawn")] == [200, 410]


def test_a_page_of_ours_comes_in_each_encoding_and_is_revalidated(ours: Ours) -> None:
    port, paths = ours.nginx.port, ["/", "/politics/", ours.stories[0].path, "/feed.xml"]
    firsts = [(path, ask(port, path, SCRIPT), ask(port, path, OLD_BROWSER), ask(port, path, BROWSER)) for path in paths]
    wait_for_brotli(int(ours.site.address.rpartition(":")[2]), paths)
    wait_for_brotli(port, paths)
    for path, plain, packed, first in firsts:
        assert (plain.status, plain.encoding, packed.encoding, first.encoding) == (200, "", "gzip", "gzip")
        best = ask(port, path, BROWSER)
        assert plain.text == packed.text == best.text
        assert len(best.raw) < len(packed.raw) < len(plain.raw)
        assert len({each.headers["etag"] for each in (plain, packed, best)}) == 3
        assert best.headers["vary"] == "Accept-Encoding"
        assert not [name for name, text in PLAIN.items() if best.headers[name.lower()] != text]
        again = ask(port, path, BROWSER, If_None_Match=best.headers["etag"])
        assert (again.status, again.raw) == (304, b"")
        head = ask(port, path, BROWSER, method="HEAD")
        assert (head.status, head.raw, head.headers["etag"]) == (200, b"", best.headers["etag"])


def wait_for_brotli(port: int, paths: list[str]) -> None:
    """Ask until pages come in brotli, whichever process of the site answers."""

    def is_everywhere() -> bool:
        return {ask(port, path, BROWSER).encoding for path in paths for _ in range(6)} == {"br"}

    eventually(is_everywhere, 15, "brotli")


def test_what_is_for_one_reader_is_not_kept_of_ours(ours: Ours) -> None:
    port = ours.nginx.port
    paths = [
        "/search?q=mali",
        "/search",
        "/fragments/suggest?q=ma",
        "/?utm_source=letter",
        "/newsroom/login",
        "/healthz",
    ]
    for path in (*paths, "/no-such-page", "/?before=1-1"):
        ask(port, path, BROWSER)
    kept = {key.partition("#http")[2] for key in ours.nginx.kept()}
    assert not kept & {*paths, "/no-such-page"}
    assert "refuses" not in ask(port, "/newsroom/login", Host="localhost").text
    assert ask(port, "/newsroom/login", Host="localhost").status != 200, "plain http from elsewhere, whatever it says"
    assert ask(port, "/search?q=" + "a" * 30_000).status == 200


def test_files_come_from_the_disk_with_the_headers_of_the_site(ours: Ours) -> None:
    port = ours.nginx.port
    style, picture = ask(port, "/static/css/newsroom.css?v=1", OLD_BROWSER), ask(port, ours.picture)
    for reply in (style, picture):
        assert reply.status == 200
        assert not [name for name, text in PLAIN.items() if reply.headers[name.lower()] != text]
        assert reply.headers["content-security-policy"].startswith("default-src 'none'")
        assert reply.headers["cache-control"] == YEAR
    assert style.text == (ROOT / "static/css/newsroom.css").read_text() and style.encoding == "gzip"
    if HAS_BROTLI:
        assert ask(port, "/static/css/newsroom.css", BROWSER).encoding == "br"
    changing = ask(port, "/static/css/newsroom.css")
    assert changing.headers["cache-control"] == "no-cache"
    assert ask(port, "/static/css/newsroom.css", If_None_Match=changing.headers["etag"]).status == 304
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.raw.startswith(b"\xff\xd8\xff")
    missing = ask(port, "/static/none.css")
    assert missing.status == 404 and "This page is not here" in missing.text, "the site's own page"
    [original] = (ours.site.data / "media/originals").iterdir()
    for path in (f"/media/../originals/{original.name}", f"/media/originals/{original.name}", "/static/../wsgi.py"):
        assert ask(port, path).status in (400, 404)


def test_ours_may_be_down(ours: Ours) -> None:
    site, port = ours.site, ours.nginx.port
    gone = ours.stories[2].path
    seen = ["/", "/politics/", "/feed.xml", "/archive/", *(story.path for story in ours.stories)]
    encodings = [BROWSER, OLD_BROWSER, SCRIPT]
    for accepted in encodings:
        assert {ask(port, path, accepted).status for path in seen} == {200}
    assert ask(port, "/country/mali/", OLD_BROWSER).status == 200
    withdraw(site, ours.stories[2])
    for accepted in encodings:
        eventually(lambda a=accepted: ask(port, gone, a).status == 410, LONGEST_SECONDS, "withdrawn for everybody")
    assert site.stop() == 0
    wait_until_stale()
    before = len(ours.nginx.kept())
    for accepted in [*encodings, "br", "identity", "gzip;q=0.2"]:
        statuses = {path: ask(port, path, accepted).status for path in seen if accepted != "br"}
        assert {path for path, status in statuses.items() if status != 200} <= {gone}
        assert statuses.get(gone, 410) == 410
    front = ask(port, "/?fbclid=x", BROWSER)
    assert (front.status, front.text) == (200, ask(port, "/", BROWSER).text), "words that mean nothing"
    others = [ask(port, "/country/mali/", accepted) for accepted in encodings]
    assert {each.status for each in others} == {200}, "one encoding serves everybody"
    assert len({each.text for each in others}) == 1
    assert ask(port, "/", method="HEAD").status == 200
    assert {ask(port, path).status for path in (ours.picture, "/static/js/search.js")} == {200}
    assert {ask(port, path).status for path in ("/topic/unseen/", "/search?q=mali", "/newsroom/")} == {502}
    assert len(ours.nginx.kept()) == before
    site.start()
    [story] = site.publish([token(9)])
    eventually(lambda: story.path in ask(port, "/", BROWSER).text, LONGEST_SECONDS, "news after the outage")


def wait_until_stale() -> None:
    """Wait until what was kept before may be shown for no reason but the site's failing."""
    time.sleep(LONGEST_SECONDS + 0.5)


def withdraw(site: Site, story: Story) -> None:
    """Withdraw a story as an editor does."""
    with site.opened():
        by = db.session.query(User).filter_by(role="editor").one()
        publishing.withdraw(story.id, by, "It was wrong.")
