"""A gunicorn worker in which slow clients cannot block the threads.

gunicorn reads a request in the thread that answers it, so that a few idle sockets would stop the
site. This worker reads the head of every request, and bodies of up to `SMALL_BODY_BYTES`, without a
thread. Requests of the newsroom, larger bodies, and pictures in a bucket need a slot: one of a
limited number of threads. Large bodies are accepted only from people who have logged in. The unsent
rest of a response also waits without a thread.
"""

from __future__ import annotations

import errno
import selectors
import socket
import time
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from gunicorn.workers.gthread import _DEFER, ThreadWorker
from werkzeug.exceptions import BadRequest

from spectator.accounts import may_be_live, token_owner
from spectator.accounts.throttling import Client
from spectator.incoming import (
    BODY_BYTES_PER_SECOND,
    MAX_HEAD_BYTES,
    BoundedUnreader,
    IncomingRequest,
    client_address,
    is_newsroom_path,
    needs_more,
    receive,
)
from spectator.outgoing import Outgoing
from spectator.request_slots import RequestSlots, surplus, turns
from spectator.search_paths import is_search_path

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

QUEUE_SECONDS = 30.0  # for a request of somebody who has logged in to wait for a slot
# For others, and how many of a kind may wait in a process. Apache keeps one of its 150 workers for
# each request that waits, and readers' pages need these too.
ANONYMOUS_QUEUE_SECONDS, MAX_WAITING_ANONYMOUS = 5.0, 30
SEND_SECONDS = 20.0  # for a response, and extra time at the same rate
# Of all unsent responses in a process; beyond that the largest is dropped.
MAX_UNSENT_BYTES = 32_000_000
# For a client to close after its last response, and how much it may still send: all that nginx
# accepts. nginx answers 502 if a connection is closed before it has sent the body, and with several
# hosts takes one that does so for broken.
LINGER_SECONDS, MAX_DRAINED_BYTES = 5.0, 65 * 1024 * 1024
# Waiting connections of a kind in a process.
MAX_WAITING = 300
_READ_BYTES = 65_536
TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
)
BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n"
    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
)
REFUSED = (
    b"HTTP/1.1 413 Content Too Large\r\nContent-Type: text/plain\r\n"
    b"Content-Length: 30\r\nConnection: close\r\n\r\n"
    b"Log in, then send this again.\n"
)
NEEDS_SLOT = object()  # returned for a connection whose request waits for a slot


