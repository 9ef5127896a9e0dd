"""Static files of the site and its operator, and error pages: compressed and cacheable."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import brotli
import pytest
from flask import Flask
from flask.testing import FlaskClient

from spectator import create_app, static_files
from spectator.config import PROJECT_ROOT
from spectator.pagecache import compression
from spectator.static_files import StaticFiles
from tests.conftest import settings
from tests.newsroom_client import logged_in_client

MAX_ERROR_BYTES = 3_000  # as sent, compressed
SCRIPT = b"/* the operator's htmx */\n" * 400


def test_text_files_are_sent_in_the_accepted_encoding(app: Flask) -> None:
    client = FlaskClient(app)
    for path in ("/static/js/search.js", "/static/css/search.css", "/static/css/site.css"):
        plain = (PROJECT_ROOT / path[1:]).read_bytes()
        for encoding, decode in (("br", brotli.decompress), ("gzip", gzip.decompress)):
            response = client.get(path, headers={"Accept-Encoding": encoding})
            assert response.headers["Content-Encoding"] == encoding
            assert response.headers["Vary"] == "Accept-Encoding"
            assert decode(response.data) == plain
            assert len(response.data) < len(plain) / 2
        response = client.get(path, headers={"Accept-Encoding": "identity"})
        assert response.data == plain and "Content-Encoding" not in response.headers


def test_every_file_of_the_checkout_is_served_with_its_type(app: Flask) -> None:
    types = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    for path in (PROJECT_ROOT / "static").rglob("*.*"):
        response = FlaskClient(app).get("/" + path.relative_to(PROJECT_ROOT).as_posix())
        assert response.status_code == 200 and response.data == path.read_bytes()
        assert response.mimetype == types[path.suffix], path


def test_a_file_is_compressed_once(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    (app.config["DATA_DIR"] / "static").mkdir()
    (app.config["DATA_DIR"] / "static/once.js").write_bytes(SCRIPT)
    compressed: list[bytes] = []

    def record(body: bytes) -> bytes:
        compressed.append(body)
        return compression.gzip_bytes(body)

    monkeypatch.setattr(static_files, "gzip_bytes", record)
    for _ in range(3):
        FlaskClient(app).get("/static/once.js", headers={"Accept-Encoding": "gzip"})
    assert compressed == [SCRIPT]


def test_a_browser_that_already_has_the_file_gets_304(app: Flask) -> None:
    client = FlaskClient(app)
    etags = set()
    for encoding in ("br", "gzip", "identity"):
        response = client.get("/static/js/search.js", headers={"Accept-Encoding": encoding})
        etags.add(response.headers["ETag"])
        conditional = {"Accept-Encoding": encoding, "If-None-Match": response.headers["ETag"]}
        assert client.get("/static/js/search.js", headers=conditional).status_code == 304
    assert len(etags) == 3, "two encodings have the same ETag"


def test_the_operators_htmx_is_served_from_the_data_directory(app: Flask) -> None:
    """The file that `SPECTATOR_HTMX_URL` names is compressed and cached like the site's scripts."""
    data: Path = app.config["DATA_DIR"]
    (data / "static/vendor").mkdir(parents=True)
    (data / "static/vendor/htmx.min.js").write_bytes(SCRIPT)
    app = create_app(settings(data, SPECTATOR_HTMX_URL="/static/vendor/htmx.min.js"))
    client = FlaskClient(app)
    [address] = re.findall(r'src="(/static/vendor/[^"]*)"', client.get("/search").text)
    assert re.fullmatch(r"/static/vendor/htmx\.min\.js\?v=[0-9a-f]{10}", address)
    response = client.get(address, headers={"Accept-Encoding": "br, gzip"})
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["Content-Encoding"] == "br" and len(response.data) < len(SCRIPT) / 10
    assert client.get("/static/vendor/htmx.min.js").headers["Cache-Control"] == "no-cache"


def test_pages_of_another_version_get_the_current_files(app: Flask) -> None:
    client, old_digest = FlaskClient(app), "0123456789"
    content = (PROJECT_ROOT / "static/js/site.js").read_bytes()
    for path in (  # with a file's digest in the query, or with the version of all in the path
        "/static/js/site.js",
        f"/static/js/site.js?v={old_digest}",
        f"/static/{old_digest}/js/site.js",
    ):
        response = client.get(path)
        assert (response.status_code, response.data) == (200, content), path
        assert response.headers["Cache-Control"] == "no-cache", path
    digest = static_files.read_project_files()["js/site.js"].digest
    current = client.get(f"/static/js/site.js?v={digest}")
    assert current.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    for path in (
        f"/static/{old_digest}/none.js",
        f"/static/{old_digest[:-2]}/js/site.js",
        f"/static/{old_digest}/{old_digest}/js/site.js",
    ):
        assert client.get(path).status_code == 404, path


def test_the_version_changes_with_every_file(monkeypatch: pytest.MonkeyPatch) -> None:
    files = dict(static_files.read_project_files())
    versions = {static_files.project_files_version()}
    changed_file = static_files.StaticFile(b"changed", "0123456789", "text/plain")
    for name in ("js/site.js", "css/site.css"):
        changed_files = files | {name: changed_file}
        monkeypatch.setattr(
            static_files, "read_project_files", lambda result=changed_files: result
        )
        versions.add(static_files.project_files_version.__wrapped__())  # without its cache
    assert len(versions) == 3


