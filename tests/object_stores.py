"""Object stores for tests: a server of S3 on loopback, and servers that misbehave."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import count
from urllib.error import URLError

import pytest

from spectator import media, object_storage
from spectator.media import stores

BOOT_SECONDS = 60.0
AWS_ENVIRON = {
    "AWS_ACCESS_KEY_ID": "a-key",
    "AWS_SECRET_ACCESS_KEY": "SecretThatNoMessageMayContain",
    "AWS_REGION": "us-east-1",
}
_numbers = count(1)


def environ(endpoint: str) -> dict[str, str]:
    """Return the environment variables of a store."""
    return AWS_ENVIRON | {"AWS_ENDPOINT_URL": endpoint}


@contextmanager
def s3_server() -> Iterator[str]:
    """Run a server of S3 that keeps its objects in memory; yield its address."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=AWS_ENVIRON
    )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + BOOT_SECONDS
        while not _answers(address):
            assert process.poll() is None and time.monotonic() < deadline, "moto has not started"
            time.sleep(0.05)
        yield address
    finally:
        process.kill()
        process.wait()


def _answers(address: str) -> bool:
    with suppress(URLError, OSError):
        urllib.request.urlopen(f"{address}/moto-api/", timeout=5).close()
        return True
    return False


def new_bucket(endpoint: str) -> str:
    """Create an empty bucket and return its URL, with a prefix."""
    name = f"pictures-{next(_numbers)}"
    request = urllib.request.Request(f"{endpoint}/{name}", method="PUT")
    urllib.request.urlopen(request, timeout=10).close()
    return f"s3://{name}/our/site"


def use_store(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    """Let this process use the store at an address, and forget what it knows of others."""
    for name, value in environ(endpoint).items():
        monkeypatch.setenv(name, value)
    object_storage.open_store.cache_clear()
    stores.open_bucket.cache_clear()


def contents(url: str) -> dict[str, bytes]:
    """Return the content of each object in a bucket by name."""
    store = object_storage.open_store(url, object_storage.WRITING)
    return {entry.name: store.read(entry.name, media.MAX_BYTES) for entry in store.listing()}


class BadStore:
    """A server that accepts connections and answers each request with the same bytes, or never.

    `byte_pause` is the time between two bytes of its body, in seconds.
    """

    def __init__(self, answer: bytes, byte_pause: float = 0.0) -> None:
        self.answer, self.byte_pause = answer, byte_pause
        self.requests = 0
        self.received = b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.open: list[socket.socket] = []
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self) -> None:
        """Answer every connection in a thread of its own."""
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.open.append(connection)
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        """Read a request, answer, close."""
        with suppress(OSError):
            if request := connection.recv(65536):
                self.requests += 1
                self.received += request
            head, end, body = self.answer.partition(b"\r\n\r\n")
            if not self.byte_pause:
                connection.sendall(self.answer)
            else:
                connection.sendall(head + end)
                for byte in body:
                    connection.sendall(bytes([byte]))
                    time.sleep(self.byte_pause)
            if self.answer:
                connection.close()

    def stop(self) -> None:
        """Stop accepting, then close all sockets."""
        with suppress(OSError):  # it was stopped before
            self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        for sock in (self.listener, *self.open):
            sock.close()


def response(
    status: str, body: bytes = b"", length: int | None = None, content_range: str = ""
) -> bytes:
    """Return an HTTP response; `length` is what it says about its body, if that is not true."""
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body) if length is None else length}\r\n"
    if content_range:
        head += f"Content-Range: {content_range}\r\n"
    dates = 'Last-Modified: Sun, 29 Nov 2026 12:00:00 GMT\r\nETag: "x"\r\n'
    return f"{head}{dates}Connection: close\r\n\r\n".encode() + body
