"""Limits of requests: bytes, parts and form fields."""

from __future__ import annotations

from io import BytesIO
from typing import IO, Any

from flask import Flask, Request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

MAX_BODY_BYTES = 1_000_000
# Limit of one field of a multipart form, and of a whole urlencoded form on any route: decoding its
# escapes takes 70 times its size in memory. Stories are sent as multipart forms, without escapes.
MAX_FIELD_BYTES = 500_000
MAX_PARTS = 100
# The largest form, the merge of two versions, has about 80.
MAX_FIELDS = 500


class BoundedFormParser(FormDataParser):
    """A form parser that counts the fields of a urlencoded body before it parses them."""

    def parse(
        self,
        stream: IO[bytes],
        mimetype: str,
        content_length: int | None,
        options: dict[str, str] | None = None,
    ) -> Any:
        """Parse a form. Raises RequestEntityTooLarge for over `MAX_FIELDS` or `MAX_FIELD_BYTES`."""
        if mimetype != "application/x-www-form-urlencoded":
            return super().parse(stream, mimetype, content_length, options)
        limit = min(self.max_form_memory_size or MAX_FIELD_BYTES, MAX_FIELD_BYTES)
        if content_length is not None and content_length > limit:
            raise RequestEntityTooLarge
        body = stream.read(limit + 1)
        if len(body) > limit or body.count(b"&") >= MAX_FIELDS:
            raise RequestEntityTooLarge
        return super().parse(BytesIO(body), mimetype, len(body), options)


class BoundedRequest(Request):
    """A request with limits on the bytes, parts and fields of its forms."""

    form_data_parser_class = BoundedFormParser


def register(app: Flask) -> None:
    """Apply the limits to every request. A view can set higher ones, except of urlencoded forms."""
    app.request_class = BoundedRequest
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        MAX_FORM_MEMORY_SIZE=MAX_FIELD_BYTES,
        MAX_FORM_PARTS=MAX_PARTS,
    )
