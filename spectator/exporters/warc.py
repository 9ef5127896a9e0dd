"""Web archives (WARC 1.1, ISO 28500:2017): the responses of a site, each compressed on its own.

Everything follows from the responses and one date, so that the same pages give the same bytes.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import IO
from uuid import NAMESPACE_URL, uuid5

FORMAT = "WARC/1.1"
CONFORMS_TO = "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"


class WarcWriter:
    """A web archive in a file; `date` is when the responses were current."""

    def __init__(self, file: IO[bytes], date: datetime, software: str) -> None:
        self.file = file
        self.date = f"{date.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        self.urls: set[str] = set()
        fields = f"software: {software}\r\nformat: WARC File Format 1.1\r\n"
        fields += f"conformsTo: {CONFORMS_TO}\r\n"
        self._write("warcinfo", "application/warc-fields", fields.encode(), {}, software)

    def add_response(
        self, url: str, status: str, headers: Sequence[tuple[str, str]], body: bytes
    ) -> None:
        """Add the response of a URL, once; `status` is like “200 OK”."""
        if url in self.urls:
            return
        self.urls.add(url)
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers), "", ""]
        block = "\r\n".join(lines).encode("latin-1", "replace") + body
        fields = {"WARC-Target-URI": url, "WARC-Payload-Digest": _digest(body)}
        self._write("response", "application/http;msgtype=response", block, fields, url)

    def _write(
        self, kind: str, content_type: str, block: bytes, fields: dict[str, str], subject: str
    ) -> None:
        digest = _digest(block)
        record_id = uuid5(NAMESPACE_URL, f"{kind} {subject} {self.date} {digest}")
        header = {
            "WARC-Type": kind,
            "WARC-Record-ID": f"<urn:uuid:{record_id}>",
            "WARC-Date": self.date,
            **fields,
            "WARC-Block-Digest": digest,
            "Content-Type": content_type,
            "Content-Length": str(len(block)),
        }
        lines = [FORMAT, *(f"{name}: {value}" for name, value in header.items()), "", ""]
        record = "\r\n".join(lines).encode() + block + b"\r\n\r\n"
        self.file.write(gzip.compress(record, mtime=0))


def _digest(content: bytes) -> str:
    """Return a digest as tools for web archives write it: SHA-1 in Base32."""
    digest = hashlib.sha1(content, usedforsecurity=False).digest()
    return f"sha1:{base64.b32encode(digest).decode()}"
