"""Responses wait for slow readers without a thread; large bodies need a session. Real sockets."""

from __future__ import annotations

import hashlib
import os
import socket
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import ThreadWorker

from spectator import accounts, incoming, slow_clients
from spectator.accounts.sessions import open_session
from spectator.db import db
from spectator.outgoing import Outgoing
from spectator.slow_clients import NEEDS_SLOT, BoundedWorker

THREADS, BODY = 2, os.urandom(400_000)
GET = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
Client = Callable[[bytes], socket.socket]


class CountingWorker(BoundedWorker):
    """In-process web worker that counts finished requests."""

    handled_requests = 0

    def handle_request(self, req: Any, conn: Any) -> Any:
        try:
            return super().handle_request(req, conn)
        finally:
            self.handled_requests += 1


@pytest.fixture
def listener(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    """Return a listening socket whose connections have small segments, as on a real network.

    Linux remembers how fast the last connections between two addresses were, so tests that send
    much have an address of their own (the fixture's parameter).
    """
    address = getattr(request, "param", "127.0.0.1")
    with socket.create_server((address, 0), backlog=100) as listening:
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        yield listening


@pytest.fixture
def worker(listener: socket.socket) -> Iterator[CountingWorker]:
    """Run a web process with two threads that responds with `BODY`."""

    def wsgi(_environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Length", str(len(BODY)))])
        return [BODY[:1000], BODY[1000:]]

    config = Config()
    config.set("threads", THREADS)
    thread_worker = ThreadWorker(
        1, os.getppid(), [listener], SimpleNamespace(), 30, config, Logger(config)
    )
    thread_worker.wsgi = SimpleNamespace(
        wsgi_app=wsgi, config={"MEDIA": Path("media"), "TRUSTED_PROXIES": 0}
    )
    slow_clients.install(thread_worker)
    thread_worker.__class__ = CountingWorker
    thread_worker.wsgi, thread_worker.max_requests = thread_worker.wsgi.wsgi_app, 10**9
    thread_worker.tpool = thread_worker.get_thread_pool()
    thread_worker.poller = slow_clients.selectors.DefaultSelector()
    thread_worker.method_queue.init()
    thread = Thread(target=thread_worker.run, daemon=True)
    thread.start()
    yield thread_worker
    thread_worker.alive = False
    thread.join(30)
    thread_worker.tmp.close()
    assert not thread.is_alive()


@pytest.fixture
def connect(listener: socket.socket) -> Iterator[Client]:
    """Return a function that opens a slow-reading connection and sends a request."""
    sockets: list[socket.socket] = []

    def open_one(request: bytes) -> socket.socket:
        client = socket.socket()
        sockets.append(client)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        client.settimeout(10)
        client.bind((listener.getsockname()[0], 0))
        client.connect(listener.getsockname())
        client.sendall(request)
        return client

    yield open_one
    for client in sockets:
        client.close()


def wait_until(condition: Callable[[], bool]) -> bool:
    """Wait for a condition, but not until the timeout that frees a blocked thread."""
    until = time.monotonic() + slow_clients.SEND_SECONDS / 2
    while not condition() and time.monotonic() < until:
        time.sleep(0.01)
    return condition()


def read_all(client: socket.socket) -> bytes:
    """Return the bytes received until the other end closes."""
    received = bytearray()
    while data := client.recv(65_536):
        received += data
    return bytes(received)


def test_clients_that_do_not_read_hold_no_thread(worker: CountingWorker, connect: Client) -> None:
    clients = [connect(GET) for _ in range(THREADS * 4)]
    assert wait_until(lambda: worker.handled_requests == len(clients)), (
        f"threads are held: {worker.handled_requests} handled_requests"
    )
    assert wait_until(lambda: len(worker.sending) == len(clients)), (
        "the rest of each response waits"
    )
    for client in clients[:2]:
        assert (
            hashlib.sha256(read_all(client).split(b"\r\n\r\n", 1)[1]).digest()
            == hashlib.sha256(BODY).digest()
        )
    clients[2].close()
    assert wait_until(lambda: len(worker.sending) == len(clients) - 3), (
        "closed connections are dropped"
    )
    for client in clients:
        client.close()
    assert wait_until(lambda: worker.nr_conns == 0)


def test_a_pipelined_request_waits_for_the_previous_response(
    worker: CountingWorker, connect: Client
) -> None:
    request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    client = connect(request + GET)
    assert wait_until(lambda: worker.handled_requests == 1 and len(worker.sending) == 1)
    assert read_all(client).count(BODY) == 2


def test_unsent_responses_are_limited_in_total_size(
    worker: CountingWorker, connect: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_clients, "MAX_UNSENT_BYTES", int(2.5 * len(BODY)))
    clients = [connect(GET) for _ in range(5)]
    assert wait_until(
        lambda: worker.handled_requests == len(clients) and len(worker.sending) == 2
    )


def test_responses_that_nobody_reads_time_out(
    worker: CountingWorker, connect: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        slow_clients, "SEND_SECONDS", -len(BODY)
    )  # every response is late at once
    connect(GET)
    until = time.monotonic() + 10
    while (worker.handled_requests, worker.nr_conns) != (1, 0):
        assert time.monotonic() < until
        time.sleep(0.01)


def test_sendfile_does_not_block() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        outgoing = Outgoing(ours)
        assert outgoing.sendfile(BytesIO(b"x" + BODY), offset=1, count=len(BODY)) == len(BODY)
        received = bytearray()
        assert outgoing.held_bytes == len(BODY)
        while len(received) < len(BODY):
            received += theirs.recv(65_536)
            outgoing.flush()
        assert received == BODY and outgoing.held_bytes == 0
        assert outgoing.sendfile(BytesIO(b"the whole file")) == 14
        assert theirs.recv(65_536) == b"the whole file"


@pytest.mark.parametrize(
    "field",
    [
        "Transfer-Encoding: chunked",
        "Content-Length: 400000",
        "Expect: 100-continue\r\nContent-Length: 9",
    ],
)
def test_a_large_body_without_a_session_is_refused(app: Flask, field: str) -> None:
    user_id = accounts.add_user("ed@news.example", "Ed", "editor")[0]
    with db.write() as session:
        token = open_session(session, user_id)
    for cookie in (
        "x=y",
        "__Host-session=",
        "__Host-session=aaaaaaaaaaaaaaaaaaaa",
        f"x__Host-session={token}",
    ):
        assert handle_head(app, field, cookie) == (False, slow_clients.REFUSED), cookie
    assert handle_head(app, field, f"x=y; __Host-session={token}; z=1") == (NEEDS_SLOT, b"")


@pytest.mark.parametrize("listener", ["127.0.0.2"], indirect=True)
@pytest.mark.parametrize("path", ["/newsroom/stories/new", "/newsroom/fragments/pictures"])
def test_a_refused_body_is_read_to_its_end(
    worker: CountingWorker, connect: Client, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """nginx answers 502 if a connection is closed before, and takes the host for broken."""
    monkeypatch.setattr(worker, "identify", lambda _incoming: None, raising=False)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 12000000\r\n\r\n"
    client = connect(head.encode())
    client.sendall(b"a" * 12_000_000)
    assert read_all(client) == slow_clients.REFUSED


@pytest.mark.parametrize("listener", ["127.0.0.2"], indirect=True)
def test_a_body_whose_request_has_waited_too_long_is_read_to_its_end(
    worker: CountingWorker, connect: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def log_in(request: incoming.IncomingRequest) -> None:
        request.person = b"ed"

    monkeypatch.setattr(worker, "identify", log_in, raising=False)
    monkeypatch.setattr(worker.slots, "take", lambda _user: False)
    monkeypatch.setattr(slow_clients, "QUEUE_SECONDS", 0.2)
    head = "POST /newsroom/x HTTP/1.1\r\nHost: x\r\nContent-Length: 12000000\r\n\r\n"
    client = connect(head.encode())
    client.sendall(b"a" * 12_000_000)
    assert read_all(client) == slow_clients.BUSY


def handle_head(app: Flask, field: str, cookie: str) -> tuple[object, bytes]:
    """Return a web process's decision after a request's headers, and its immediate response."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        worker = object.__new__(BoundedWorker)
        worker.wsgi = app
        unreader = incoming.BoundedUnreader(ours)
        conn = SimpleNamespace(
            sock=ours,
            client=("192.0.2.1", 5),
            init=lambda: None,
            parser=SimpleNamespace(unreader=unreader),
        )
        head = f"POST /newsroom/login HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n{field}\r\n\r\n"
        theirs.sendall(head.encode())
        theirs.setblocking(False)
        result = worker.handle(conn)
        try:
            return result, theirs.recv(1000)
        except BlockingIOError:
            return result, b""


def test_the_refusal_has_its_content_length() -> None:
    head, _, body = slow_clients.REFUSED.partition(b"\r\n\r\n")
    assert b"Content-Length: %d\r\n" % len(body) in head
