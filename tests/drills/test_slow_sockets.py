"""Slow clients of gunicorn without a proxy; other clients are served meanwhile."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from spectator import incoming, slow_clients
from spectator.accounts.sessions import open_session
from spectator.db import db
from spectator.models import User
from tests.drills.running_site import Site, eventually, token

pytestmark = pytest.mark.drill

ATTACKERS = 40
HEAD = (
    b"POST /newsroom/login HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n"
)
COOKIE = b"Cookie: __Host-session=%s\r\n"
# What each attacking client sends before it stalls.
ATTACKS = {
    "silent": b"",
    "one byte": b"G",
    "an incomplete head": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
    "a small body": HEAD + b"Content-Length: 2000\r\n\r\nemail=",
    "a padded length": HEAD + b"Content-Length: 00000000000000000002000\r\n\r\nemail=",
    "a padded length of a large body": HEAD + b"Content-Length: 0000000000900000\r\n\r\nemail=",
    "a large body": HEAD + COOKIE + b"Content-Length: 400000\r\n\r\nemail=" + b"a" * 40_000,
    "a chunked body": HEAD + COOKIE + b"Transfer-Encoding: chunked\r\n\r\n5\r\nemail\r\n",
    "a promised body": HEAD + COOKIE + b"Expect: 100-continue\r\nContent-Length: 400000\r\n\r\n",
    "a response until the connection closes": (
        b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    ),
    "a bad request": b"\x00\r\n\r\n",
    "a chunked body without a session": HEAD
    + b"Transfer-Encoding: chunked\r\n\r\n5\r\nemail\r\n",
}
# The responses exceed the buffers of both ends.
MANY_REQUESTS = b"GET /archive/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 40


def connect(site: Site, buffer_bytes: int = 0) -> socket.socket:
    """Return a client connection; with a buffer size, its receive buffer and segments are small."""
    parts = urlsplit(site.address)
    assert parts.hostname and parts.port
    client = socket.socket()
    client.settimeout(10)
    if buffer_bytes:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    client.connect((parts.hostname, parts.port))
    return client


def session_token(site: Site) -> bytes:
    """Return the token of a valid session."""
    with site.app_context(), db.write() as session:
        user = session.scalars(select(User).filter_by(email="drill@news.example")).one()
        return open_session(session, user.id).encode()


@contextmanager
def under_attack(
    site: Site, opening: bytes, buffer_bytes: int = 0
) -> Iterator[list[socket.socket]]:
    """Open connections that send `opening` and then stall, until the block ends.

    "%s" stands for a session token.
    """
    if b"%s" in opening:
        opening = opening.replace(b"%s", session_token(site))
    with ExitStack() as stack:
        sockets = [stack.enter_context(connect(site, buffer_bytes)) for _ in range(ATTACKERS)]
        for connection in sockets:
            with suppress(OSError):
                connection.sendall(opening)
        yield sockets


def is_closed(connection: socket.socket) -> bool:
    """Return whether the site has closed a connection."""
    connection.setblocking(False)
    try:
        while connection.recv(65_536):
            pass
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


@pytest.mark.parametrize("attack", ATTACKS)
def test_pages_are_served_while_slow_clients_are_connected(
    shared_site: Site, attack: str
) -> None:
    with under_attack(shared_site, ATTACKS[attack]):
        time.sleep(0.5)
        for path in ("/", "/politics/", "/healthz", "/newsroom/login") * 5:
            response = shared_site.get(path)
            assert response.status == 200 and response.seconds < 5, response


def test_pages_are_served_while_clients_do_not_read_their_responses(shared_site: Site) -> None:
    with under_attack(shared_site, MANY_REQUESTS, 1024):
        time.sleep(0.5)
        for path in ("/", "/politics/", "/healthz", "/newsroom/login") * 5:
            response = shared_site.get(path)
            assert response.status == 200 and response.seconds < 5, response


def test_slow_request_heads_are_disconnected_and_pages_are_served(shared_site: Site) -> None:
    with under_attack(shared_site, ATTACKS["an incomplete head"]) as sockets:
        until = time.monotonic() + incoming.HEAD_SECONDS + 3
        while time.monotonic() < until:
            for client in sockets:
                with suppress(OSError):
                    client.send(b"x")
            assert shared_site.get("/").status == 200
            time.sleep(0.3)
        assert all(is_closed(connection) for connection in sockets)


def test_a_request_sent_in_pieces_gets_a_response(shared_site: Site) -> None:
    body = b"email=nobody%40news.example&password=" + b"x" * 40_000
    request = (
        HEAD + b"Origin: " + shared_site.address.encode() + b"\r\nSec-Fetch-Site: same-origin\r\n"
    )
    request += COOKIE % session_token(shared_site)
    request += b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    for pieces in (1, 3, 50):
        with connect(shared_site) as client:
            size = len(request) // pieces + 1
            for start in range(0, len(request), size):
                client.sendall(request[start : start + size])
                time.sleep(0.01)
            # The site rejects the wrong password.
            assert client.recv(100).startswith(b"HTTP/1.1 4")


def test_no_header_changes_the_path(shared_site: Site) -> None:
    with connect(shared_site) as client:
        client.sendall(b"GET /x/newsroom/login HTTP/1.1\r\nHost: a\r\nSCRIPT_NAME: /x\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 404")


def test_pipelined_requests_get_their_responses(shared_site: Site) -> None:
    with connect(shared_site) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 3)
        received = b""
        with suppress(TimeoutError):
            while received.count(b'"ok"') < 3:
                received += client.recv(4096)
        assert received.count(b'{"status":"ok"}') == 3


def test_pages_are_served_while_more_incomplete_heads_arrive_than_may_wait(
    make_site: Callable[[], Site],
) -> None:
    site = make_site()
    site.start()
    with ExitStack() as stack:
        for _ in range(slow_clients.MAX_WAITING * 3):
            stack.enter_context(connect(site)).sendall(b"G")
        for path in ("/", "/politics/") * 5:
            assert site.get(path).status == 200


def test_stalled_request_bodies_are_disconnected_and_free_their_threads(
    shared_site: Site,
) -> None:
    stories = shared_site.publish([token(77)])
    with under_attack(shared_site, ATTACKS["a chunked body"]) as sockets:
        seconds = incoming.BODY_SECONDS + slow_clients.QUEUE_SECONDS + 15
        eventually(
            lambda: all(is_closed(connection) for connection in sockets),
            seconds,
            "the site closes all connections",
            1.0,
        )
    shared_site.assert_findable(stories, 10, "afterwards")
