"""Object storage: what is stored, and errors of stores that are slow, refuse or send nonsense."""

from __future__ import annotations

import errno
import time
import traceback
from collections.abc import Callable, Iterator
from io import BytesIO
from types import SimpleNamespace

import pytest

from spectator.object_storage import (
    PAUSE_SECONDS,
    READING,
    WRITING,
    ObjectStore,
    OutageGuard,
    Patience,
    StoreError,
)
from tests import object_stores
from tests.object_stores import AWS_ENVIRON, BadStore, response

# Like READING, but shorter, so that the tests are quick.
HASTY = Patience(seconds=0.3, retries=1, retry_seconds=0.3)
# In every message of a request that failed.
FAILURE = "cannot (read|write|delete|list)"


@pytest.fixture
def bad_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., BadStore]]:
    """Return a function that starts a server which misbehaves."""
    servers: list[BadStore] = []

    def start(answer: bytes = b"", byte_pause: float = 0.0) -> BadStore:
        server = BadStore(answer, byte_pause)
        servers.append(server)
        object_stores.use_store(monkeypatch, server.address)
        return server

    yield start
    for server in servers:
        server.stop()


def make_store(url: str = "s3://pictures/site", patience: Patience = HASTY) -> ObjectStore:
    return ObjectStore(url, patience)


REQUESTS: dict[str, Callable[[ObjectStore], object]] = {
    "read": lambda store: store.read("a", 1000),
    "download": lambda store: store.download("a", BytesIO()),
    "write": lambda store: store.write("a", b"content"),
    "write_blocks": lambda store: store.write_blocks("a", iter([b"content"])),
    "byte_size": lambda store: store.byte_size("a"),
    "listing": lambda store: list(store.listing()),
    "delete": lambda store: store.delete("a"),
}


def test_objects_are_stored_listed_read_and_deleted(bucket: str) -> None:
    objects = make_store(bucket, WRITING)
    objects.write("originals/a.jpg", b"abc", Content_Type="image/jpeg")
    objects.write("originals/b.jpg", b"de")
    objects.write("other", b"")
    assert {(entry.name, entry.byte_size) for entry in objects.listing("originals")} == {
        ("originals/a.jpg", 3),
        ("originals/b.jpg", 2),
    }
    assert (objects.read("originals/a.jpg", 3), objects.byte_size("originals/b.jpg")) == (
        b"abc",
        2,
    )
    objects.delete("originals/a.jpg")
    objects.delete("originals/a.jpg")
    assert objects.byte_size("originals/a.jpg") is None
    with pytest.raises(FileNotFoundError):
        objects.read("originals/a.jpg", 3)


def test_the_prefix_separates_sites_in_one_bucket(bucket: str) -> None:
    """The prefix of one site may begin with that of another."""
    own, other = make_store(bucket, WRITING), make_store(f"{bucket}-2", WRITING)
    own.write("a", b"ours")
    assert list(other.listing()) == []
    other.write("a", b"theirs")
    other.write("b", b"theirs")
    assert own.read("a", 100) == b"ours"
    assert [entry.name for entry in own.listing()] == ["a"]


def test_an_object_over_the_limit_is_not_read(bucket: str) -> None:
    objects = make_store(bucket, WRITING)
    objects.write("a", bytes(1001))
    with pytest.raises(StoreError, match="over 1000 bytes"):
        objects.read("a", 1000)


def test_a_large_object_appears_only_when_it_is_complete(bucket: str) -> None:
    def blocks(fails: bool) -> Iterator[bytes]:
        yield from [bytes(1_000_000)] * 18
        if fails:
            raise FileNotFoundError(errno.ENOENT, "the file is gone")

    objects = make_store(bucket, WRITING)
    with pytest.raises(FileNotFoundError, match="the file is gone"):
        objects.write_blocks("a", blocks(fails=True))
    assert objects.byte_size("a") is None
    objects.write_blocks("a", blocks(fails=False))
    file = BytesIO()
    objects.download("a", file)
    assert file.getvalue() == bytes(18_000_000)


@pytest.mark.usefixtures("bucket")  # only for its server, which has no bucket of this name
def test_a_missing_bucket_is_not_a_missing_object() -> None:
    objects = make_store("s3://never-created/site", WRITING)
    # `byte_size` and `download` begin with HEAD, whose response has no body to name the error.
    for name in ("read", "write", "write_blocks", "listing", "delete"):
        with pytest.raises(StoreError, match="NoSuchBucket"):
            REQUESTS[name](objects)


@pytest.mark.parametrize("request_name", REQUESTS)
def test_a_store_that_never_answers_is_given_up_soon(
    bad_store: Callable[..., BadStore], request_name: str
) -> None:
    bad_store()
    started = time.monotonic()
    with pytest.raises(StoreError, match=FAILURE):
        REQUESTS[request_name](make_store())
    assert 0.25 < time.monotonic() - started < 2


