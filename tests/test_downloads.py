"""Downloads of an import: which addresses are refused, and the bounds of size and time."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from spectator.importers import downloads
from spectator.importers.downloads import DownloadError, download

LIMIT = 1_000_000


class _Pages(BaseHTTPRequestHandler):
    """The pages of the test server, by their paths."""

    def do_GET(self) -> None:
        """Answer a request."""
        path = self.path.partition("?")[0]
        if path == "/slow":
            self.wfile.write(b"HTTP/1.0 200 OK\r\n")
            for _ in range(100):
                self.wfile.write(b"X-A: b\r\n")
                time.sleep(0.05)
            return
        status, headers, body = PAGES.get(path, (404, {}, b""))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Print nothing when a client has closed the connection."""


PAGES: dict[str, tuple[int, dict[str, str], bytes]] = {
    "/feed": (200, {"Content-Length": "4"}, b"feed"),
    "/moved": (301, {"Location": "/feed?a=é".encode().decode("latin-1")}, b""),
    "/loop": (302, {"Location": "/loop"}, b""),
    "/inside": (302, {"Location": "http://10.0.0.1/secret"}, b""),
    "/file": (302, {"Location": "file:///etc/passwd"}, b""),
    "/long": (200, {}, b"x" * (LIMIT + 1)),
    "/zipped": (200, {"Content-Encoding": "gzip"}, gzip.compress(b"feed")),
    "/bomb": (200, {"Content-Encoding": "gzip"}, gzip.compress(b"x" * (50 * LIMIT))),
    "/cut": (200, {"Content-Length": "10"}, b"feed"),
}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Return the address of a web server on this machine."""
    httpd = _Server(("127.0.0.1", 0), _Pages)
    threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}).start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    httpd.server_close()


def get(url: str, **options: Any) -> downloads.Download:
    return download(url, LIMIT, allows_loopback=True, **options)


def test_a_page_and_its_address_after_a_redirect(server: str) -> None:
    assert get(f"{server}/feed").content == b"feed"
    result = get(f"{server}/moved")
    assert (result.content, result.url) == (b"feed", f"{server}/feed?a=%C3%A9")
    assert get(f"{server}/zipped").content == b"feed"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/missing", "HTTP 404"),
        ("/loop", "redirects too often"),
        ("/inside", "10.0.0.1 is not on the public Internet"),
        ("/file", "is not a web address"),
        ("/long", "longer than 1 MB"),
        ("/bomb", "longer than 1 MB"),
        ("/cut", "the connection ended too early"),
    ],
)
def test_what_is_refused(server: str, path: str, message: str) -> None:
    with pytest.raises(DownloadError, match=message):
        get(f"{server}{path}")


def test_a_server_that_sends_slowly_is_cut_off(server: str) -> None:
    with pytest.raises(DownloadError, match="it takes over 0 seconds"):
        get(f"{server}/slow", max_seconds=0.3)


def test_this_machine_is_refused_unless_it_is_allowed(server: str) -> None:
    with pytest.raises(DownloadError, match="not on the public Internet"):
        download(f"{server}/feed", LIMIT)


ADDRESSES = (
    "10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1 240.0.0.1"
    " 255.255.255.255 127.0.0.1 ::1 :: fe80::1 fc00::1 ff02::1 ::ffff:10.0.0.1"
    " 64:ff9b::10.0.0.1 2002:a00:1:: fe80::1%eth0"
).split()


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_name_that_resolves_to_a_private_address_is_refused(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    entry = (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80))
    monkeypatch.setattr(downloads, "getaddrinfo", lambda *_args, **_options: [entry])
    with pytest.raises(DownloadError, match=r"wire\.example is not on the public Internet"):
        download("http://wire.example/feed", LIMIT)


def test_the_connection_goes_to_the_address_that_was_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    public = [(2, 1, 6, "", (address, 80)) for address in ("10.0.0.1", "93.184.215.14")]
    targets: list[object] = []

    def connect(target: object, timeout: float) -> socket.socket:
        targets.append(target)
        raise OSError("refused")

    monkeypatch.setattr(downloads, "getaddrinfo", lambda *_args, **_options: public)
    monkeypatch.setattr(downloads, "create_connection", connect)
    with pytest.raises(DownloadError, match="refused"):
        download("http://wire.example/feed", LIMIT)
    assert targets == [("93.184.215.14", 80)]


@pytest.mark.parametrize(
    "url",
    [
        "ftp://wire.example/",
        "http://user:secret@wire.example/",
        "http:///x",
        "file:///etc/passwd",
    ],
)
def test_only_plain_web_addresses_are_read(url: str) -> None:
    with pytest.raises(DownloadError, match="is not a web address"):
        download(url, LIMIT)


def test_the_limits_have_a_plain_form() -> None:
    assert downloads.MAX_SECONDS <= 60
    assert downloads.MAX_REDIRECTS == 5


def test_hosts_that_are_not_wanted_are_not_asked_even_after_a_redirect(server: str) -> None:
    requested_hosts: list[str] = []

    def is_wanted(host: str) -> bool:
        requested_hosts.append(host)
        return host == "127.0.0.1"

    moved = download(f"{server}/moved", LIMIT, allows_loopback=True, is_wanted=is_wanted)
    assert moved.content == b"feed"
    with pytest.raises(DownloadError, match="on another host"):
        download(f"{server}/inside", LIMIT, allows_loopback=True, is_wanted=is_wanted)
    assert requested_hosts == ["127.0.0.1"] * 3 + ["10.0.0.1"]
