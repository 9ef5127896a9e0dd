"""JSON lines: one story per line, in the format that docs/operations.md describes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from heapq import nsmallest
from typing import IO, Any
from urllib.parse import unquote

from spectator.i18n import gettext
from spectator.importers.bodies import convert_body
from spectator.importers.records import Record, RecordError, describe_unexpected_error
from spectator.models import ARTICLE_STATUSES, DEFAULT_STORY_KIND, STORY_KINDS
from spectator.publishing import Draft
from spectator.publishing.fields import FIELDS, NAME_FIELDS, names_of

MAX_LINE_BYTES = 4_000_000
MAX_UNKNOWN_KEYS, MAX_KEY_LENGTH = 101, 40  # of one line, to be reported
DEFAULT_SECTION = "politics"
TEXT_FIELDS = names_of("line", "body", "language", "slug", "story")
ID_KEYS = {"id", "translation_of"}  # which may be numbers
OTHER_KEYS = {"id", "author", "published_at", "updated_at", "status", "addresses"}
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
        location = gettext("line %(number)s", number=number)
        if len(line) > MAX_LINE_BYTES:
            while line and not line.endswith(b"\n"):
                line = file.readline(MAX_LINE_BYTES)
            yield (
                location,
                RecordError(gettext("longer than %(limit)s MB", limit=MAX_LINE_BYTES // 1000000)),
            )
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
        raise RecordError(gettext("not JSON: %(error)s", error=error)) from error
    if not isinstance(data, dict):
        raise RecordError(gettext("not a JSON object"))
    texts = {name: text for name in TEXT_FIELDS if (text := _text(data, FIELDS[name].key))}
    for name in TEXT_FIELDS:
        if FIELDS[name].required and not texts.get(name, "").strip():
            raise RecordError(gettext("“%(name)s” is missing", name=FIELDS[name].key))
    texts["kind"] = _kind(data)
    lists = {name: _list(data, FIELDS[name].key) for name in NAME_FIELDS}
    if not lists["authors"] and _text(data, "author"):
        lists["authors"] = (_text(data, "author"),)
    changes: list[str] = []
    texts["body"] = convert_body(texts["body"], changes)
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
        addresses=_list(data, "addresses"),
        unknown_keys=_unknown_keys(data),
        changes=tuple(changes),
    )


def _unknown_keys(data: dict[str, Any]) -> tuple[str, ...]:
    keys = nsmallest(MAX_UNKNOWN_KEYS, data.keys() - ALL_KEYS)
    return tuple(key[:MAX_KEY_LENGTH] for key in keys)


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool) and name in ID_KEYS:
        return str(value)
    if not isinstance(value, str):
        raise RecordError(gettext("“%(name)s” must be a string", name=name))
    return value


def _list(data: dict[str, Any], name: str) -> tuple[str, ...]:
    value = data.get(name) or []
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise RecordError(gettext("“%(name)s” must be a list of strings", name=name))
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
        raise RecordError(
            gettext(
                "“%(name)s” is not an RFC 3339 date and time: %(text)s", name=name, text=text[:40]
            )
        ) from error
    if not 1000 <= moment.year <= 9000:
        raise RecordError(
            gettext(
                "“%(name)s” must be between the years 1000 and 9000: %(text)s",
                name=name,
                text=text[:40],
            )
        )
    return moment


def _status(data: dict[str, Any], published_at: datetime | None) -> str:
    """Return the given status, or derive it from the date; public stories need a date."""
    status = _text(data, "status")
    if status and status not in ARTICLE_STATUSES:
        raise RecordError(
            gettext(
                "“status” must be one of %(values)s",
                values=", ".join(ARTICLE_STATUSES),
            )
        )
    if status in {"draft", "withdrawn"}:
        return status
    if published_at is None:
        if status:
            raise RecordError(gettext("a %(status)s story needs “published_at”", status=status))
        return "draft"
    return "scheduled" if published_at > datetime.now(UTC) else "published"


def _kind(data: dict[str, Any]) -> str:
    kind = _text(data, "kind") or DEFAULT_STORY_KIND
    if kind not in STORY_KINDS:
        raise RecordError(
            gettext("“kind” must be one of %(values)s", values=", ".join(STORY_KINDS))
        )
    return kind


def _local_path(data: dict[str, Any]) -> str:
    """Return the path of the lead picture, or "" if there is none."""
    text = _text(data, "lead_image")
    if text.startswith("file://"):
        return unquote(text.removeprefix("file://"))
    if "://" in text:
        raise RecordError(
            gettext("“lead_image” must be a local file. Download the picture first.")
        )
    return text
