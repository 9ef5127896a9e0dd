"""Turns of requests with slots: people, strangers, searches and large bodies share the threads."""

from __future__ import annotations

import re
import socket
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask
from gunicorn.config import Config
from gunicorn.workers.gthread import ThreadWorker
from sqlalchemy.exc import OperationalError
from werkzeug.test import EnvironBuilder, run_wsgi_app
from werkzeug.wrappers import Response

from spectator import accounts, newsroom, slow_clients
from spectator import incoming as incoming_requests
from spectator.db import db
from spectator.incoming import IncomingRequest
from spectator.models import User
from spectator.outgoing import Outgoing
from spectator.request_slots import SEARCHES, RequestSlots, SlotUser, surplus, turns
from spectator.search_paths import is_newsroom_search_path
from spectator.slow_clients import BoundedWorker

CONFIG = {"MEDIA": Path("media"), "TRUSTED_PROXIES": 0}
HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n"


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Return the site's and the client's end of a connection."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def granted(users: list[SlotUser], threads: int = 4) -> list[bool]:
    """Return which of these requests get a slot, one after the other."""
    slots = RequestSlots(threads)
    return [slots.take(user) for user in users]


@pytest.mark.parametrize(
    "path", ["/media/ab/x.jpg", "//media/x", "/%6dedia/x", "/media/?a=/newsroom/"]
)
def test_pictures_in_a_bucket_need_slots_and_share_them(path: str) -> None:
    on_disk, first, second, third = (IncomingRequest(number > 0) for number in range(4))
    for number, incoming in enumerate((on_disk, first, second, third)):
        head = f"GET {path} HTTP/1.1\r\nHost: x\r\nCookie: __Host-session={number}\r\n\r\n"
        incoming.add(head.encode())
    assert not on_disk.needs_slot and first.needs_slot
    editor = SlotUser(False, b"editor")
    users = [first.slot_user, second.slot_user, third.slot_user, editor]
    assert granted(users) == [True, True, False, True]


@pytest.mark.parametrize(
    ("path", "needs_slot"),
    [
        ("/search?q=a", True),
        ("/search/feed.xml?q=a", True),
        ("/%73earch", True),
        ("//search", True),
        ("/%2f/search?q=a", True),
        ("/fragments/suggest?q=a", True),
        ("/fragments/search", True),
        ("/fr/search?q=a", True),
        ("//fr//search/feed.xml", True),
        ("/fr/fragments/suggest?q=a", True),
        ("/fr/fragments/stream/", False),
        ("/fr/searchlight", False),
        ("/politics/search", False),
        ("/fragments/stream/", False),
        ("/searchlight/", False),
        ("/?a=/search", False),
    ],
)
def test_searches_need_slots_and_share_them(path: str, needs_slot: bool) -> None:
    incoming = IncomingRequest()
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\nCookie: __Host-session=1\r\n\r\n"
    incoming.add(head.encode())
    assert incoming.needs_slot == needs_slot
    assert (incoming.slot_user.person == b"searches") == needs_slot


def test_readers_always_have_a_thread_and_so_has_everybody_else() -> None:
    one, other, large = (
        SlotUser(False, b"one"),
        SlotUser(False, b"other"),
        SlotUser(True, b"large"),
    )
    assert granted([one, one, one, other, other]) == [True, True, False, True, False]
    assert granted([large, SlotUser(True, b"x"), SlotUser(True, b"y"), one]) == [
        True,
        True,
        False,
        True,
    ]
    assert granted([one, other], threads=1) == [True, False]


def test_a_slot_that_is_given_back_is_free() -> None:
    slots = RequestSlots(2)
    for session in (b"one", b"other"):
        assert slots.take(SlotUser(True, session)) and not slots.take(SlotUser(False, b"x"))
        slots.release(SlotUser(True, session))
        assert not slots.users


def test_requests_take_turns() -> None:
    config = Config()
    config.set("threads", 4)
    worker = object.__new__(ThreadWorker)
    worker.cfg, worker.wsgi = (
        config,
        SimpleNamespace(wsgi_app=None, config=dict(CONFIG)),
    )
    slow_clients.install(worker)
    assert isinstance(worker, BoundedWorker)
    started: list[object] = []
    worker.enqueue_req = started.append
    waiting = [
        SimpleNamespace(
            incoming=SimpleNamespace(has_slot=False, slot_user=SlotUser(is_large, session)),
            slot=None,
        )
        for is_large, session in [(True, b"a"), (True, b"a"), (True, b"b"), (False, b"c")]
    ]
    worker.queued.extend(waiting)
    worker.grant_slots()
    assert started == [waiting[2], waiting[3], waiting[0]], "whoever has the fewest comes first"
    assert list(worker.queued) == [waiting[1]]
    worker.slots.release(waiting[0].slot)
    worker.grant_slots()
    assert started[-1] is waiting[1] and not worker.queued


