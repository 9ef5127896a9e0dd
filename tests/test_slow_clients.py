"""Reading requests without a thread, and time limits; tests/drills/test_slow_sockets.py uses
gunicorn.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from gunicorn.config import Config
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader

from spectator import incoming as incoming_requests
from spectator.incoming import BoundedUnreader, IncomingRequest, parse_body_length, receive

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the module's clock as a list of one time."""
    now = [1000.0]
    monkeypatch.setattr(incoming_requests.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Return the site's and the client's end of a connection."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (b"Accept: */*", 0),
        (b"Content-Length: 12", 12),
        (b"content-length:12 ", 12),
        (b"X-Content-Length: 12", 0),
        (b"Content-Length: " + b"0" * 20 + b"12", 12),
        (b"Content-Length: 000", 0),
        (b"Content-Length: twelve", None),
        (b"Content-Length: +12", None),
        (b"Content-Length: 1 2", None),
        (b"Content-Length: " + b"1" * 16, None),
        (b"Content-Length: 12\r\nContent-Length: 12", None),
        (b"Transfer-Encoding: chunked", None),
        (b"Content-Length: 12\r\nTransfer-Encoding: chunked", None),
        (b"Expect: 100-continue\r\nContent-Length: 12", None),
    ],
)
def test_the_length_of_a_body_is_parsed_from_its_head(field: bytes, expected: int | None) -> None:
    assert parse_body_length(HEAD % field) == expected


@pytest.mark.parametrize(
    "field", [b"Content-Length: 000000000000000000000300", b"content-length:0300", b"Host: y"]
)
def test_gunicorn_waits_for_no_more_than_was_received(field: bytes) -> None:
    incoming = IncomingRequest()
    head = HEAD.replace(b"Host: x\r\n", b"") % field
    incoming.add(head)
    request = Request(Config(), IterUnreader([head, b"x" * 300]), ("192.0.2.1", 5))
    length = incoming.body_length
    assert length is not None and not incoming_requests.needs_more(request, length)
    assert incoming_requests.needs_more(request, length - 1)


def test_a_thread_is_taken_when_a_small_request_is_whole() -> None:
    whole = HEAD % b"Content-Length: 300" + b"x" * 300
    incoming = IncomingRequest()
    for length in range(len(whole)):
        assert not incoming.is_ready
        incoming.add(whole[length : length + 1])
    assert incoming.is_ready and not incoming.is_large and bytes(incoming.received) == whole


@pytest.mark.parametrize(
    "field", [b"Content-Length: 32769", b"Transfer-Encoding: chunked", b"Expect: 100-continue"]
)
def test_a_large_body_needs_a_turn(field: bytes) -> None:
    incoming = IncomingRequest()
    incoming.add(HEAD % field)
    assert incoming.is_ready and incoming.is_large


def test_time_does_not_grow_with_each_byte_of_a_head(clock: list[float]) -> None:
    incoming = IncomingRequest()
    until = incoming.deadline
    for _ in range(5):
        clock[0] += 1
        incoming.add(b"G")
    assert incoming.deadline == until == 1000 + incoming_requests.HEAD_SECONDS


def test_no_more_is_taken_in_than_a_head_may_hold(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    ours.setblocking(False)
    theirs.setblocking(False)
    incoming, sent = IncomingRequest(), 0
    for _ in range(40):
        try:
            sent += theirs.send(b"x" * 8192)
        except BlockingIOError:
            break
        receive(ours, BoundedUnreader(ours), incoming)
    assert sent > len(incoming.received) > incoming_requests.MAX_HEAD_BYTES
    assert len(incoming.received) <= incoming_requests.MAX_HEAD_BYTES + 65_536


def test_a_body_has_a_least_rate(
    clock: list[float], pair: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = pair
    unreader = BoundedUnreader(ours)
    received = 0
    with pytest.raises(TimeoutError):
        for _ in range(1000):
            theirs.sendall(b"x" * 100)
            received += len(unreader.chunk())
            clock[0] += 1
    assert received == 100 * (int(incoming_requests.BODY_SECONDS) + 1), (
        "a hundred bytes a second: only the first seconds"
    )
    unreader.restart_clock()
    for _ in range(100):
        theirs.sendall(b"x" * 8000)
        received = 0
        while received < 8000:
            received += len(unreader.chunk())
        clock[0] += 1


@pytest.mark.parametrize(
    ("request_line", "expected"),
    [
        ("GET /newsroom/stories/", True),
        ("POST /newsroom/login", True),
        ("GET /newsroom?x=1", True),
        ("GET http://news.example/newsroom/", True),
        ("GET /%6eewsroom/", True),
        ("GET //newsroom/", True),
        ("\r\nGET /newsroom/stories/", True),
        ("GET http://a%2fb/newsroom/stories", True),
        ("GET a+b://x/newsroom/stories", True),
        ("GET x:/newsroom/stories?a=://", True),
        ("GET /newsroom#x", True),
        ("GET http://news.example/politics/", True),
        ("GET /politics/newsroom/", False),
        ("GET /newsrooms", False),
        ("GET /politics/?q=/newsroom/", False),
    ],
)
def test_the_newsroom_is_known_by_its_address(request_line: str, expected: bool) -> None:
    incoming = IncomingRequest()
    incoming.add(f"{request_line} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert incoming.needs_slot == expected


@pytest.mark.parametrize(
    ("cookie", "session"),
    [
        ("__Host-session=abc", b"abc"),
        ("a=b; __Host-session=abc; c=d", b"abc"),
        ("x-__Host-session=no; __Host-session=abc", b"abc"),
        ("x__Host-session=no", b""),
    ],
)
def test_the_session_is_that_of_the_cookie(cookie: str, session: bytes) -> None:
    incoming = IncomingRequest()
    incoming.add(f"GET / HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n\r\n".encode())
    assert incoming.token == session
