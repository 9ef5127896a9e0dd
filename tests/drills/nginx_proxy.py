"""nginx with deploy/nginx.conf in its own directory, and a stub site that records requests."""

from __future__ import annotations

import gzip
import http.client
import os
import re
import shutil
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import brotli

from spectator.pagecache import PRIVATE_CACHE_CONTROL, PUBLIC_CACHE_CONTROL
from tests.drills.running_site import ROOT, eventually, free_port

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/usr/local/sbin:/usr/local/bin")
SITE_CONFIG = ROOT / "deploy/nginx.conf"
LISTEN_LINES = "    listen 80;\n    listen [::]:80;\n"
MODULES = Path("/etc/nginx/modules-enabled")
HAS_BROTLI = any(MODULES.glob("*brotli-filter.conf"))
MAIN = """
{user}
include {modules}/*.conf;
pid {home}/pid;
error_log {home}/error.log warn;
worker_processes 2;
events {{ worker_connections 512; }}
http {{
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    access_log off;
    sendfile on;
    tcp_nopush on;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    include {home}/shared.conf;
    include {home}/site*.conf;
}}
"""
# Maximum age of a cached page; nginx counts whole seconds, hence + 1.
MAX_STALE_SECONDS = (
    sum(
        int(re.findall(rf"{name}=(\d+)", PUBLIC_CACHE_CONTROL)[0])
        for name in ("s-maxage", "revalidate")
    )
    + 1
)
NAME = "news.example"
SITE_POLICY = "default-src 'self'"  # of the stub site
SETTLE_SECONDS = 0.2
# Values of Accept-Encoding.
BROWSER, OLD_BROWSER, SCRIPT = "gzip, deflate, br, zstd", "gzip, deflate", ""


@dataclass(frozen=True, slots=True)
class Response:
    """HTTP response: header names are in lower case, `raw` is the encoded body."""

    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def encoding(self) -> str:
        """Return the Content-Encoding."""
        return self.headers.get("content-encoding", "")

    @property
    def text(self) -> str:
        """Return the decoded body."""
        body = {"": bytes, "gzip": gzip.decompress, "br": brotli.decompress}[self.encoding](
            self.raw
        )
        return str(body, "utf-8")


def fetch(
    port: int,
    path: str,
    accept: str = SCRIPT,
    method: str = "GET",
    body: bytes = b"",
    **headers: str,
) -> Response:
    """Send one request on a new connection, with the site's name as Host unless `Host` is given.

    Underscores in header names become hyphens.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True, skip_host=True)
        if accept:
            connection.putheader("Accept-Encoding", accept)
        for name, value in ({"Host": NAME} | headers).items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders(body or None)
        response = connection.getresponse()
        response_headers: dict[str, str] = {}
        for name, value in response.getheaders():
            earlier = response_headers.get(name.lower())
            response_headers[name.lower()] = f"{earlier}, {value}" if earlier else value
        return Response(response.status, response_headers, response.read())
    finally:
        connection.close()


def send_raw(port: int, request: bytes) -> str:
    """Send these bytes; return all that comes back until the connection closes or times out."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        chunks = []
        with suppress(TimeoutError):
            while chunk := connection.recv(65536):
                chunks.append(chunk)
    return b"".join(chunks).decode(errors="replace")


def adapt_config(text: str, changes: dict[str, str]) -> str:
    """Return a site's configuration with these texts replaced, without brotli if it is missing."""
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text if HAS_BROTLI else re.sub(r"    brotli[^;]*;\n", "", text)


