"""The real site behind nginx with deploy/nginx.conf: pages and files, also while the site
is down.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from spectator import media, publishing
from spectator.db import db
from spectator.headers import DEFAULT_HEADERS
from spectator.models import User
from spectator.publishing import Action
from spectator.static_files import checkout_version
from tests.conftest import make_draft
from tests.drills.conftest import sites
from tests.drills.nginx_proxy import (
    BROWSER,
    HAS_BROTLI,
    MAX_STALE_SECONDS,
    NGINX,
    OLD_BROWSER,
    SCRIPT,
    Nginx,
    ask,
)
from tests.drills.running_site import ROOT, Site, Story, eventually, token

pytestmark = [pytest.mark.drill, pytest.mark.skipif(NGINX is None, reason="nginx is not installed")]
YEAR = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class RealSite:
    """The real site behind nginx, with stories and a picture."""

    site: Site
    nginx: Nginx
    stories: list[Story]
    picture: str


@pytest.fixture(scope="module")
def real(fresh_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSite]:
    """The real site behind nginx, configured for its proxy."""
    home = tmp_path_factory.mktemp("real")
    with sites(fresh_data, home) as make:
        site = make()
        site.environ["SPECTATOR_TRUSTED_PROXIES"] = "1"
        site.start()
        stories = site.publish([token(number) for number in range(3)])
        file = BytesIO()
        Image.effect_noise((400, 300), 40).convert("RGB").save(file, "JPEG")
        file.seek(0)
        stored = media.store_upload(file, site.data / "media")
        picture = (
            "/media/" + media.rendition_names(stored.digest, stored.extension, stored.width)[0][0]
        )
        nginx = Nginx(home / "nginx", int(site.address.rpartition(":")[2]), site.data / "media")
        try:
            nginx.start()
            yield RealSite(site, nginx, stories, picture)
        finally:
            nginx.stop()


def test_a_page_is_served_in_each_encoding_and_revalidated(real: RealSite) -> None:
    port, paths = real.nginx.port, ["/", "/politics/", real.stories[0].path, "/feed.xml"]
    firsts = [
        (path, ask(port, path, SCRIPT), ask(port, path, OLD_BROWSER), ask(port, path, BROWSER))
        for path in paths
    ]
    wait_for_brotli(int(real.site.address.rpartition(":")[2]), paths)
    wait_for_brotli(port, paths)
    for path, plain, packed, first in firsts:
        assert (plain.status, plain.encoding, packed.encoding, first.encoding) == (
            200,
            "",
            "gzip",
            "gzip",
        )
        best = ask(port, path, BROWSER)
        assert plain.text == packed.text == best.text
        assert len(best.raw) < len(packed.raw) < len(plain.raw)
        assert len({reply.headers["etag"] for reply in (plain, packed, best)}) == 3
        assert best.headers["vary"] == "Accept-Encoding"
        assert not [
            name for name, text in DEFAULT_HEADERS.items() if best.headers[name.lower()] != text
        ]
        again = ask(port, path, BROWSER, If_None_Match=best.headers["etag"])
        assert (again.status, again.raw) == (304, b"")
        head = ask(port, path, BROWSER, method="HEAD")
        assert (head.status, head.raw, head.headers["etag"]) == (200, b"", best.headers["etag"])


def wait_for_brotli(port: int, paths: list[str]) -> None:
    """Poll until every process of the site sends pages in brotli."""

    def is_everywhere() -> bool:
        return {ask(port, path, BROWSER).encoding for path in paths for _ in range(6)} == {"br"}

    eventually(is_everywhere, 15, "brotli")


def test_responses_for_one_reader_are_not_cached(real: RealSite) -> None:
    port = real.nginx.port
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
    cached = {key.partition("#http")[2] for key in real.nginx.cached_keys()}
    assert not cached & {*paths, "/no-such-page"}
    assert "refuses" not in ask(port, "/newsroom/login", Host="localhost").text
    assert ask(port, "/newsroom/login", Host="localhost").status != 200, (
        "plain http from elsewhere, whatever it says"
    )
    assert ask(port, "/search?q=" + "a" * 30_000).status == 200


def test_files_come_from_the_disk_with_the_headers_of_the_site(real: RealSite) -> None:
    port = real.nginx.port
    style, picture = ask(port, "/static/css/newsroom.css?v=1", OLD_BROWSER), ask(port, real.picture)
    for reply in (style, picture):
        assert reply.status == 200
        assert not [
            name for name, text in DEFAULT_HEADERS.items() if reply.headers[name.lower()] != text
        ]
        assert reply.headers["content-security-policy"].startswith("default-src 'none'")
        assert reply.headers["cache-control"] == YEAR
    assert style.text == (ROOT / "static/css/newsroom.css").read_text() and style.encoding == "gzip"
    if HAS_BROTLI:
        assert ask(port, "/static/css/newsroom.css", BROWSER).encoding == "br"
    versioned = ask(port, f"/static/{checkout_version()}/css/newsroom.css", OLD_BROWSER)
    assert versioned.text == style.text and versioned.headers["cache-control"] == YEAR, (
        "from the site, which knows its version"
    )
    other = ask(port, "/static/0123456789/css/newsroom.css", OLD_BROWSER)
    assert other.text == style.text and other.headers["cache-control"] == "no-cache"
    assert not any("0123456789" in key for key in real.nginx.cached_keys())
    changing = ask(port, "/static/css/newsroom.css")
    assert changing.headers["cache-control"] == "no-cache"
    assert (
        ask(port, "/static/css/newsroom.css", If_None_Match=changing.headers["etag"]).status == 304
    )
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.raw.startswith(b"\xff\xd8\xff")
    missing = ask(port, "/static/none.css")
    assert missing.status == 404 and "Page not found" in missing.text, "the site's own page"
    [original] = (real.site.data / "media/originals").iterdir()
    for path in (
        f"/media/../originals/{original.name}",
        f"/media/originals/{original.name}",
        "/static/../wsgi.py",
    ):
        assert ask(port, path).status in (400, 404)


def test_a_withdrawn_picture_is_gone_for_everybody_and_comes_back(real: RealSite) -> None:
    site, port, file = real.site, real.nginx.port, BytesIO()
    Image.effect_noise((400, 300), 60).convert("RGB").save(file, "JPEG")
    file.seek(0)
    with site.app_context():
        by = db.session.query(User).filter_by(role="editor").one()
        stored = media.store_upload(file, site.data / "media")
        with db.write() as session:
            picture_id = publishing.add_picture(session, stored, by.id)
        lead = make_draft(headline="With a picture", picture_id=picture_id, picture_alt="A port")
        story = publishing.create(lead, by, publishing.Action("publish"))
    address = "/media/" + media.rendition_names(stored.digest, stored.extension, stored.width)[0][0]
    for path in (address, f"{address}?x=1"):
        assert ask(port, path, BROWSER).status == 200
    with site.app_context():
        publishing.apply_action(
            story,
            db.session.query(User).filter_by(role="editor").one(),
            Action("withdraw", note="The wrong person."),
        )
    eventually(lambda: ask(port, address, BROWSER).status == 410, 10, "the picture is gone")
    time.sleep(2)
    for accept in (BROWSER, OLD_BROWSER, SCRIPT):
        assert ask(port, address, accept).status == 410
        assert ask(port, f"{address}?x=1", accept).status == 410
    assert not list((site.data / "media/renditions").glob(f"*/{stored.digest}-*"))
    with site.app_context():
        publishing.apply_action(
            story, db.session.query(User).filter_by(role="editor").one(), Action("reinstate")
        )
    eventually(lambda: ask(port, address, BROWSER).status == 200, 10, "the picture is back")


def test_a_large_cookie_of_another_site_blocks_no_login(real: RealSite) -> None:
    for cookie in ("x=" + "a" * 8_300, "x=" + "a" * 20_000):
        reply = ask(real.nginx.port, "/newsroom/login", BROWSER, Cookie=cookie)
        assert (reply.status, "https" in reply.text) == (403, True), "plain http is what it minds"
        site_port = int(real.site.address.rpartition(":")[2])
        assert ask(site_port, "/newsroom/login", Host="127.0.0.1", Cookie=cookie).status == 200


def test_cached_pages_survive_an_outage(real: RealSite) -> None:
    site, port = real.site, real.nginx.port
    gone = real.stories[2].path
    seen = ["/", "/politics/", "/feed.xml", "/archive/", *(story.path for story in real.stories)]
    seen += [
        f"/static/{checkout_version()}/js/{name}.js" for name in ("site", "search", "combobox")
    ]
    encodings = [BROWSER, OLD_BROWSER, SCRIPT]
    for accepted in encodings:
        assert {ask(port, path, accepted).status for path in seen} == {200}
    assert ask(port, "/country/mali/", OLD_BROWSER).status == 200
    withdraw(site, real.stories[2])
    for accepted in encodings:
        eventually(
            lambda a=accepted: ask(port, gone, a).status == 410,
            MAX_STALE_SECONDS,
            "withdrawn for everybody",
        )
    assert site.stop() == 0
    wait_until_stale()
    before = len(real.nginx.cached_keys())
    for accepted in [*encodings, "br", "identity", "gzip;q=0.2"]:
        statuses = {path: ask(port, path, accepted).status for path in seen if accepted != "br"}
        assert {path for path, status in statuses.items() if status != 200} <= {gone}
        assert statuses.get(gone, 410) == 410
    front = ask(port, "/?fbclid=x", BROWSER)
    assert (front.status, front.text) == (200, ask(port, "/", BROWSER).text), (
        "words that mean nothing"
    )
    others = [ask(port, "/country/mali/", accepted) for accepted in encodings]
    assert {reply.status for reply in others} == {200}, "one encoding serves everybody"
    assert len({reply.text for reply in others}) == 1
    assert ask(port, "/", method="HEAD").status == 200
    assert {ask(port, path).status for path in (real.picture, "/static/js/search.js")} == {200}
    assert {
        ask(port, path).status for path in ("/topic/unseen/", "/search?q=mali", "/newsroom/")
    } == {502}
    assert len(real.nginx.cached_keys()) == before
    site.start()
    [story] = site.publish([token(9)])
    eventually(
        lambda: story.path in ask(port, "/", BROWSER).text,
        MAX_STALE_SECONDS,
        "news after the outage",
    )


def wait_until_stale() -> None:
    """Wait until cached pages may only be shown because the site fails."""
    time.sleep(MAX_STALE_SECONDS + 0.5)


def withdraw(site: Site, story: Story) -> None:
    """Withdraw a story as an editor does."""
    with site.app_context():
        by = db.session.query(User).filter_by(role="editor").one()
        publishing.apply_action(story.id, by, Action("withdraw", note="It was wrong."))
