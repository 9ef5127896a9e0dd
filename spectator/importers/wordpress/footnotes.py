"""Footnotes of the block editor: their texts are a meta value, their marks are in the body."""

from __future__ import annotations

import json
import re
from html import escape

MAX_FOOTNOTES = 1000
_ID = re.compile(r"[\w-]{1,80}", re.ASCII)


def read_footnotes(text: str) -> list[tuple[str, str]]:
    """Return (id, HTML) of each footnote in a meta value, none if it cannot be read."""
    try:
        rows = json.loads(text or "[]")
    except (ValueError, RecursionError):
        return []
    footnotes = []
    for row in rows[:MAX_FOOTNOTES] if isinstance(rows, list) else []:
        if isinstance(row, dict):
            number, content = row.get("id"), row.get("content")
            if isinstance(number, str) and isinstance(content, str) and _ID.fullmatch(number):
                footnotes.append((number, content))
    return footnotes


def footnote_id(number: str) -> str:
    """Return the element id of a footnote: the site keeps no id that starts with a digit."""
    return f"fn-{number}"


def footnote_list(text: str) -> str:
    """Return the list of a post's footnotes, each with a link back to its mark; "" without any."""
    items = [
        f'<li id="{escape(footnote_id(number))}">{content}'
        f' <a href="#{escape(footnote_id(number))}-link">↩︎</a></li>'
        for number, content in read_footnotes(text)
    ]
    return f"<ol>{''.join(items)}</ol>" if items else ""