class BoundedWorker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's threaded worker, but waiting for requests without a thread."""

    slots: RequestSlots
    are_pictures_slow = False  # whether they are in a bucket
    hops = 0  # trusted proxies
    queued: deque[Any]
    sending: deque[Any]
    closing: deque[Any]
    next_check_at: float

    def handle(self, conn: Any) -> Any:
        """Receive what is available, and answer the request once it is ready (in a thread)."""
        conn.init()
        conn.sock.setblocking(False)
        if not isinstance(conn.parser.unreader, BoundedUnreader):
            conn.parser.unreader = BoundedUnreader(conn.sock)
        incoming = conn.incoming = getattr(conn, "incoming", None) or IncomingRequest(
            self.are_pictures_slow
        )
        try:
            is_ready = incoming.has_slot or receive(conn.sock, conn.parser.unreader, incoming)
        except OSError:
            return False  # the client is gone
        if len(incoming.received) > MAX_HEAD_BYTES and not incoming.head_length:
            return send_and_close(conn.sock, TOO_LARGE)
        if not is_ready:
            return _DEFER if time.monotonic() < incoming.deadline else False
        if incoming.needs_slot:
            self.identify(incoming)
            incoming.network = self.find_network(incoming, conn.client)
            if incoming.is_large and not incoming.person:
                return send_and_close(conn.sock, REFUSED)
            return NEEDS_SLOT
        conn.parser.unreader.unread(bytes(incoming.received))
        conn.parser.unreader.restart_clock()
        conn.received_length = len(incoming.received) - incoming.head_length
        conn.incoming = None
        return super().handle(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer without waiting for the client to receive it (in a thread)."""
        slot = getattr(conn, "slot", None)
        is_large = slot is not None and slot.is_large
        if not is_large and needs_more(req, conn.received_length):
            return send_and_close(conn.sock, REFUSED)  # gunicorn has read the head differently
        sock = conn.sock
        sock.setblocking(True)
        conn.sock = conn.outgoing = Outgoing(sock, slot is not None)
        try:
            return super().handle_request(req, conn)
        except TimeoutError as error:
            raise ConnectionResetError(errno.ECONNRESET, "the client sends too slowly") from error
        finally:
            conn.sock = sock

    def identify(self, incoming: IncomingRequest) -> None:
        """Set whose session token a request has, and of a large body whether the session ended."""
        token = incoming.token.decode("latin-1")
        with self.wsgi.app_context():
            incoming.person = token_owner(token)
            is_checked = bool(incoming.person) and incoming.is_large
            incoming.has_ended = is_checked and not may_be_live(token)

    def find_network(self, incoming: IncomingRequest, peer: Any) -> str:
        """Return the network of the client that has sent a request."""
        head = bytes(incoming.received[: incoming.head_length])
        # The peer of a Unix socket has no address.
        address = client_address(head, peer[0] if isinstance(peer, tuple) else "", self.hops)
        return Client(address).network

    def finish_request(self, conn: Any, fs: Future[Any]) -> None:
        """Move a connection to its next state (in the main thread, like all methods below)."""
        result = None if fs.cancelled() or fs.exception() else fs.result()
        if getattr(conn, "slot", None):
            self.slots.release(conn.slot)
            conn.slot = None
        if result is NEEDS_SLOT:
            is_anonymous = conn.incoming.slot_user.is_anonymous
            seconds = ANONYMOUS_QUEUE_SECONDS if is_anonymous else QUEUE_SECONDS
            conn.timeout = time.monotonic() + seconds
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
        """Send the rest of a response when the client is ready, then finish the request."""
        conn.sock.setblocking(False)
        conn.timeout = (
            time.monotonic() + SEND_SECONDS + conn.outgoing.held_bytes / BODY_BYTES_PER_SECOND
        )
        self.sending.append(conn)
        try:
            self.poller.register(
                conn.sock, selectors.EVENT_WRITE, partial(self.send_more, conn, fs)
            )
        except (OSError, ValueError):  # already closed
            self.close_connection(conn, self.sending)
        while sum(sending.outgoing.held_bytes for sending in self.sending) > MAX_UNSENT_BYTES:
            largest = max(self.sending, key=lambda sending: sending.outgoing.held_bytes)
            self.close_connection(largest, self.sending)

    def send_more(self, conn: Any, fs: Future[Any], _sock: socket.socket) -> None:
        """Send what the client can receive now, and finish the request once all is sent."""
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
        """Give the free slots to the next requests in the queue that may have one."""
        waiting = list(self.queued)
        users = [conn.incoming.slot_user for conn in waiting]
        for position in turns(users):
            conn, user = waiting[position], users[position]
            if self.slots.take(user):
                self.queued.remove(conn)
                conn.slot, conn.incoming.has_slot = user, True
                self.enqueue_req(conn)

    def murder_pending(self) -> None:
        """Close surplus connections, and once a second expired ones.

        Of those that wait for a slot `surplus` names the ones to refuse; of others, the oldest go.
        """
        for connections in (self.pending_conns, self.sending, self.closing):
            while len(connections) > MAX_WAITING:
                self.close_connection(connections[0], connections)
        waiting = list(self.queued)
        users = [conn.incoming.slot_user for conn in waiting]
        for position in surplus(users, MAX_WAITING, MAX_WAITING_ANONYMOUS):
            self.refuse(waiting[position])
        now = time.monotonic()
        if now >= self.next_check_at:
            self.next_check_at = now + 1
            self.close_expired(now)

    def close_expired(self, now: float) -> None:
        """Close connections whose timeout has expired."""
        for connections in (self.pending_conns, self.sending, self.closing):
            for conn in [conn for conn in connections if conn.timeout <= now]:
                self.close_connection(conn, connections)
        for conn in [conn for conn in self.queued if conn.timeout <= now]:
            self.refuse(conn)

    def refuse(self, conn: Any) -> None:
        """Answer 503 to a request that waits for a slot."""
        self.queued.remove(conn)
        send_and_close(conn.sock, BUSY)
        self.close_gracefully(conn)

    def close_gracefully(self, conn: Any) -> None:
        """Close a connection once its client has read the response.

        gunicorn's own method would block the main thread.
        """
        conn.sock.setblocking(False)
        with suppress(OSError):
            conn.sock.shutdown(socket.SHUT_WR)
        conn.timeout, conn.drained_bytes = time.monotonic() + LINGER_SECONDS, 0
        self.closing.append(conn)
        try:
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.drain, conn))
        except (OSError, ValueError):  # already closed
            self.close_connection(conn, self.closing)

    def drain(self, conn: Any, _sock: socket.socket) -> None:
        """Discard what the client still sends, up to `MAX_DRAINED_BYTES`."""
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
        """Close a waiting connection."""
        connections.remove(conn)
        with suppress(OSError, KeyError, ValueError):
            self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()


def send_and_close(sock: socket.socket, response: bytes) -> bool:
    """Send a short response without waiting. Returns False, which closes the connection."""
    with suppress(OSError):
        sock.send(response)
    return False


class SlotGuard:
    """WSGI middleware that refuses requests of the newsroom and searches without a slot.

    Such a request comes only if gunicorn has parsed its path differently from `spectator.incoming`.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answer 400 to such a request without a slot, and pass on all others."""
        path = environ["PATH_INFO"].encode("latin-1")
        needs_slot = is_newsroom_path(path) or is_search_path(environ["PATH_INFO"])
        if needs_slot and not environ["gunicorn.socket"].has_slot:
            return BadRequest()(environ, start_response)
        return self.app(environ, start_response)


def install(worker: Any) -> None:
    """Turn a worker that has not started to serve into a `BoundedWorker`."""
    if type(worker) is not ThreadWorker or worker.cfg.is_ssl:
        return  # the operator has configured another kind of worker
    worker.__class__ = BoundedWorker
    worker.slots = RequestSlots(worker.cfg.threads)
    worker.are_pictures_slow = isinstance(worker.wsgi.config["MEDIA"], str)
    worker.hops = worker.wsgi.config["TRUSTED_PROXIES"]
    worker.queued, worker.sending, worker.closing = deque(), deque(), deque()
    worker.next_check_at = 0.0
    worker.wsgi.wsgi_app = SlotGuard(worker.wsgi.wsgi_app)


bound = install  # the name that a master of the previous release calls during a reload