def test_strangers_and_one_session_never_hold_up_others() -> None:
    strangers = [SlotUser(False, b"")] * 200
    busy, editor = [SlotUser(False, b"busy")] * 20, SlotUser(False, b"editor")
    waiting = [*strangers, *busy, editor]
    assert [waiting[n] for n in turns(waiting)] == [editor, *busy, *strangers]
    searches = [SlotUser(False, SEARCHES)] * 9
    mixed = [*searches, *strangers[:3], editor]
    assert [mixed[n] for n in turns(mixed)] == [editor, *strangers[:3], *searches]


def test_forty_sessions_of_a_person_have_the_turns_of_one(app: Flask, editor: User) -> None:
    worker = SimpleNamespace(wsgi=app)
    colleague_id, _ = accounts.add_user("c@example.org", "C", "author")
    with db.write() as session:
        tokens = [accounts.open_session(session, editor.id) for _ in range(40)]
        tokens.append(accounts.open_session(session, colleague_id))
    users = []
    for token in tokens:
        incoming = IncomingRequest()
        incoming.add(
            f"GET /newsroom/ HTTP/1.1\r\nCookie: __Host-session={token}\r\n\r\n".encode()
        )
        BoundedWorker.identify(worker, incoming)  # type: ignore[arg-type]
        users.append(incoming.slot_user)
    assert turns(users)[0] == 40, "the colleague is next"
    assert granted(users) == [True, True, *[False] * 38, True], "one thread is left to others"


def test_one_person_sends_one_large_body_at_a_time_while_others_save() -> None:
    one, other = SlotUser(True, b"one"), SlotUser(True, b"other")
    assert granted([one, one, other, SlotUser(False, b"one")]) == [True, False, True, True]
    assert granted([one, other], threads=2) == [True, False]


