"""Private nginx processes: in front of the site, or serving one static file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.speed.servers import Server, free_port, run_server
from tests.drills.nginx_proxy import Nginx

# `tcp_nopush on`, Debian's default, stalls small responses on loopback.
STATIC_COPY = """
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
      ENCODING_HEADER
      try_files /body =404;
    }
  }
}
"""


def render_config(text: str, changes: Mapping[str, str]) -> str:
    """Replace placeholders in a configuration; raise ValueError if one is absent."""
    for old, new in changes.items():
        if old not in text:
            raise ValueError(f"the configuration of nginx does not contain {old!r}")
        text = text.replace(old, new)
    return text


@contextmanager
def run_nginx(config: str, folder: Path, port: int, ready: str) -> Iterator[Server]:
    """Run nginx until the block ends; paths in the configuration are relative to the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nginx.conf").write_text(config)
    command = [
        "nginx",
        "-p",
        str(folder),
        "-c",
        str(folder / "nginx.conf"),
        "-e",
        str(folder / "error.log"),
    ]
    yield from run_server(command, {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, port, ready)


@contextmanager
def nginx_in_front(site: Server, data: Path, folder: Path) -> Iterator[Server]:
    """Run nginx with deploy/nginx.conf in front of the site of a data directory."""
    front = Nginx(folder, site.port, data / "media", name="127.0.0.1")
    try:
        front.start()
        assert front.process is not None
        yield Server(front.port, front.process)
    finally:
        front.stop()


@contextmanager
def serve_static_copy(body: bytes, encoding: str, folder: Path) -> Iterator[Server]:
    """Serve these bytes as a file at every URL; without a Content-Encoding if it is ""."""
    port = free_port()
    (folder / "files").mkdir(parents=True)
    (folder / "files" / "body").write_bytes(body)
    encoding_header = f"add_header Content-Encoding {encoding};" if encoding else ""
    config = render_config(STATIC_COPY, {"PORT": str(port), "ENCODING_HEADER": encoding_header})
    with run_nginx(config, folder, port, "/") as server:
        yield server