class Nginx:
    """nginx in front of a site; all files of nginx are under `home`."""

    def __init__(self, home: Path, site_port: int, media: Path, name: str = NAME) -> None:
        self.home, self.port, self.cache = home, free_port(), home / "cache"
        home.mkdir()
        (home / "modules").symlink_to("/usr/share/nginx/modules")
        shutil.copy(ROOT / "deploy/nginx-shared.conf", home / "shared.conf")
        changes = {
            "server_name news.example": f"server_name {name}",
            LISTEN_LINES: f"    listen 127.0.0.1:{self.port};\n",
            "127.0.0.1:8000": f"127.0.0.1:{site_port}",
            "/srv/spectator": str(ROOT),
            "/var/lib/spectator/media": str(media),
            "/var/cache/spectator": str(self.cache),
            "/var/log/nginx/spectator": str(home / "site"),
        }
        (home / "site.conf").write_text(adapt_config(SITE_CONFIG.read_text(), changes))
        # Started by root, nginx would run as nobody, who may not read the directories of tests.
        user = "user root;" if os.geteuid() == 0 else ""
        (home / "nginx.conf").write_text(MAIN.format(user=user, home=home, modules=MODULES))
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start nginx; wait until it accepts connections."""
        assert NGINX is not None
        command = [
            NGINX,
            "-p",
            str(self.home),
            "-c",
            str(self.home / "nginx.conf"),
            "-e",
            str(self.home / "error.log"),
        ]
        self.process = subprocess.Popen([*command, "-g", "daemon off;"])
        eventually(self.is_listening, 10, "nginx listens")

    def is_listening(self) -> bool:
        """Return whether the port accepts connections."""
        assert self.process is not None and self.process.poll() is None, (
            self.home / "error.log"
        ).read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        """Stop nginx."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)

    def cached_keys(self) -> list[str]:
        """Return the cache keys of all stored responses, once their number is stable.

        nginx stores a response a moment after the client has it.
        """
        earlier, keys = None, self._read_keys()
        while keys != earlier:
            time.sleep(SETTLE_SECONDS)
            earlier, keys = keys, self._read_keys()
        return keys

    def delete_cache(self) -> None:
        """Delete the cache's directory, once nginx has stored its last response there."""
        self.cached_keys()
        shutil.rmtree(self.cache)

    def _read_keys(self) -> list[str]:
        keys = []
        for path in self.cache.rglob("*"):
            with suppress(FileNotFoundError):  # nginx may replace files meanwhile
                if path.is_file():
                    keys.append(
                        path.read_bytes().partition(b"\nKEY: ")[2].partition(b"\n")[0].decode()
                    )
        return sorted(keys)


@dataclass(slots=True)
class ReceivedRequest:
    """Request received by the stub site."""

    method: str
    path: str
    headers: dict[str, str]


@dataclass
class StubSite:
    """Site that serves `pages` (text by path) with the real site's headers; it can be slow."""

    pages: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    requests: list[ReceivedRequest] = field(default_factory=list)
    pause_seconds: float = 0.0
    port: int = field(default_factory=free_port)
    server: StubServer | None = None

    def start(self) -> None:
        """Listen, with a thread for each connection."""
        handler = type("Handler", (StubHandler,), {"site": self})
        self.server = StubServer(("127.0.0.1", self.port), handler)
        Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Stop; further connections are refused."""
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def requests_to(self, path: str) -> list[ReceivedRequest]:
        """Return the requests for a path."""
        return [request for request in list(self.requests) if request.path == path]


class StubServer(ThreadingHTTPServer):
    """Server with gunicorn's backlog."""

    request_queue_size = 2048


class StubHandler(BaseHTTPRequestHandler):
    """Handler that responds like the real site."""

    site: StubSite
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Send a page, or 304 if If-None-Match has its ETag."""
        site = self.site
        request_headers = {name.lower(): text for name, text in self.headers.items()}
        site.requests.append(ReceivedRequest(self.command, self.path, request_headers))
        time.sleep(site.pause_seconds)
        path, _, query = self.path.partition("?")
        status = site.statuses.get(path, 200 if path in site.pages else 404)
        body, headers = site.pages.get(path, "nothing").encode(), {"Cache-Control": "no-cache"}
        if path.startswith(("/newsroom", "/with-cookie")):
            headers["Set-Cookie"] = "session=1"
        if status in (200, 410) and not path.startswith("/newsroom"):
            is_public = not query or query.startswith("before=")
            body, encoding_headers = in_best_encoding(
                body, self.headers.get("Accept-Encoding", "")
            )
            headers |= encoding_headers | {
                "Cache-Control": PUBLIC_CACHE_CONTROL if is_public else PRIVATE_CACHE_CONTROL,
                "Vary": "Accept-Encoding",
            }
            if status == 200 and headers["ETag"] in self.headers.get("If-None-Match", ""):
                headers.pop("Content-Encoding", None)
                status, body = 304, b""
        self.send_response(status)
        if status != 304:
            headers["Content-Security-Policy"] = SITE_POLICY
        # Close every connection: on open ones a stopped site would still respond.
        for name, value in (
            headers | {"Content-Length": str(len(body)), "Connection": "close"}
        ).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        """Read a body and respond as to a GET."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


def in_best_encoding(body: bytes, accept_encoding: str) -> tuple[bytes, dict[str, str]]:
    """Return an encoded body with its ETag and Content-Encoding headers."""
    encoding = next((name for name in ("br", "gzip") if name in accept_encoding), "")
    encoded = {"br": brotli.compress, "gzip": partial(gzip.compress, mtime=0), "": bytes}[
        encoding
    ](body)
    headers = {"Content-Encoding": encoding} if encoding else {}
    return encoded, headers | {"ETag": f'"{hash(body)}-{encoding}"'}
