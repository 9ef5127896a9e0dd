"""Limits of requests: bytes, parts and form fields."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import IO, Any

from flask import Flask, Request
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser, MultiPartParser
from werkzeug.sansio.multipart import (
    Data,
    Epilogue,
    Event,
    Field,
    File,
    MultipartDecoder,
    NeedData,
)

MAX_BODY_BYTES = 1_000_000
# Limit of the fields of a form together, without files. Urlencoded forms have it on every route,
# because decoding their escapes takes 70 times their size. Stories are sent as multipart forms.
MAX_FORM_BYTES = 500_000
MAX_PARTS = 100
# The largest form, the merge of two versions, has about 80.
MAX_FIELDS = 500


class BoundedMultiPartParser(MultiPartParser):
    """A parser of multipart forms that limits their fields together; Werkzeug limits each alone."""

    def parse(
        self, stream: IO[bytes], boundary: bytes, content_length: int | None
    ) -> tuple[MultiDict[str, str], MultiDict[str, FileStorage]]:
        """Parse a form. Raises RequestEntityTooLarge, ValueError if it is malformed.

        The headers of parts and the values of fields count; the content of files does not.
        """
        form: MultiDict[str, str] = MultiDict()
        files: MultiDict[str, FileStorage] = MultiDict()
        size = 0
        part: Field | File | None = None
        content: IO[bytes] = BytesIO()
        for event in self._events(stream, boundary):
            if isinstance(event, Field | File):
                part, content = event, BytesIO()
                size += sum(len(name) + len(value) for name, value in part.headers)
                if isinstance(part, File):
                    content = self.start_file_streaming(part, content_length)
            elif isinstance(event, Data):
                size += 0 if isinstance(part, File) else len(event.data)
                content.write(event.data)
            if self.max_form_memory_size is not None and size > self.max_form_memory_size:
                raise RequestEntityTooLarge
            if isinstance(event, Data) and not event.more_data:
                content.seek(0)
                if isinstance(part, File):
                    file = FileStorage(content, part.filename, part.name, headers=part.headers)
                    files.add(part.name, file)
                elif part is not None:
                    charset = self.get_part_charset(part.headers)
                    form.add(part.name, content.read().decode(charset, "replace"))
        return form, files

    def _events(self, stream: IO[bytes], boundary: bytes) -> Iterator[Event]:
        """Yield the start of each part and its data."""
        decoder = MultipartDecoder(
            boundary, self.max_form_memory_size, max_parts=self.max_form_parts
        )
        event: Event = NeedData()
        while not isinstance(event, Epilogue):
            decoder.receive_data(stream.read(self.buffer_size) or None)
            while not isinstance(event := decoder.next_event(), NeedData | Epilogue):
                yield event


class BoundedFormParser(FormDataParser):
    """A form parser with limits on all fields of a form together."""

    def parse(
        self,
        stream: IO[bytes],
        mimetype: str,
        content_length: int | None,
        options: dict[str, str] | None = None,
    ) -> Any:
        """Parse a form. Raises RequestEntityTooLarge for over `MAX_FIELDS` or `MAX_FORM_BYTES`.

        The fields of a urlencoded body are counted before they are parsed.
        """
        if mimetype != "application/x-www-form-urlencoded":
            return super().parse(stream, mimetype, content_length, options)
        limit = min(self.max_form_memory_size or MAX_FORM_BYTES, MAX_FORM_BYTES)
        if content_length is not None and content_length > limit:
            raise RequestEntityTooLarge
        body = stream.read(limit + 1)
        if len(body) > limit or body.count(b"&") >= MAX_FIELDS:
            raise RequestEntityTooLarge
        return super().parse(BytesIO(body), mimetype, len(body), options)

    def _parse_multipart(
        self,
        stream: IO[bytes],
        mimetype: str,
        content_length: int | None,
        options: dict[str, str],
    ) -> Any:
        boundary = options.get("boundary", "").encode("ascii")
        if not boundary:
            raise ValueError("Missing boundary")
        parser = BoundedMultiPartParser(
            self.stream_factory, self.max_form_memory_size, max_form_parts=self.max_form_parts
        )
        return stream, *parser.parse(stream, boundary, content_length)


class BoundedRequest(Request):
    """A request with limits on the bytes, parts and fields of its forms."""

    form_data_parser_class = BoundedFormParser


def register(app: Flask) -> None:
    """Apply the limits to every request. A view can set higher ones, except of urlencoded forms."""
    app.request_class = BoundedRequest
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        MAX_FORM_MEMORY_SIZE=MAX_FORM_BYTES,
        MAX_FORM_PARTS=MAX_PARTS,
    )
