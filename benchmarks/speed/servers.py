"""Measured servers; gunicorn runs with the site's own gunicorn.conf.py."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection

from benchmarks.end_to_end import child_processes, get, has_index, process_memory, wait_for
from benchmarks.search.sites import ROOT
from benchmarks.speed.load import BROWSER

BOOT_SECONDS, STOP_TIMEOUT_SECONDS = 60, 30


@dataclass(frozen=True, slots=True)
class Response:
    """HTTP response; the body is not decompressed."""

    status: int
    headers: Message
    body: bytes


@dataclass(frozen=True, slots=True)
class Server:
    """Server on a loopback port."""

    port: int
    process: subprocess.Popen[bytes]

    def url(self, path: str = "/") -> str:
        """Return the address of a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    def get(self, path: str, **headers: str) -> Response:
        """Request a path as a browser does; OSError if nothing listens on the port."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            request_headers = BROWSER | {
                name.replace("_", "-"): value for name, value in headers.items()
            }
            connection.request("GET", path, headers=request_headers)
            response = connection.getresponse()
            return Response(response.status, response.headers, response.read())
        finally:
            connection.close()

    def web_memory(self) -> dict[int, int]:
        """Return the resident memory of gunicorn's web processes by pid, in MB."""
        web = (
            pid
            for pid, command in child_processes(self.process.pid).items()
            if not command.rstrip().endswith("worker")
        )
        return {pid: process_memory(pid)["Rss"] for pid in web}

    def stop(self) -> None:
        """Stop the server with SIGTERM, as a service manager does; kill it if that is too slow."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextmanager
def run_gunicorn(
    app: str, environ: Mapping[str, str], *options: str, ready_path: str = "/readyz"
) -> Iterator[Server]:
    """Serve an app with the site's gunicorn.conf.py until the block ends.

    `ready_path` responds with 200 once the app serves.
    """
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "--chdir",
        str(ROOT),
        "--config",
        str(ROOT / "gunicorn.conf.py"),
        *options,
        "--bind",
        f"127.0.0.1:{port}",
        app,
    ]
    yield from run_server(command, environ, port, ready_path)


def run_server(
    command: list[str], environ: Mapping[str, str], port: int, ready_path: str
) -> Iterator[Server]:
    """Yield a server once it responds; stop it afterwards."""
    process = subprocess.Popen(
        command, cwd=ROOT, env=dict(environ), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    server = Server(port, process)

    def is_ready() -> bool:
        if process.poll() is not None:
            raise RuntimeError(f"the server exited before it was ready: {' '.join(command)}")
        return has_index(get(port, ready_path))

    try:
        wait_for(is_ready, BOOT_SECONDS)
        yield server
    finally:
        server.stop()


def free_port() -> int:
    """Return a free loopback port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
