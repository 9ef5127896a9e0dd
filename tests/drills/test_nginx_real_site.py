"""Pages and files of the real site behind nginx with deploy/nginx.conf, also during an outage."""

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
from spectator.static_files import project_files_version
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
    fetch,
)
from tests.drills.running_site import ROOT, Site, Story, eventually, token

pytestmark = [
    pytest.mark.drill,
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed"),
]
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
    """The real site behind nginx."""
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
        (
            path,
            fetch(port, path, SCRIPT),
            fetch(port, path, OLD_BROWSER),
            fetch(port, path, BROWSER),
        )
        for path in paths
    ]
    wait_for_brotli(int(real.site.address.rpartition(":")[2]), paths)
    wait_for_brotli(port, paths)
    for path, plain, gzipped, first in firsts:
        assert plain.status == 200
        # Brotli is computed in the background, so the first response to a browser is gzip.
        assert [response.encoding for response in (plain, gzipped, first)] == ["", "gzip", "gzip"]
        best = fetch(port, path, BROWSER)
        assert plain.text == gzipped.text == best.text
        assert len(best.raw) < len(gzipped.raw) < len(plain.raw)
        assert len({response.headers["etag"] for response in (plain, gzipped, best)}) == 3
        assert best.headers["vary"] == "Accept-Encoding"
        assert not [
            name for name, text in DEFAULT_HEADERS.items() if best.headers[name.lower()] != text
        ]
        again = fetch(port, path, BROWSER, If_None_Match=best.headers["etag"])
        assert (again.status, again.raw) == (304, b"")
        head = fetch(port, path, BROWSER, method="HEAD")
        assert (head.status, head.raw, head.headers["etag"]) == (200, b"", best.headers["etag"])


def wait_for_brotli(port: int, paths: list[str]) -> None:
    """Poll until every process of the site sends pages in brotli."""

    def is_everywhere() -> bool:
        return {fetch(port, path, BROWSER).encoding for path in paths for _ in range(6)} == {"br"}

    eventually(is_everywhere, 15, "brotli from every process")


def test_searches_newsroom_pages_and_errors_are_not_cached(real: RealSite) -> None:
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
        fetch(port, path, BROWSER)
    cached = {key.partition("#http")[2] for key in real.nginx.cached_keys()}
    assert not cached & {*paths, "/no-such-page"}
    # Over plain http the newsroom accepts only requests that come from this machine.
    assert "refuses" not in fetch(port, "/newsroom/login", Host="localhost").text
    assert fetch(port, "/newsroom/login", Host="localhost").status != 200
    assert fetch(port, "/search?q=" + "a" * 30_000).status == 200


def test_nginx_serves_static_files_and_pictures_with_the_sites_headers(real: RealSite) -> None:
    port = real.nginx.port
    style, picture = (
        fetch(port, "/static/css/newsroom.css?v=1", OLD_BROWSER),
        fetch(port, real.picture),
    )
    for response in (style, picture):
        assert response.status == 200
        assert not [
            name
            for name, text in DEFAULT_HEADERS.items()
            if response.headers[name.lower()] != text
        ]
        assert response.headers["content-security-policy"].startswith("default-src 'none'")
        assert response.headers["cache-control"] == YEAR
    assert (
        style.text == (ROOT / "static/css/newsroom.css").read_text() and style.encoding == "gzip"
    )
    if HAS_BROTLI:
        assert fetch(port, "/static/css/newsroom.css", BROWSER).encoding == "br"
    versioned = fetch(port, f"/static/{project_files_version()}/css/newsroom.css", OLD_BROWSER)
    # These two come from the site, because only the site knows the current version.
    assert versioned.text == style.text and versioned.headers["cache-control"] == YEAR
    other = fetch(port, "/static/0123456789/css/newsroom.css", OLD_BROWSER)
    assert other.text == style.text and other.headers["cache-control"] == "no-cache"
    assert not any("0123456789" in key for key in real.nginx.cached_keys())
    unversioned = fetch(port, "/static/css/newsroom.css")
    assert unversioned.headers["cache-control"] == "no-cache"
    assert (
        fetch(port, "/static/css/newsroom.css", If_None_Match=unversioned.headers["etag"]).status
        == 304
    )
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.raw.startswith(b"\xff\xd8\xff")
    missing = fetch(port, "/static/none.css")
    assert missing.status == 404 and "Page not found" in missing.text, "not the site's error page"
    [original] = (real.site.data / "media/originals").iterdir()
    for path in (
        f"/media/../originals/{original.name}",
        f"/media/originals/{original.name}",
        "/static/../wsgi.py",
    ):
        assert fetch(port, path).status in (400, 404)


