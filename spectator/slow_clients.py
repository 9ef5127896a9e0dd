"""Slow clients hold no thread of a web process, or one for a bounded time.

gunicorn reads a request in the thread that answers it, so that a few sockets which send a byte and wait would stop the
site. Here the head of every request, and a body of up to `SMALL_BODY_BYTES`, come in without a thread; a larger body
takes one of few, and loses it when it comes too slowly; nobody who has never logged in may send one. What a client does
not take of its answer at once waits without a thread. A proxy that buffers requests keeps all of that away.
"""

from __future__ import annotations

import errno
import re
import selectors
import socket
import time
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any

from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import _DEFER, ThreadWorker

from spectator.accounts import is_issued_token
from spectator.newsroom.security import SESSION_COOKIE
from spectator.outgoing import Outgoing

HEAD_SECONDS = 10.0  # for a whole head, however it trickles
BODY_SECONDS, BODY_BYTES_PER_SECOND = 20.0, 8_000  # for a body: so long, and longer at this rate
QUEUE_SECONDS = 30.0  # for a large body to wait until another one is through
SEND_SECONDS = 20.0  # for an answer to be taken, and longer at the rate of a body
MAX_UNSENT_BYTES = (
    32_000_000  # of the answers of a process that wait to be taken; the largest makes room
)
LINGER_SECONDS, MAX_DRAINED_BYTES = 2.0, 1_000_000  # for a client to close after its last answer
MAX_HEAD_BYTES = 81_920  # above the longest address and the longest cookie that are answered
SMALL_BODY_BYTES = 32_768
MAX_WAITING = 300  # connections of a process without a whole request; the one that has waited longest makes room
_READ_BYTES = 65_536
_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length[ \t]*:[ \t]*(\d{1,15})[ \t]*\r\n", re.IGNORECASE)
_UNKNOWN_LENGTH = re.compile(rb"\r\n(?:transfer-encoding|expect)[ \t]*:", re.IGNORECASE)
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
REFUSED = (
    b"HTTP/1.1 413 Content Too Large\r\nContent-Type: text/plain\r\nContent-Length: 30\r\nConnection: close\r\n\r\n"
    b"Log in, then send this again.\n"
)
_SESSION = re.compile(
    rb"\r\ncookie[ \t]*:[^\r\n]*?\b%s=([^;\s\"]{1,200})" % SESSION_COOKIE.encode(), re.IGNORECASE
)
NEEDS_SLOT = object()  # what a thread says of a connection whose large body has yet to come


class IncomingRequest:
    """A request as it comes in without a thread: its bytes, and until when they may come."""

    def __init__(self) -> None:
        self.deadline = time.monotonic() + HEAD_SECONDS
        self.received = bytearray()
        self.head_length = 0  # 0: its end has not come
        self.body_length: int | None = 0
        self.has_slot = False

    @property
    def is_large(self) -> bool:
        """Say whether the body is larger than what comes in without a thread, or of unknown length."""
        return self.body_length is None or self.body_length > SMALL_BODY_BYTES

    @property
    def is_ready(self) -> bool:
        """Say whether a thread can go on: all has come, or all that is let in without a turn."""
        wanted = 0 if self.is_large else self.body_length or 0
        return bool(self.head_length) and len(self.received) >= self.head_length + wanted

    def add(self, data: bytes) -> None:
        """Take in what has come next."""
        start = max(0, len(self.received) - len(_HEAD_END) + 1)
        self.received += data
        if not self.head_length and (end := self.received.find(_HEAD_END, start)) >= 0:
            self.head_length = end + len(_HEAD_END)
            self.body_length = parse_body_length(self.received[: self.head_length])
            self.deadline = time.monotonic() + (BODY_SECONDS if self.body_length else HEAD_SECONDS)


def parse_body_length(head: bytes | bytearray) -> int | None:
    """Return how long a body will be by its head; None where that shows only as it comes, or it has to be asked for."""
    if _UNKNOWN_LENGTH.search(head):
        return None
    found = _LENGTH.search(head)
    return int(found[1]) if found else 0


