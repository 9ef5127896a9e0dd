"""The values of an exported site, checked one by one: its files may come from anybody."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Integer, String, Text

from spectator.db import UTCDateTime
from spectator.formats import tag_problem
from spectator.media import FILE_TYPES, is_picture_path
from spectator.publishing.fields import FIELDS, MAX_BODY_BYTES
from spectator.publishing.page_drafts import PAGE_FIELDS
from spectator.publishing.validation import body_size_problem, clean_line, is_http_url
from spectator.queries.site_tables import (
    IDS_BY_KIND,
    exported_columns,
    key_of,
    table_of,
    target_of,
)
from spectator.text.html.sanitizer import clean_html
from spectator.text.words.normalization import normalize_text
from spectator.text.words.slugs import is_slug

MAX_INTEGER = 2**31 - 1
MAX_DEPTH = 6  # of JSON in a column
_CONTENT_KEYS = {*FIELDS, *PAGE_FIELDS, "notes", "path", "month"}


class InvalidValue(ValueError):
    """A value is not valid; the argument is its name."""


def clean_row(table_name: str, document: Any, owner: str = "", owner_id: Any = None) -> Any:
    """Return a row by column from a document of an export. Raises InvalidValue.

    Columns that the document does not have get their default. Foreign keys stay natural keys.
    """
    if not isinstance(document, dict):
        raise InvalidValue(table_name)
    row: dict[str, Any] = {owner: owner_id} if owner else {}
    for column in exported_columns(table_name, owner):
        key = key_of(column)
        is_code = key == IDS_BY_KIND.get(table_name) and document.get("kind") == "country"
        value = document.get(key)
        row[column.name] = _line(key, value, 2) if is_code else clean_value(column, key, value)
    for column in table_of(table_name).c:
        default = column.default
        is_missing = column.name not in row and default is not None and default.is_scalar
        if is_missing:
            row[column.name] = default.arg  # type: ignore[union-attr]
    return row


def clean_value(column: Column[Any], key: str, value: Any) -> Any:
    """Return a valid value of a column. Raises InvalidValue."""
    if value is None:
        if column.nullable:
            return None
        raise InvalidValue(key)
    if target_of(column):
        return _line(key, value, 250)
    check = _CHECKS.get(key)
    if check is not None and isinstance(value, str):
        return check(value)
    return _value_of_type(column, key, value)


def _value_of_type(column: Column[Any], key: str, value: Any) -> Any:
    kind = column.type
    if isinstance(kind, UTCDateTime):
        return _moment(key, value)
    if isinstance(kind, Boolean):
        if not isinstance(value, bool):
            raise InvalidValue(key)
        return value
    if isinstance(kind, Integer):
        return _integer(key, value)
    if isinstance(kind, JSON):
        return _json(key, value)
    if isinstance(kind, String) and not isinstance(kind, Text):
        return _line(key, value, kind.length or 250)
    if not isinstance(value, str) or len(value.encode("utf-8", "replace")) > MAX_BODY_BYTES:
        raise InvalidValue(key)
    return normalize_text(value)


def _line(key: str, value: Any, limit: int) -> str:
    if not isinstance(value, str) or len(value) > limit:
        raise InvalidValue(key)
    return clean_line(value)


def _integer(key: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_INTEGER:
        raise InvalidValue(key)
    return value


def _moment(key: str, value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
        moment.timestamp()
    except (TypeError, ValueError, OverflowError):
        raise InvalidValue(key) from None
    if moment.tzinfo is None:
        raise InvalidValue(key)
    return moment


def _json(key: str, value: Any, depth: int = 0) -> Any:
    """Return JSON with clean texts; the content of a revision has only the fields of a draft."""
    if depth > MAX_DEPTH:
        raise InvalidValue(key)
    if isinstance(value, dict):
        names = set(value) & _CONTENT_KEYS if key == "content" and not depth else set(value)
        return {
            normalize_text(name): _body(item)
            if name == "body" and isinstance(item, str) and key == "content"
            else _json(key, item, depth + 1)
            for name, item in value.items()
            if name in names
        }
    if isinstance(value, list):
        return [_json(key, item, depth + 1) for item in value]
    return normalize_text(value) if isinstance(value, str) else value


def _body(value: str) -> str:
    if body_size_problem(value):
        raise InvalidValue("body")
    return clean_html(value)


def _require(key: str, is_valid: Callable[[str], bool]) -> Callable[[str], str]:
    """Return a check that refuses an export with another value."""

    def check(value: str) -> str:
        if not is_valid(value):
            raise InvalidValue(key)
        return value

    return check


def _matches(pattern: str) -> Callable[[str], bool]:
    return lambda value: re.fullmatch(pattern, value, re.ASCII) is not None


def is_page_path(value: str) -> bool:
    """Return whether a value is the path of a standing page: its slug, or below a parent."""
    return value.count("/") <= 1 and all(map(is_slug, value.split("/")))


def _drop(is_valid: Callable[[str], bool]) -> Callable[[str], str]:
    """Return a check that leaves a value out if it is not valid."""
    return lambda value: value if is_valid(value) else ""


_SLUG_LENGTH = 250
_CHECKS: Mapping[str, Callable[[str], str]] = {
    "body": _body,
    "slug": _require("slug", lambda value: is_slug(value) and len(value) <= _SLUG_LENGTH),
    "path": _require("path", is_page_path),
    "digest": _require("digest", _matches("[0-9a-f]{32}")),
    "extension": _require("extension", _matches("|".join(("jpg", "png", *FILE_TYPES)))),
    "email": _require("email", _matches(r"[^\s@<>]{1,120}@[^\s@<>]{1,120}")),
    "language": _require("language", lambda value: value == "" or not tag_problem(value)),
    "source_url": _drop(is_http_url),
    "share_picture": _drop(is_picture_path),
}
