"""Limits of forms: what counts, and that a form within them is read as Werkzeug reads it."""

from __future__ import annotations

import io
import random
from collections.abc import Iterable
from contextlib import closing

import pytest
from werkzeug.datastructures import Headers
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import MultiPartParser
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartEncoder, Preamble
from werkzeug.test import EnvironBuilder

from spectator.request_limits import BoundedMultiPartParser, BoundedRequest

LIMIT = 100_000  # more than what is read at once
BOUNDARY = b"part"


def read_form(values: dict[str, object]) -> dict[str, str]:
    """Return the fields of a multipart form as a request reads them, with the limit of a test."""
    builder = EnvironBuilder(method="POST", data=values, content_type="multipart/form-data")
    request = BoundedRequest(builder.get_environ())
    request.max_form_memory_size = LIMIT
    with closing(request):
        return dict(request.form.items())


def test_the_fields_of_a_form_are_limited_together() -> None:
    values: dict[str, object] = {f"field{number}": "x" * 30_000 for number in range(3)}
    assert read_form(values) == values
    with pytest.raises(RequestEntityTooLarge):
        read_form(values | {"field3": "x" * 30_000})


def test_files_do_not_count() -> None:
    picture = (io.BytesIO(b"x" * 5 * LIMIT), "picture.jpg")
    assert read_form({"headline": "Rain", "file": picture}) == {"headline": "Rain"}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # unclosed files
@pytest.mark.parametrize("kind", ["field", "file"])
def test_names_of_parts_count(kind: str) -> None:
    name = "n" * (LIMIT // 2)
    value = "" if kind == "field" else (io.BytesIO(b""), name)
    with pytest.raises(RequestEntityTooLarge):
        read_form({f"{name}{number}": value for number in range(3)})


def test_a_malformed_form_is_empty() -> None:
    for content_type in ("multipart/form-data", "multipart/form-data; boundary=x"):
        builder = EnvironBuilder(method="POST", data=b"--y\r\n", content_type=content_type)
        assert not BoundedRequest(builder.get_environ()).form


def encode(parts: Iterable[tuple[Field | File, bytes]]) -> bytes:
    """Return a multipart body."""
    encoder = MultipartEncoder(BOUNDARY)
    body = encoder.send_event(Preamble(data=b""))
    for part, content in parts:
        body += encoder.send_event(part) + encoder.send_event(Data(content, more_data=False))
    return body + encoder.send_event(Epilogue(data=b""))


def random_part(rng: random.Random) -> tuple[Field | File, bytes]:
    """Return a field or file with content that looks like a boundary now and then."""
    name = rng.choice(["headline", "body", "body", "é"])
    pieces = [b"\r\n", b"--part", b"\r\n--par", b"\xff", "ክ".encode(), b"", b"x" * 70]
    content = b"a" + b"".join(rng.choices(pieces[:1] + pieces[2:], k=rng.randrange(9)))
    if rng.random() < 0.3:
        return File(name=name, filename="a.jpg", headers=Headers()), content
    charset = rng.choice(["", "; charset=iso-8859-1", "; charset=utf-7"])
    return Field(name=name, headers=Headers({"content-type": f"text/plain{charset}"})), content


@pytest.mark.parametrize("seed", range(30))
def test_forms_are_read_as_werkzeug_reads_them(seed: int) -> None:
    rng = random.Random(seed)
    body = encode(random_part(rng) for _ in range(rng.randrange(1, 7)))
    results = []
    for parser in (MultiPartParser, BoundedMultiPartParser):
        form, files = parser(buffer_size=rng.choice([64, 200, 4096])).parse(
            io.BytesIO(body), BOUNDARY, len(body)
        )
        contents = []
        for name, file in files.items(multi=True):
            with closing(file):
                contents.append((name, file.filename, file.read()))
        results.append((list(form.items(multi=True)), contents))
    assert results[0] == results[1]
    assert results[0] != ([], [])
