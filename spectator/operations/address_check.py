"""Requests for the old addresses of a receipt, to see whether a running site answers as it says."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urljoin, urlsplit

from spectator.i18n import gettext
from spectator.importers.receipt import FORMAT

TIMEOUT_SECONDS = 30.0


class ReceiptError(Exception):
    """A file that is no receipt; the message says so."""


class Entry(NamedTuple):
    """An address of a receipt with its answer. `problem`: it did not lead to its page even then."""

    address: str
    status: int
    location: str
    problem: str


class Result(NamedTuple):
    """An address, and a sentence about what is wrong with its answer ("" if it is right)."""

    address: str
    fault: str


def read_receipt(path: Path) -> tuple[list[Entry], str]:
    """Return the addresses of a receipt, and the URL of its site; of an HTML file, the JSON beside.

    Raises ReceiptError and OSError.
    """
    path = path.with_suffix(".json") if path.suffix in {".html", ".htm"} else path
    try:
        receipt = json.loads(path.read_bytes())
        if receipt["format"] != FORMAT:
            raise ValueError
        return [_entry(row) for row in receipt["addresses"]], str(receipt["site"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ReceiptError(
            gettext("%(file)s is not a receipt of an import.", file=path)
        ) from error


def _entry(row: dict[str, Any]) -> Entry:
    entry = Entry(row["address"], row["status"], row["location"], row["problem"])
    texts = (entry.address, entry.location, entry.problem)
    if not all(isinstance(text, str) for text in texts) or not isinstance(entry.status, int):
        raise TypeError
    if not entry.address.startswith("/"):
        raise ValueError
    return entry


class AddressChecker:
    """A client of a running site at `base`, whose own URL is `site`. It follows no redirect."""

    def __init__(self, base: str, site: str) -> None:
        self.base = urlsplit(base)
        self.hosts = {self.base.netloc.lower(), urlsplit(site).netloc.lower()}
        self.target_statuses: dict[str, int] = {}
        self.connection: http.client.HTTPConnection | None = None

    def check(self, entries: list[Entry]) -> Iterator[Result]:
        """Yield the result of each address; raises OSError if the site does not answer at all."""
        for entry in entries:
            try:
                yield Result(entry.address, self._find_fault(entry))
            except http.client.HTTPException as error:
                self.close()
                yield Result(entry.address, str(error) or type(error).__name__)

    def _find_fault(self, entry: Entry) -> str:
        status, location = self._request(entry.address)
        expected = f"{entry.status} {entry.location}".strip()
        if status != entry.status or self._local_path(location) != entry.location:
            answer = f"{status} {location}".strip()
            return gettext(
                "%(answer)s, but the receipt says %(expected)s", answer=answer, expected=expected
            )
        if entry.problem:
            return gettext("%(answer)s, which is not its page", answer=expected)
        if location and (target_status := self._target_status(entry.location)) != 200:
            return f"{expected} → {target_status}"
        return ""

    def _target_status(self, path: str) -> int:
        if path not in self.target_statuses:
            self.target_statuses[path] = self._request(path)[0]
        return self.target_statuses[path]

    def _local_path(self, location: str) -> str:
        """Return the path and query of a redirect within the site, any other as it is."""
        parts = (
            urlsplit(urljoin(self.base.geturl(), location))
            if location
            else SplitResult(*5 * [""])
        )
        if parts.netloc.lower() not in self.hosts:
            return location
        return parts.path + (f"?{parts.query}" if parts.query else "")

    def _request(self, path: str) -> tuple[int, str]:
        """Return status and Location of a HEAD request; an idle connection is opened again."""
        if self.connection is not None:
            with suppress(OSError, http.client.BadStatusLine):
                return self._send(self.connection, path)
            self.close()
        self.connection = self._connect()
        return self._send(self.connection, path)

    def _send(self, connection: http.client.HTTPConnection, path: str) -> tuple[int, str]:
        connection.request("HEAD", path, headers={"User-Agent": "spectator check-addresses"})
        response = connection.getresponse()
        response.read()
        return response.status, response.headers.get("Location", "")

    def _connect(self) -> http.client.HTTPConnection:
        host, port = self.base.hostname or "", self.base.port
        if self.base.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(
                host, port, timeout=TIMEOUT_SECONDS, context=context
            )
        return http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None
