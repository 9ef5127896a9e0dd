"""JSON lines: one story per line, in the format that docs/operations.md describes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from heapq import nsmallest
from typing import IO, Any
from urllib.parse import unquote

from spectator.importers.bodies import convert_body
from spectator.importers.records import Record, RecordError, describe_unexpected_error
from spectator.models import ARTICLE_STATUSES, DEFAULT_KIND, STORY_KINDS
from spectator.publishing import Draft
from spectator.publishing.fields import FIELDS, NAME_FIELDS, names_of

MAX_LINE_BYTES = 4_000_000
MAX_UNKNOWN_KEYS, MAX_KEY_LENGTH = 101, 40  # of one line, to be reported
DEFAULT_SECTION = "politics"
TEXT_FIELDS = names_of("line", "body", "language", "slug")
OTHER_KEYS = {"id", "author", "published_at", "updated_at", "status"}
ALL_KEYS = OTHER_KEYS | {field.key for field in FIELDS.values()}


def read(
    file: IO[bytes], language: str, zone: tzinfo = UTC
) -> Iterator[Record | tuple[str, RecordError]]:
    """Yield a Record for every valid line, and (location, error) for every other; skip empty lines.

    `language` is the default for lines without one, `zone` for times without an offset. The file is
    read once and in order, so it may be a pipe. Raises OSError if it cannot be read.
    """
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        location = f"line {number}"
        if len(line) > MAX_LINE_BYTES:
            while line and not line.endswith(b"\n"):
                line = file.readline(MAX_LINE_BYTES)
            yield location, RecordError(f"longer than {MAX_LINE_BYTES // 1_000_000} MB")
        elif line.strip():
            yield _parse_entry(line, location, language, zone)


def _parse_entry(
    line: bytes, location: str, language: str, zone: tzinfo
) -> Record | tuple[str, RecordError]:
    """Return the record of a line, or its location and error; no line stops an import."""
    try:
        return parse_record(line, location, language, zone)
    except RecordError as error:
        return location, error
    except Exception as error:
        return location, RecordError(describe_unexpected_error(error))


def parse_record(line: bytes, location: str, language: str, zone: tzinfo) -> Record:
    """Return the record of one line; raises RecordError."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"not JSON: {error}") from error
    if not isinstance(data, dict):
        raise RecordError("not a JSON object")
    texts = {name: text for name in TEXT_FIELDS if (text := _text(data, FIELDS[name].key))}
    for name in TEXT_FIELDS:
        if FIELDS[name].required and not texts.get(name, "").strip():
            raise RecordError(f"“{FIELDS[name].key}” is missing")
    texts["kind"] = _kind(data)
    lists = {name: _list(data, FIELDS[name].key) for name in NAME_FIELDS}
    if not lists["authors"] and _text(data, "author"):
        lists["authors"] = (_text(data, "author"),)
    texts["body"] = convert_body(texts["body"])
    published_at = _moment(data, "published_at", zone)
    return Record(
        location=location,
        draft=Draft(**({"language": language} | texts), **lists),  # type: ignore[arg-type]
        section=_text(data, "section") or DEFAULT_SECTION,
        size=len(line),
        external_id=_text(data, "id").replace("\0", "") or None,
        status=_status(data, published_at),
        published_at=published_at,
        updated_at=_moment(data, "updated_at", zone),
        picture=_local_path(data),
        unknown_keys=tuple(
            key[:MAX_KEY_LENGTH] for key in nsmallest(MAX_UNKNOWN_KEYS, data.keys() - ALL_KEYS)
        ),
    )


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool) and name == "id":
        return str(value)
    if not isinstance(value, str):
        raise RecordError(f"“{name}” must be a string")
    return value


def _list(data: dict[str, Any], name: str) -> tuple[str, ...]:
    value = data.get(name) or []
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise RecordError(f"“{name}” must be a list of strings")
    return tuple(value)


def _moment(data: dict[str, Any], name: str, zone: tzinfo) -> datetime | None:
    """Return a time in UTC; without an offset it is in `zone`, the earlier one if ambiguous."""
    text = _text(data, name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        moment = (moment.replace(tzinfo=zone) if moment.tzinfo is None else moment).astimezone(
            UTC
        )
    except (ValueError, OverflowError) as error:
        raise RecordError(f"“{name}” is not an RFC 3339 date and time: {text[:40]}") from error
    if not 1000 <= moment.year <= 9000:
        raise RecordError(f"“{name}” must be between the years 1000 and 9000: {text[:40]}")
    return moment


def _status(data: dict[str, Any], published_at: datetime | None) -> str:
    """Return the given status, or derive it from the date; public stories need a date."""
    status = _text(data, "status")
    if status and status not in ARTICLE_STATUSES:
        raise RecordError(f"“status” must be one of {', '.join(ARTICLE_STATUSES)}")
    if status in {"draft", "withdrawn"}:
        return status
    if published_at is None:
        if status:
            raise RecordError(f"a {status} story needs “published_at”")
        return "draft"
    return "scheduled" if published_at > datetime.now(UTC) else "published"


def _kind(data: dict[str, Any]) -> str:
    kind = _text(data, "kind") or DEFAULT_KIND
    if kind not in STORY_KINDS:
        raise RecordError(f"“kind” must be one of {', '.join(STORY_KINDS)}")
    return kind


def _local_path(data: dict[str, Any]) -> str:
    """Return the path of the lead picture, or "" if there is none."""
    text = _text(data, "lead_image")
    if text.startswith("file://"):
        return unquote(text.removeprefix("file://"))
    if "://" in text:
        raise RecordError("“lead_image” must be a local file. Download the picture first.")
    return text