class BoundedUnreader(SocketUnreader):  # type: ignore[misc]
    """What a thread reads of a connection: at a least rate, or the connection is given up."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self.restart_clock()

    def restart_clock(self) -> None:
        """Start the clock for the next request."""
        self.deadline = time.monotonic() + BODY_SECONDS

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Return what has come next; raises TimeoutError when it comes too slowly."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError(errno.ETIMEDOUT, "the request comes too slowly")
        before = self.sock.gettimeout()
        self.sock.settimeout(left if before is None else min(left, before))
        try:
            data: bytes = super().chunk(size_hint)
        finally:
            self.sock.settimeout(before)
        self.deadline += len(data) / BODY_BYTES_PER_SECOND
        return data


class BoundedWorker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's worker with threads, which waits for requests without one."""

    free_slots: int
    queued: deque[Any]
    sending: deque[Any]
    closing: deque[Any]
    next_check_at: float

    def handle(self, conn: Any) -> Any:
        """Take in what has come; answer the request once enough of it is there (in a thread)."""
        conn.init()
        conn.sock.setblocking(False)
        if not isinstance(conn.parser.unreader, BoundedUnreader):
            conn.parser.unreader = BoundedUnreader(conn.sock)
        incoming = conn.incoming = getattr(conn, "incoming", None) or IncomingRequest()
        try:
            has_all = incoming.has_slot or receive(conn.sock, conn.parser.unreader, incoming)
        except OSError:
            return False  # it is gone
        if len(incoming.received) > MAX_HEAD_BYTES and not incoming.head_length:
            return send_and_close(conn.sock, TOO_LARGE)
        if not has_all:
            return _DEFER if time.monotonic() < incoming.deadline else False
        if incoming.is_large and not incoming.has_slot:
            return (
                NEEDS_SLOT if self.has_logged_in(incoming) else send_and_close(conn.sock, REFUSED)
            )
        conn.parser.unreader.unread(bytes(incoming.received))
        conn.parser.unreader.restart_clock()
        conn.incoming = None
        return super().handle(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer without waiting until the client takes the answer (in a thread)."""
        sock = conn.sock
        sock.setblocking(True)
        conn.sock = conn.outgoing = Outgoing(sock)
        try:
            return super().handle_request(req, conn)
        except TimeoutError as error:
            raise ConnectionResetError(errno.ECONNRESET, "the client is too slow") from error
        finally:
            conn.sock = sock

    def has_logged_in(self, incoming: IncomingRequest) -> bool:
        """Say whether a request carries a session token that the site issued, also where that session is over."""
        found = _SESSION.search(incoming.received, 0, incoming.head_length)
        with self.wsgi.app_context():
            return found is not None and is_issued_token(found[1].decode("latin-1"))

    def finish_request(self, conn: Any, fs: Future[Any]) -> None:
        """Put a connection where it waits for what it lacks (in the main thread, like all below)."""
        result = None if fs.cancelled() or fs.exception() else fs.result()
        if getattr(conn, "has_slot", False):
            conn.has_slot = False
            self.free_slots += 1
        if result is NEEDS_SLOT:
            conn.timeout = time.monotonic() + QUEUE_SECONDS
            self.queued.append(conn)
        elif result is not _DEFER and getattr(conn, "outgoing", None) and conn.outgoing.unsent:
            self.send_rest(conn, fs)
        elif not result:
            self.close_gracefully(conn)
        else:
            super().finish_request(conn, fs)
        if result is _DEFER and self.alive:
            conn.timeout = conn.incoming.deadline
        self.grant_slots()

    def send_rest(self, conn: Any, fs: Future[Any]) -> None:
        """Wait until the client takes the rest of its answer, and go on with the connection then."""
        conn.sock.setblocking(False)
        conn.timeout = (
            time.monotonic() + SEND_SECONDS + conn.outgoing.held_bytes / BODY_BYTES_PER_SECOND
        )
        self.sending.append(conn)
        try:
            self.poller.register(
                conn.sock, selectors.EVENT_WRITE, partial(self.send_more, conn, fs)
            )
        except (OSError, ValueError):  # it is closed already
            self.close_connection(conn, self.sending)
        while sum(each.outgoing.held_bytes for each in self.sending) > MAX_UNSENT_BYTES:
            self.close_connection(
                max(self.sending, key=lambda each: each.outgoing.held_bytes), self.sending
            )

    def send_more(self, conn: Any, fs: Future[Any], _sock: socket.socket) -> None:
        """Send what the client takes now; once it has all, finish the request."""
        try:
            if not conn.outgoing.flush():
                return
        except OSError:
            self.close_connection(conn, self.sending)
            return
        self.sending.remove(conn)
        self.poller.unregister(conn.sock)
        self.finish_request(conn, fs)

    def grant_slots(self) -> None:
        """Let the next large bodies have threads, as many as may be read at once."""
        while self.queued and self.free_slots:
            conn = self.queued.popleft()
            self.free_slots -= 1
            conn.has_slot = conn.incoming.has_slot = True
            self.enqueue_req(conn)

    def murder_pending(self) -> None:
        """Close what is too much at once, and, once a second, what has waited too long."""
        for among in (self.pending_conns, self.sending, self.closing):
            while len(among) > MAX_WAITING:
                self.close_connection(among[0], among)
        now = time.monotonic()
        if now >= self.next_check_at:
            self.next_check_at = now + 1
            self.close_expired(now)

    def close_expired(self, now: float) -> None:
        """Close what has waited too long."""
        for among in (self.pending_conns, self.sending, self.closing):
            for conn in [each for each in among if each.timeout <= now]:
                self.close_connection(conn, among)
        for conn in [each for each in self.queued if each.timeout <= now]:
            send_and_close(conn.sock, BUSY)
            self.close_connection(conn, self.queued)

    def close_gracefully(self, conn: Any) -> None:
        """End a connection once its client has read the answer; gunicorn's own way holds the main thread meanwhile."""
        conn.sock.setblocking(False)
        with suppress(OSError):
            conn.sock.shutdown(socket.SHUT_WR)
        conn.timeout, conn.drained_bytes = time.monotonic() + LINGER_SECONDS, 0
        self.closing.append(conn)
        try:
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.drain, conn))
        except (OSError, ValueError):  # it is closed already
            self.close_connection(conn, self.closing)

    def drain(self, conn: Any, _sock: socket.socket) -> None:
        """Throw away what a leaving client still says, up to a bound."""
        try:
            data = conn.sock.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        conn.drained_bytes += len(data)
        if not data or conn.drained_bytes > MAX_DRAINED_BYTES:
            self.close_connection(conn, self.closing)

    def close_connection(self, conn: Any, connections: deque[Any]) -> None:
        """Close a connection that waits on the poller."""
        connections.remove(conn)
        with suppress(OSError, KeyError, ValueError):
            self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()


def receive(sock: socket.socket, unreader: BoundedUnreader, incoming: IncomingRequest) -> bool:
    """Take in what has come without waiting; say whether a thread can go on, also with what has ended early."""
    if ahead := unreader.take_buffered():
        incoming.add(ahead)
    while not incoming.is_ready and (
        incoming.head_length or len(incoming.received) <= MAX_HEAD_BYTES
    ):
        try:
            data = sock.recv(_READ_BYTES)
        except BlockingIOError:
            return False
        if not data:
            return True
        incoming.add(data)
    return True


def send_and_close(sock: socket.socket, answer: bytes) -> bool:
    """Send a few words without waiting; return that the connection ends."""
    with suppress(OSError):
        sock.send(answer)
    return False


def install(worker: Any) -> None:
    """Let a web process of gunicorn, which has not yet begun to serve, wait for requests without threads."""
    if type(worker) is not ThreadWorker or worker.cfg.is_ssl:
        return  # another kind, by the operator's wish
    worker.__class__ = BoundedWorker
    worker.free_slots = max(1, worker.cfg.threads // 2)
    worker.queued, worker.sending, worker.closing = deque(), deque(), deque()
    worker.next_check_at = 0.0


bound = install  # a master of the release before calls it by this name during a reload
