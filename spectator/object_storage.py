"""Objects in a bucket of S3 or a compatible service: bytes with names, read and written at once.

Address and keys come from the usual variables: AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN. Every request has a time limit.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import IO, Any, NamedTuple

from spectator.i18n import gettext, lazy_gettext

URL = re.compile(
    r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:/[A-Za-z0-9_=-][A-Za-z0-9._=-]*)*)/?", re.ASCII
)
CONNECT_SECONDS = 2.0
PART_BYTES = 16 * 1024 * 1024  # of a large object; there may be 10,000
PARTS_AT_ONCE = 2
MAX_REASON_LENGTH = 300
_RETRIES = re.compile(r" in [0-9.]+m?s(?:, after [0-9]+ retries, [^-]*)?(?= -)")
# A request that fails after SLOW_SECONDS begins an outage of PAUSE_SECONDS.
PAUSE_SECONDS, SLOW_SECONDS = 5.0, 1.0


_FAILURES = {
    "read": lazy_gettext("%(url)s: cannot read %(name)s: %(reason)s"),
    "write": lazy_gettext("%(url)s: cannot write %(name)s: %(reason)s"),
    "delete": lazy_gettext("%(url)s: cannot delete %(name)s: %(reason)s"),
    "list": lazy_gettext("%(url)s: cannot list objects: %(reason)s"),
}


class StoreError(Exception):
    """The store does not answer, refuses, or sends something unexpected; one line that says so."""


class StoredObject(NamedTuple):
    """An object in a listing; its size is in bytes."""

    name: str
    byte_size: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a caller waits for one request, in seconds, and how often it is repeated.

    No repetition begins later than `retry_seconds` after the first request.
    """

    seconds: float
    retries: int
    retry_seconds: float


# For readers, whose threads must not wait; for editors and the worker; for copies and backups; for
# `spectator doctor`.
READING = Patience(2.0, 1, 1.0)
WRITING = Patience(15.0, 2, 10.0)
COPYING = Patience(60.0, 5, 180.0)
CHECKING = Patience(5.0, 1, 2.0)


