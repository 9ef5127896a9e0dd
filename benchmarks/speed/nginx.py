"""nginx with the project's configuration, on ports and in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.speed.servers import Server, free_port, run_server
from tests.drills.nginx_proxy import Nginx

# Serves a static file as fast as nginx can.
# `tcp_nopush on`, Debian's default, stalls small responses on loopback.
READY_FILE = """
daemon off;
user root;
pid nginx.pid;
error_log error.log;
worker_processes auto;
events { worker_connections 1024; }
http {
  access_log off;
  default_type text/html;
  sendfile on;
  tcp_nopush off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {
    listen 127.0.0.1:PORT;
    location / {
      root files;
      add_header Content-Encoding ENCODING;
      try_files /body =404;
    }
  }
}
"""


def render_config(text: str, changes: Mapping[str, str]) -> str:
    """Return a configuration with these words replaced; raise ValueError if one is absent."""
    for old, new in changes.items():
        if old not in text:
            raise ValueError(f"the configuration of nginx holds no {old!r}")
        text = text.replace(old, new)
    return text


@contextmanager
def run_nginx(text: str, folder: Path, port: int, ready: str) -> Iterator[Server]:
    """Run nginx with a configuration until the block ends; its paths are relative to the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nginx.conf").write_text(text)
    words = [
        "nginx",
        "-p",
        str(folder),
        "-c",
        str(folder / "nginx.conf"),
        "-e",
        str(folder / "error.log"),
    ]
    yield from run_server(words, {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, port, ready)


@contextmanager
def nginx_in_front(site: Server, data: Path, folder: Path) -> Iterator[Server]:
    """Run nginx with deploy/nginx.conf in front of the site of a data directory."""
    # For a large number of readers.
    front = Nginx(folder, site.port, data / "media", name="127.0.0.1")
    try:
        front.start()
        assert front.process is not None
        yield Server(front.port, front.process)
    finally:
        front.stop()


@contextmanager
def serve_ready_file(body: bytes, encoding: str, folder: Path) -> Iterator[Server]:
    """Serve these bytes at every URL with a Content-Encoding ("" for none)."""
    port = free_port()
    (folder / "files").mkdir(parents=True)
    (folder / "files" / "body").write_bytes(body)
    text = (
        READY_FILE
        if encoding
        else READY_FILE.replace("      add_header Content-Encoding ENCODING;\n", "")
    )
    changes = {"PORT": str(port)} | ({"ENCODING": encoding} if encoding else {})
    with run_nginx(render_config(text, changes), folder, port, "/") as server:
        yield server