def test_nginx_sends_files_for_download_as_the_site_does(real: RealSite) -> None:
    name = f"ab/{'ab' * 16}-0.pdf"
    path = real.site.data / "media/renditions" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"%PDF-1.7")
    try:
        response = fetch(real.nginx.port, f"/media/{name}")
        assert (response.status, response.raw) == (200, b"%PDF-1.7")
        assert response.headers["content-type"] == "application/pdf"
        assert response.headers["content-disposition"] == "attachment"
        assert response.headers["cache-control"] == YEAR
        for header, text in DEFAULT_HEADERS.items():
            assert response.headers[header.lower()] == text
    finally:
        path.unlink()
        path.parent.rmdir()
    assert fetch(real.nginx.port, f"/media/{name}").status == 404


def test_the_picture_of_a_withdrawn_story_is_gone_until_it_is_reinstated(real: RealSite) -> None:
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
    address = (
        "/media/" + media.rendition_names(stored.digest, stored.extension, stored.width)[0][0]
    )
    for path in (address, f"{address}?x=1"):
        assert fetch(port, path, BROWSER).status == 200
    with site.app_context():
        publishing.apply_action(
            story,
            db.session.query(User).filter_by(role="editor").one(),
            Action("withdraw", note="The wrong person."),
        )
    eventually(lambda: fetch(port, address, BROWSER).status == 410, 10, "the picture is gone")
    time.sleep(2)
    for accept in (BROWSER, OLD_BROWSER, SCRIPT):
        assert fetch(port, address, accept).status == 410
        assert fetch(port, f"{address}?x=1", accept).status == 410
    assert not list((site.data / "media/renditions").glob(f"*/{stored.digest}-*"))
    with site.app_context():
        publishing.apply_action(
            story, db.session.query(User).filter_by(role="editor").one(), Action("reinstate")
        )
    eventually(lambda: fetch(port, address, BROWSER).status == 200, 10, "the picture is back")


def test_a_picture_that_nginx_has_no_file_of_comes_from_the_site_once_in_five_seconds(
    real: RealSite, tmp_path: Path
) -> None:
    """As with pictures in a bucket, of which only the site can read the files."""
    site_port = int(real.site.address.rpartition(":")[2])
    nginx = Nginx(tmp_path / "nginx", site_port, tmp_path / "empty")
    rendition = real.site.data / "media/renditions" / real.picture.removeprefix("/media/")
    away = rendition.with_suffix(".away")
    try:
        nginx.start()
        first = fetch(nginx.port, real.picture, BROWSER)
        assert first.status == 200 and first.headers["cache-control"] == YEAR
        rendition.rename(away)
        for path, accept in ((real.picture, SCRIPT), (f"{real.picture}?x=1", BROWSER)):
            copy = fetch(nginx.port, path, accept)
            assert (copy.status, copy.raw) == (200, first.raw), "the copy, for every browser"
        eventually(
            lambda: fetch(nginx.port, real.picture, BROWSER).status == 404, 10, "it is gone"
        )
        away.rename(rendition)
        eventually(
            lambda: fetch(nginx.port, real.picture, BROWSER).status == 200, 10, "it is back"
        )
    finally:
        nginx.stop()