@pytest.mark.parametrize(
    "status", ["403 Forbidden", "500 Internal Server Error", "503 Slow Down", "301 Moved"]
)
@pytest.mark.parametrize("request_name", REQUESTS)
def test_a_refusal_is_explained_in_one_line(
    bad_store: Callable[..., BadStore], request_name: str, status: str
) -> None:
    body = b"<Error><Code>No\x1b[2J</Code>\n<Message>" + b"x" * 5000 + b"</Message></Error>"
    server = bad_store(response(status, body))
    with pytest.raises(StoreError) as raised:
        REQUESTS[request_name](make_store())
    message = str(raised.value)
    assert message.isprintable() and len(message) < 400
    assert "s3://pictures/site" in message
    assert 1 <= server.requests <= 4, "retries are limited"


@pytest.mark.parametrize("request_name", REQUESTS)
def test_the_secret_key_is_neither_sent_nor_shown(
    bad_store: Callable[..., BadStore], request_name: str
) -> None:
    server = bad_store(response("403 Forbidden", b"<Error><Code>AccessDenied</Code></Error>"))
    with pytest.raises(StoreError) as raised:
        REQUESTS[request_name](make_store())
    report = "".join(traceback.format_exception(raised.value))
    key, secret = AWS_ENVIRON["AWS_ACCESS_KEY_ID"], AWS_ENVIRON["AWS_SECRET_ACCESS_KEY"]
    assert key.encode() in server.received and secret.encode() not in server.received
    assert secret not in report


def test_a_refused_connection_is_a_store_error(bad_store: Callable[..., BadStore]) -> None:
    bad_store().stop()
    with pytest.raises(StoreError, match="cannot read a"):
        make_store().read("a", 10)


def object_response(request_name: str, body: bytes) -> bytes:
    """Return a response with an object of eight bytes, of which only `body` is sent."""
    if request_name == "download":  # asks for a range of bytes
        return response("206 Partial Content", body, length=8, content_range="bytes 0-7/8")
    return response("200 OK", body, length=8)


@pytest.mark.parametrize("request_name", ["read", "download"])
@pytest.mark.parametrize("body", [b"half", b""])
def test_a_truncated_object_is_an_error(
    bad_store: Callable[..., BadStore], request_name: str, body: bytes
) -> None:
    bad_store(object_response(request_name, b"complete"))
    REQUESTS[request_name](make_store())
    bad_store(object_response(request_name, body))
    with pytest.raises(StoreError, match="cannot read a"):
        REQUESTS[request_name](make_store())


@pytest.mark.parametrize("request_name", ["read", "download"])
def test_a_truncated_object_is_noticed_even_if_the_client_accepts_it(
    bucket: str, monkeypatch: pytest.MonkeyPatch, request_name: str
) -> None:
    objects, part = make_store(bucket, WRITING), SimpleNamespace(to_bytes=lambda: b"half")
    objects.write("a", b"complete")
    result = SimpleNamespace(meta={"size": 8}, bytes=lambda: part)
    monkeypatch.setattr("obstore.get", lambda *_: result)
    monkeypatch.setattr("obstore.get_range", lambda *_, **options: b"half")
    with pytest.raises(StoreError, match="sent only a part of a"):
        REQUESTS[request_name](objects)


@pytest.mark.parametrize("request_name", ["read", "listing"])
def test_a_store_that_sends_a_byte_at_a_time_is_given_up_soon(
    bad_store: Callable[..., BadStore], request_name: str
) -> None:
    bad_store(response("200 OK", b"x" * 1000), byte_pause=0.05)
    started = time.monotonic()
    with pytest.raises(StoreError, match=FAILURE):
        REQUESTS[request_name](
            make_store(patience=Patience(seconds=0.3, retries=0, retry_seconds=0.0))
        )
    assert 0.25 < time.monotonic() - started < 2


def test_an_object_that_claims_to_be_huge_is_not_loaded(
    bad_store: Callable[..., BadStore],
) -> None:
    bad_store(response("200 OK", b"x", length=10**12))
    with pytest.raises(StoreError, match="over 1000 bytes"):
        make_store().read("a", 1000)


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe", b"<ListBucketResult>"])
def test_a_listing_that_is_no_listing_is_an_error(
    bad_store: Callable[..., BadStore], body: bytes
) -> None:
    bad_store(response("200 OK", body))
    with pytest.raises(StoreError, match="cannot list objects"):
        list(make_store().listing())


def test_during_an_outage_requests_are_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    guard, clock = OutageGuard(), [100.0]
    monkeypatch.setattr("spectator.object_storage.time.monotonic", lambda: clock[0])

    def fail_after(seconds: float) -> None:
        with guard.request():
            clock[0] += seconds
            raise StoreError("no answer")

    def succeed() -> None:
        with guard.request():
            pass

    with pytest.raises(StoreError, match="no answer"):
        fail_after(0.1)
    succeed()  # a quick failure blocks no thread, so it begins no outage
    with pytest.raises(StoreError, match="no answer"):
        fail_after(READING.seconds)
    with pytest.raises(StoreError, match="a moment ago"):
        succeed()
    clock[0] += PAUSE_SECONDS
    succeed()