class ObjectStore:
    """The objects below the prefix of a bucket."""

    def __init__(self, url: str, patience: Patience) -> None:
        # Imported here, because sites without object storage do without the package.
        from obstore.store import S3Store

        self.url = url
        match = URL.fullmatch(url)
        assert match, "config has checked the URL"
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL", "")
        self.bucket = S3Store(
            match[1],
            prefix=match[2].strip("/") or None,
            config={"endpoint": endpoint} if endpoint else None,
            client_options={
                "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
                "timeout": timedelta(seconds=patience.seconds),
                "allow_http": endpoint.startswith("http://"),
            },
            retry_config={
                "max_retries": patience.retries,
                "retry_timeout": timedelta(seconds=patience.retry_seconds),
                "backoff": {
                    "init_backoff": timedelta(milliseconds=100),
                    "max_backoff": timedelta(seconds=2),
                    "base": 2,
                },
            },
        )

    def read(self, name: str, max_bytes: int) -> bytes:
        """Return an object's content.

        Raises FileNotFoundError if there is none, StoreError if it is larger than `max_bytes`.
        """
        import obstore

        with self._explained("read", name):
            result = obstore.get(self.bucket, name)
            if result.meta["size"] > max_bytes:
                raise StoreError(
                    gettext(
                        "%(url)s has a %(name)s of over %(limit)s bytes.",
                        url=self.url,
                        name=name,
                        limit=max_bytes,
                    )
                )
            content = result.bytes().to_bytes()
        if len(content) != result.meta["size"]:
            raise StoreError(
                gettext("%(url)s sent only a part of %(name)s.", url=self.url, name=name)
            )
        return content

    def download(self, name: str, file: IO[bytes]) -> None:
        """Write an object's content to a file, in parts that each have the time of one request.

        Raises FileNotFoundError and StoreError.
        """
        import obstore

        with self._explained("read", name):
            size = int(obstore.head(self.bucket, name)["size"])
            for start in range(0, size, PART_BYTES):
                end = min(size, start + PART_BYTES)
                part = obstore.get_range(self.bucket, name, start=start, end=end)
                if len(part) != end - start:
                    raise StoreError(
                        gettext("%(url)s sent only a part of %(name)s.", url=self.url, name=name)
                    )
                file.write(part)

    def write(self, name: str, content: bytes, **attributes: str) -> None:
        """Store an object in one step; `attributes` are headers of its later responses."""
        import obstore

        headers: Any = {key.replace("_", "-"): value for key, value in attributes.items()}
        with self._explained("write", name):
            obstore.put(self.bucket, name, content, attributes=headers, use_multipart=False)

    def write_blocks(self, name: str, blocks: Iterator[bytes]) -> None:
        """Store a large object, which appears when it is complete.

        Any error, also of `blocks`, leaves no object behind.
        """
        import obstore

        with self._explained("write", name):
            obstore.put(
                self.bucket,
                name,
                blocks,
                use_multipart=True,
                chunk_size=PART_BYTES,
                max_concurrency=PARTS_AT_ONCE,
            )

    def byte_size(self, name: str) -> int | None:
        """Return an object's size, None if there is none."""
        import obstore

        try:
            with self._explained("read", name):
                return int(obstore.head(self.bucket, name)["size"])
        except FileNotFoundError:
            return None

    def listing(self, directory: str = "") -> Iterator[StoredObject]:
        """Yield the objects below a directory of names, in no order."""
        import obstore

        with self._explained("list"):
            for page in obstore.list(self.bucket, directory or None):
                for entry in page:
                    yield StoredObject(entry["path"], entry["size"], entry["last_modified"])

    def delete(self, name: str) -> None:
        """Delete an object, if there is one."""
        import obstore

        with self._explained("delete", name):
            obstore.delete(self.bucket, name)

    def probe(self) -> None:
        """Write, read and delete a small object. Raises StoreError if any of that fails."""
        name, content = f"probe-{secrets.token_hex(8)}", secrets.token_bytes(64)
        self.write(name, content)
        try:
            if self.read(name, len(content)) != content:
                raise StoreError(
                    gettext("%(url)s returns other content than was written.", url=self.url)
                )
        except FileNotFoundError as error:
            raise StoreError(
                gettext("%(url)s does not return what was written.", url=self.url)
            ) from error
        finally:
            self.delete(name)

    @contextmanager
    def _explained(self, action: str, name: str = "") -> Iterator[None]:
        """Turn the errors of a request into StoreError, except that an object is missing."""
        from obstore.exceptions import BaseError

        try:
            yield
        except (BaseError, FileNotFoundError) as error:
            if isinstance(error, OSError) and error.errno:
                raise  # of a file on this machine, which was to be stored
            is_missing = isinstance(error, FileNotFoundError) and "NoSuchBucket" not in str(error)
            if is_missing and action != "write":
                reason = gettext("no such object")
                raise FileNotFoundError(self._describe(action, name, reason)) from error
            reason = " ".join(str(error).partition("\n\nDebug source")[0].split())
            reason = _RETRIES.sub("", reason.removeprefix("Generic S3 error: "))
            # A store may send control characters, which a terminal would obey.
            reason = "".join(char if char.isprintable() else "?" for char in reason)
            message = self._describe(action, name, reason[:MAX_REASON_LENGTH])
            raise StoreError(message) from error

    def _describe(self, action: str, name: str, reason: str) -> str:
        """Return one line that says what could not be done with which object, and why."""
        return str(_FAILURES[action]) % {"url": self.url, "name": name, "reason": reason}


class OutageGuard:
    """After a slow failure, refuses requests for a few seconds, so that threads stay free."""

    def __init__(self) -> None:
        self.refused_until = 0.0

    @contextmanager
    def request(self) -> Iterator[None]:
        """Make a request within; raises StoreError at once while the store is out of order."""
        started = time.monotonic()
        if started < self.refused_until:
            raise StoreError(gettext("The store did not answer a moment ago."))
        try:
            yield
        except StoreError:
            if time.monotonic() - started > SLOW_SECONDS:
                self.refused_until = time.monotonic() + PAUSE_SECONDS
            raise


@lru_cache(maxsize=8)
def open_store(url: str, patience: Patience) -> ObjectStore:
    """Return the store of a URL; a process has one for each patience."""
    return ObjectStore(url, patience)
