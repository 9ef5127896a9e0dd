"""Which encodings a browser accepts, and compression of bodies."""

from __future__ import annotations

import gzip
from threading import Event

import brotli
import pytest

from spectator.pagecache.compression import BrotliWorker, accepted_encodings, gzip_bytes


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", ()),
        ("gzip", ("gzip",)),
        ("gzip, deflate, br, zstd", ("br", "gzip")),
        ("GZIP , BR", ("br", "gzip")),
        ("br;q=0, gzip", ("gzip",)),
        ("br;q=0.1, gzip;q=1.0", ("br", "gzip")),
        ("*", ("br", "gzip")),
        ("*;q=0", ()),
        ("gzip;q=0, *", ("br",)),
        ("identity", ()),
        ("gzip;q=much", ()),
        (",;=,", ()),
        ("x," * 5000 + "gzip", ()),
    ],
)
def test_accepted_encodings_are_read_from_the_header(
    header: str, expected: tuple[str, ...]
) -> None:
    assert accepted_encodings(header) == expected


def test_gzip_gives_the_same_bytes_each_time() -> None:
    body = b"<p>Bamako</p>" * 100
    assert gzip_bytes(body) == gzip_bytes(body)
    assert gzip.decompress(gzip_bytes(body)) == body


def test_brotli_is_compressed_in_another_thread() -> None:
    done, results = Event(), []
    body = "Ọjọ́ ẹtì".encode() * 50

    def take(result: bytes) -> None:
        results.append(result)
        done.set()

    BrotliWorker().submit(body, take)
    assert done.wait(10)
    assert brotli.decompress(results[0]) == body