@pytest.mark.parametrize(
    ("target", "is_search"),
    [
        ("/newsroom/search?q=a", True),
        ("//newsroom/%73earch", True),
        ("/newsroom/stories/12/related", True),
        ("http://x/newsroom/search?q=a", True),  # as gunicorn reads it too
        ("/newsroom/stories/12", False),
        ("/newsroom/stories/?related=/newsroom/search", False),
        ("/newsroom/stories/12/related/13", False),
        ("/newsroom/searches", False),
        ("/search?q=a", False),
    ],
)
def test_searches_of_the_newsroom_are_recognized_by_their_path(
    target: str, is_search: bool
) -> None:
    incoming = IncomingRequest()
    incoming.add(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert incoming.slot_user.is_search == is_search


def test_all_newsroom_pages_that_read_an_index_count_as_searches(app: Flask) -> None:
    modules = {
        f"spectator.newsroom.{path.stem}"
        for path in Path(newsroom.__file__).parent.glob("*.py")
        if re.search(r"\bopen_\w*index\b", path.read_text("utf-8"))
    }
    rules = {
        str(rule)
        for rule in app.url_map.iter_rules()
        if app.view_functions[rule.endpoint].__module__ in modules
    }
    assert len(modules) == 2 and len(rules) == 2
    paths = [re.sub(r"<[^>]+>", "12", rule) for rule in rules]
    assert all(map(is_newsroom_search_path, paths)), paths


def test_one_person_searches_the_newsroom_once_at_a_time_while_others_do() -> None:
    ada, ben, cy = (SlotUser(False, name, is_search=True) for name in (b"ada", b"ben", b"cy"))
    page = SlotUser(False, b"ada")
    assert granted([ada, ada, page]) == [True, False, True], "other pages do not wait"
    assert granted([ada, ben, cy, SlotUser(False, b"cy")]) == [True, True, False, True]
    assert granted([ada, ben], threads=2) == [True, False]
    waiting = [*[ada] * 5, ben]
    assert turns(waiting)[0] == 5, "whoever waits with one search is next"
    slots = RequestSlots(4)
    assert slots.take(ada) and not slots.take(ada)
    slots.release(ada)
    assert slots.take(ada)


def test_large_bodies_with_an_ended_session_count_together(
    app: Flask, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are read only to show their text again."""
    other_id, _ = accounts.add_user("c@example.org", "C", "author")
    with db.write() as session:
        live, ended, disabled = (
            accounts.open_session(session, user_id)
            for user_id in (editor.id, editor.id, other_id)
        )
    accounts.log_out(ended)
    accounts.disable_user("c@example.org")
    users = [large_body_of(app, token) for token in (ended, disabled, live)]
    assert [user.has_ended for user in users] == [True, True, False]
    assert granted([users[1], users[0]]) == [True, False], "of all together one"
    assert granted([users[1], users[2]]) == [True, True], "those who may save have a slot"
    assert granted([users[2], users[0]]) == [True, False], "both are the editor's"
    assert turns([users[0], users[2]]) == [1, 0], "those who may save come first"
    monkeypatch.setattr(accounts.sessions, "session_by_token", raise_operational_error)
    assert not large_body_of(app, ended).has_ended


def large_body_of(app: Flask, token: str) -> SlotUser:
    """Return who needs the slot of a large body with a session token."""
    incoming = IncomingRequest()
    head = f"POST /newsroom/stories HTTP/1.1\r\nCookie: __Host-session={token}\r\n"
    incoming.add(f"{head}Content-Length: 100000\r\n\r\n".encode())
    worker = SimpleNamespace(wsgi=app)
    BoundedWorker.identify(worker, incoming)  # type: ignore[arg-type]
    return incoming.slot_user


def raise_operational_error(*_arguments: object) -> None:
    raise OperationalError("SELECT", {}, OSError("the server is out of reach"))


def test_few_strangers_wait_and_a_full_queue_refuses_whoever_has_the_most() -> None:
    strangers, searches = [SlotUser(False, b"")] * 5, [SlotUser(False, SEARCHES)] * 3
    busy, editor = [SlotUser(False, b"busy")] * 4, SlotUser(False, b"editor")
    waiting = [editor, *strangers, *searches, *busy]
    assert surplus(waiting, 20, 5) == []
    assert sorted(surplus(waiting, 20, 2)) == [3, 4, 5, 8], "the newest of each kind"
    assert surplus(waiting, 12, 5) == [5], "the newest stranger"
    assert sorted(surplus(waiting, 7, 2)) == [3, 4, 5, 8, 11, 12]


def test_networks_take_turns_with_searches() -> None:
    flood, reader = [SlotUser(False, SEARCHES, "192.0.2.7")] * 9, SlotUser(False, SEARCHES, "a")
    waiting = [*flood, reader]
    assert [waiting[n] for n in turns(waiting)] == [reader, *flood]
    assert sorted(surplus(waiting, 20, 4)) == [3, 4, 5, 6, 7, 8], "the reader waits on"
    assert granted(waiting) == [True, True, *[False] * 8], "all networks share the slots"


@pytest.mark.parametrize(
    ("fields", "hops", "address"),
    [
        (b"X-Forwarded-For: 192.0.2.1", 0, "peer"),
        (b"X-Forwarded-For: 192.0.2.1", 1, "192.0.2.1"),
        (b"x-forwarded-for:192.0.2.1, 192.0.2.2 ", 1, "192.0.2.2"),
        (b"X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 192.0.2.2", 2, "192.0.2.1"),
        (b"X-Forwarded-For: 192.0.2.1", 2, "peer"),
        (b"Accept: */*", 1, "peer"),
        (b"X-Forwarded-For: \xff", 1, "\xff"),
    ],
)
def test_the_address_of_a_client_is_what_the_trusted_proxy_says(
    fields: bytes, hops: int, address: str
) -> None:
    assert incoming_requests.client_address(HEAD % fields, "peer", hops) == address


def test_a_person_has_one_turn_from_every_network() -> None:
    incoming = IncomingRequest()
    incoming.add(b"GET /newsroom/ HTTP/1.1\r\nHost: x\r\n\r\n")
    incoming.network, incoming.person = "192.0.2.1", b"abc"
    assert incoming.slot_user == SlotUser(False, b"abc")
    incoming.person = b""
    assert incoming.slot_user == SlotUser(False, b"", "192.0.2.1")


@pytest.mark.parametrize(
    ("path", "has_slot", "status"),
    [
        ("/newsroom/stories", False, "400 BAD REQUEST"),
        ("//newsroom", False, "400 BAD REQUEST"),
        ("//search", False, "400 BAD REQUEST"),
        ("/search", True, "200 OK"),
        ("/newsroom/stories", True, "200 OK"),
        ("/politics/", False, "200 OK"),
    ],
)
def test_the_newsroom_is_closed_without_a_slot_however_its_path_was_written(
    path: str, has_slot: bool, status: str, pair: tuple[socket.socket, socket.socket]
) -> None:
    """gunicorn may read a path differently, for instance with a SCRIPT_NAME header."""
    guard = slow_clients.SlotGuard(Response("a page"))
    environ = EnvironBuilder(path="/").get_environ()
    environ |= {"PATH_INFO": path, "gunicorn.socket": Outgoing(pair[0], has_slot)}
    assert run_wsgi_app(guard, environ)[1] == status


@pytest.mark.parametrize("name", ["pending_conns", "sending", "closing"])
def test_no_kind_of_waiting_connection_fills_the_process(name: str) -> None:
    """gunicorn accepts nobody once `worker_connections` are open, of whatever kind."""
    worker = object.__new__(ThreadWorker)
    worker.cfg, worker.wsgi = (
        Config(),
        SimpleNamespace(wsgi_app=None, config=dict(CONFIG)),
    )
    slow_clients.install(worker)
    worker.pending_conns, worker.nr_conns = deque(), 0
    worker.next_check_at = float("inf")  # nobody has expired
    closed: list[int] = []
    connections = getattr(worker, name)
    worker.close_connection = lambda conn, queue: closed.append(conn) or queue.remove(conn)
    connections.extend(range(slow_clients.MAX_WAITING + 5))
    worker.murder_pending()
    assert closed == [0, 1, 2, 3, 4], "the longest waiting first"


def test_a_queue_that_is_full_refuses_whoever_has_the_most(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    worker = object.__new__(ThreadWorker)
    config = dict(CONFIG)
    worker.cfg, worker.wsgi = Config(), SimpleNamespace(wsgi_app=None, config=config)
    slow_clients.install(worker)
    worker.pending_conns, worker.nr_conns = deque(), 0
    worker.next_check_at = float("inf")
    worker.close_gracefully = lambda conn: None
    editor, stranger, *busy = (
        SimpleNamespace(incoming=SimpleNamespace(slot_user=SlotUser(False, name)), sock=pair[0])
        for name in (b"editor", b"", *[b"busy"] * (slow_clients.MAX_WAITING - 1))
    )
    worker.queued.extend([editor, stranger, *busy])
    worker.murder_pending()
    assert list(worker.queued) == [editor, stranger, *busy[:-1]]
    assert pair[1].recv(12) == b"HTTP/1.1 503"
    pair[1].setblocking(False)
    with suppress(BlockingIOError):
        pair[1].recv(4096)
    worker.queued.extend([stranger] * slow_clients.MAX_WAITING_ANONYMOUS)
    worker.murder_pending()
    assert list(worker.queued).count(stranger) == slow_clients.MAX_WAITING_ANONYMOUS
    assert pair[1].recv(12) == b"HTTP/1.1 503"


@pytest.mark.parametrize(
    ("session", "seconds"),
    [
        (b"editor", slow_clients.QUEUE_SECONDS),
        (b"", slow_clients.ANONYMOUS_QUEUE_SECONDS),
        (SEARCHES, slow_clients.ANONYMOUS_QUEUE_SECONDS),
    ],
)
def test_only_people_wait_for_long(
    session: bytes, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = object.__new__(ThreadWorker)
    config = dict(CONFIG)
    worker.cfg, worker.wsgi = Config(), SimpleNamespace(wsgi_app=None, config=config)
    slow_clients.install(worker)
    monkeypatch.setattr(slow_clients.time, "monotonic", lambda: 1000.0)
    monkeypatch.setattr(worker, "grant_slots", lambda: None)
    conn = SimpleNamespace(incoming=SimpleNamespace(slot_user=SlotUser(False, session)))
    answer: Future[object] = Future()
    answer.set_result(slow_clients.NEEDS_SLOT)
    worker.finish_request(conn, answer)
    assert list(worker.queued) == [conn] and conn.timeout == 1000 + seconds
