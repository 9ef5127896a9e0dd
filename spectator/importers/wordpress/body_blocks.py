"""The comments in a body: delimiters of blocks, `more`, `nextpage`; all others are dropped."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from spectator.importers.web_links import ADDRESS, link_paragraph
from spectator.importers.wordpress.body_context import Conversion
from spectator.importers.wordpress.footnotes import footnote_list

# A comment, and as a block's delimiter its name, attributes and whether it is empty.
_COMMENT = re.compile(r"<!--(?P<text>(?:(?!-->)[\s\S])*+)-->")
_DELIMITER = re.compile(
    r"\s*+(?P<end>/?)wp:(?P<name>[a-z][a-z0-9_-]*+(?:/[a-z][a-z0-9_-]*+)?)"
    r"(?P<attributes>(?:\s++\{[\s\S]*\})?+)\s*+(?P<empty>/?)\s*+"
)
_PAGE_BREAK = "nextpage"
# Blocks that show nothing of their own.
_SILENT = frozenset({"more", "nextpage", "spacer", "page-break", "separator"})
MAX_PATTERNS, MAX_PATTERN_SIZE = 20, 200_000
MAX_ATTRIBUTES = 100_000


class _Delimiter(NamedTuple):
    name: str
    attributes: str
    is_end: bool
    is_empty: bool


def is_block_body(body: str) -> bool:
    """Return whether a body is from the block editor, so that it has its own paragraphs."""
    return "<!-- wp:" in body


def convert_comments(body: str, conversion: Conversion) -> str:
    """Return a body without comments; blocks without HTML become links, lists or notes.

    A comment that never ends loses only its start, or half a story could disappear.
    """
    body = _insert_patterns(body, conversion)
    end = body.rfind("-->") + 3 if "-->" in body else 0
    out: list[str] = []
    at = 0
    previous: tuple[_Delimiter, str] | None = None  # an opening right before this position
    for match in _COMMENT.finditer(body, 0, end):
        text = body[at : match.start()]
        at = match.end()
        delimiter = _parse_delimiter(match["text"])
        out.append(text)
        if previous and delimiter and _is_hollow(previous[0], text, delimiter):
            out.append(_convert_empty(previous[0], previous[1], conversion))
        elif delimiter and delimiter.is_empty:
            out.append(_convert_empty(delimiter, match["text"], conversion))
        elif not delimiter:
            out.append(_convert_mark(match["text"], conversion))
        is_opening = delimiter and not delimiter.is_end and not delimiter.is_empty
        previous = (delimiter, match["text"]) if delimiter and is_opening else None
    return "".join(out) + body[at:].replace("<!--", "")


def _is_hollow(start: _Delimiter, text: str, end: _Delimiter) -> bool:
    """Return whether a block has nothing but attributes, or is a plugin's, so that it made HTML."""
    is_pair = end.is_end and start.name == end.name and not text.strip()
    return is_pair and bool(start.attributes or "/" in start.name)


def _parse_delimiter(comment: str) -> _Delimiter | None:
    match = _DELIMITER.fullmatch(comment)
    if not match:
        return None
    name = match["name"].removeprefix("core/")
    return _Delimiter(name, match["attributes"].strip(), bool(match["end"]), bool(match["empty"]))


def _attributes(delimiter: _Delimiter) -> dict[str, Any]:
    if len(delimiter.attributes) > MAX_ATTRIBUTES:
        return {}
    try:
        values = json.loads(delimiter.attributes or "{}")
    except (ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def _convert_mark(comment: str, conversion: Conversion) -> str:
    """Return what a comment that delimits no block stands for."""
    mark = comment.strip()
    if mark == _PAGE_BREAK:
        conversion.page_count += 1
        return "\n\n"
    if mark.startswith("more") and mark.removeprefix("more").strip():
        conversion.removed[f"<!--{mark}-->"] += 1
    return ""


def _convert_empty(delimiter: _Delimiter, comment: str, conversion: Conversion) -> str:
    """Return the HTML of a block that has none of its own."""
    name = delimiter.name
    if name == "footnotes":
        is_first = not conversion.converted[name]
        if html := footnote_list(conversion.context.footnotes) if is_first else "":
            conversion.converted[name] += 1
            return conversion.block(html)
    elif name == "embed" or name.startswith("core-embed/"):
        url = _attributes(delimiter).get("url")
        if isinstance(url, str) and ADDRESS.fullmatch(url):
            conversion.converted[name] += 1
            return conversion.block(link_paragraph(url))
    elif name in _SILENT:
        return ""
    source = comment.strip().removesuffix("/").strip()
    return f"\n\n{conversion.note(source)}\n\n"


def _insert_patterns(body: str, conversion: Conversion) -> str:
    """Return a body with the content of its reusable blocks, a limited number of them."""
    if "wp:block " not in body:
        return body
    room = MAX_PATTERNS

    def insert(match: re.Match[str]) -> str:
        nonlocal room
        content = conversion.context.pattern(int(match[1])) if room else None
        if content is None or len(content) > MAX_PATTERN_SIZE:
            return match[0]
        room -= 1
        conversion.converted["block"] += 1
        return content

    return re.sub(r"<!-- wp:block \{\"ref\":([0-9]{1,18})[^{}]{0,200}\} /-->", insert, body)