def test_a_large_cookie_does_not_prevent_login(real: RealSite) -> None:
    for cookie in ("x=" + "a" * 8_300, "x=" + "a" * 20_000):
        response = fetch(real.nginx.port, "/newsroom/login", BROWSER, Cookie=cookie)
        # The request reaches the site, which refuses it only because of plain http.
        assert (response.status, "https" in response.text) == (403, True)
        site_port = int(real.site.address.rpartition(":")[2])
        assert fetch(site_port, "/newsroom/login", Host="127.0.0.1", Cookie=cookie).status == 200


def test_a_long_query_string_does_not_prevent_a_redirect(real: RealSite) -> None:
    path = "/newsroom/stories?x=" + "a" * 20_000
    assert fetch(real.nginx.port, path, BROWSER).status in (308, 403)


def test_cached_pages_survive_an_outage(real: RealSite) -> None:
    site, port = real.site, real.nginx.port
    withdrawn = real.stories[2].path
    cached = [
        "/",
        "/politics/",
        "/feed.xml",
        "/archive/",
        *(story.path for story in real.stories),
    ]
    cached += [
        f"/static/{project_files_version()}/js/{name}.js"
        for name in ("site", "search", "combobox")
    ]
    encodings = [BROWSER, OLD_BROWSER, SCRIPT]
    for accepted in encodings:
        assert {fetch(port, path, accepted).status for path in cached} == {200}
    assert fetch(port, "/country/mali/", OLD_BROWSER).status == 200
    withdraw(site, real.stories[2])
    for accepted in encodings:
        eventually(
            lambda a=accepted: fetch(port, withdrawn, a).status == 410,
            MAX_STALE_SECONDS,
            f"status 410 for {accepted}",
        )
    assert site.stop() == 0
    wait_until_stale()
    before = len(real.nginx.cached_keys())
    for accepted in [*encodings, "br", "identity", "gzip;q=0.2"]:
        statuses = {
            path: fetch(port, path, accepted).status for path in cached if accepted != "br"
        }
        assert {path for path, status in statuses.items() if status != 200} <= {withdrawn}
        assert statuses.get(withdrawn, 410) == 410
    front = fetch(port, "/?fbclid=x", BROWSER)
    assert (front.status, front.text) == (200, fetch(port, "/", BROWSER).text)
    country = [fetch(port, "/country/mali/", accepted) for accepted in encodings]
    # Cached for one encoding, served for all.
    assert {response.status for response in country} == {200}
    assert len({response.text for response in country}) == 1
    assert fetch(port, "/", method="HEAD").status == 200
    assert {fetch(port, path).status for path in (real.picture, "/static/js/search.js")} == {200}
    assert {
        fetch(port, path).status for path in ("/topic/unseen/", "/search?q=mali", "/newsroom/")
    } == {502}
    # An address of an older site never leads to the front page.
    old_queries = ("p=7", "x=1&page_id=7", "cat=3&paged=2", "s=mali", "feed=rss2", "tag=peace")
    assert {fetch(port, f"/?{query}", BROWSER).status for query in old_queries} == {502}
    assert len(real.nginx.cached_keys()) == before
    site.start()
    [story] = site.publish([token(9)])
    eventually(
        lambda: story.path in fetch(port, "/", BROWSER).text,
        MAX_STALE_SECONDS,
        "the new story on the front page",
    )


def wait_until_stale() -> None:
    """Wait until cached pages are so old that nginx may serve them only while the site fails."""
    time.sleep(MAX_STALE_SECONDS + 0.5)


def withdraw(site: Site, story: Story) -> None:
    """Withdraw a story as an editor does."""
    with site.app_context():
        by = db.session.query(User).filter_by(role="editor").one()
        publishing.apply_action(story.id, by, Action("withdraw", note="It was wrong."))