MODULE_IMPORT = re.compile(r'(?:from |import\()"\./(\w+)\.js"')


def imported_modules(entries: list[str]) -> set[str]:
    """Return the modules that these modules import, directly or through others."""
    imported, unread = set[str](), list(entries)
    while unread:
        source = (PROJECT_ROOT / f"static/js/{unread.pop()}.js").read_text()
        new = set(MODULE_IMPORT.findall(source)) - imported
        imported |= new
        unread += new
    return imported


def test_the_story_form_preloads_all_imported_modules(app: Flask) -> None:
    """Without a preload, an imported module is fetched a round trip later."""
    html = logged_in_client(app).get("/newsroom/stories/new").text
    entries = re.findall(r'<script src="/static/[0-9a-f]{10}/js/(\w+)\.js" type="module">', html)
    preloads = re.findall(
        r'<link rel="modulepreload" href="/static/[0-9a-f]{10}/js/(\w+)\.js">', html
    )
    assert sorted(preloads) == sorted(imported_modules(entries) - set(entries))
    # A third-party script delays the scripts after it. The editor needs such scripts; local_drafts,
    # which restores unsaved text, does not.
    assert entries[0] == "local_drafts" and entries[-1] == "editor"


def test_no_file_outside_the_static_directories_is_sent(app: Flask, tmp_path: Path) -> None:
    data: Path = app.config["DATA_DIR"]
    (data / "static/folder").mkdir(parents=True)
    for name in (
        "../secret_key",
        "..%2fsecret_key",
        "%2e%2e/secret_key",
        "folder",
        "folder/../../secret_key",
        "a%00b",
    ):
        assert FlaskClient(app).get(f"/static/{name}").status_code in {301, 308, 404}, name
    files = StaticFiles(data / "static")
    assert [
        files.find(name)
        for name in ("../secret_key", str(data / "secret_key"), "folder", "\0", "")
    ] == [None] * 5
    assert not files.operator_files, "only existing files are cached"


def test_the_url_of_a_missing_file_has_no_digest(app: Flask) -> None:
    files = StaticFiles(app.config["DATA_DIR"] / "static")
    assert files.add_digest("/static/none.js") == "/static/none.js"
    assert files.add_digest("https://cdn.example/htmx.js") == "https://cdn.example/htmx.js"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/wp-login.php", 404),
        ("/politics/never-written", 404),
        ("/fragments/related/999", 404),
        ("/static/none.js", 404),
        ("/media/none.jpg", 404),
        ("/politics/?before=nonsense", 400),
    ],
)
def test_an_error_page_is_small(app: Flask, path: str, status: int) -> None:
    plain = FlaskClient(app).get(path, headers={"Accept-Encoding": "identity"})
    response = FlaskClient(app).get(path, headers={"Accept-Encoding": "br, gzip"})
    assert plain.status_code == response.status_code == status
    if len(plain.data) > compression.MIN_COMPRESSIBLE_BYTES:
        # An error page is compressed for each response, with gzip: Brotli would take too long.
        assert response.headers["Content-Encoding"] == "gzip"
        assert response.headers["Vary"] == "Accept-Encoding"
        assert gzip.decompress(response.data) == plain.data
        assert int(response.headers["Content-Length"]) == len(response.data)
    assert len(response.data) <= MAX_ERROR_BYTES
    assert "<style>" not in plain.text, "error pages have no inline styles"


def test_other_methods_have_small_error_pages(app: Flask) -> None:
    response = FlaskClient(app).delete("/", headers={"Accept-Encoding": "gzip"})
    assert (response.status_code, response.headers["Content-Encoding"]) == (405, "gzip")
    assert len(response.data) <= MAX_ERROR_BYTES


def test_uncached_pages_are_compressed_too(app: Flask) -> None:
    for path in (  # unknown parameters, cursors of no story, a search form
        "/?before=1-1&utm_source=x",
        "/?before=1-1&before=x",
        "/?before=5-5",
        "/feed.xml?a=b",
        "/search",
    ):
        response = FlaskClient(app).get(path, headers={"Accept-Encoding": "gzip"})
        assert response.status_code == 200 and response.headers["Content-Encoding"] == "gzip", (
            path
        )
        assert response.headers["Vary"] == "Accept-Encoding", path


def test_a_file_of_the_operator_has_one_name_and_is_cached_once(app: Flask) -> None:
    folder = app.config["DATA_DIR"] / "static"
    (folder / "img").mkdir(parents=True)
    (folder / "img/logo.png").write_bytes(b"logo")
    client = FlaskClient(app)
    assert client.get("/static/img/logo.png").data == b"logo"
    for name in (
        "./img/logo.png",
        "img/./logo.png",
        "img/../img/logo.png",
        "x/../img/logo.png",
        "././img/logo.png",
    ):
        assert client.get(f"/static/{name}").status_code == 404, name
    assert list(app.extensions["static_files"].operator_files) == ["img/logo.png"]
