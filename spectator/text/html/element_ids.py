"""Ids of elements, which must be unique on a page."""

from __future__ import annotations

import re

from spectator.text.html.tokenizer import tokens

_ID = re.compile(r'\sid="[^"]*"')


def without_ids(html: str) -> str:
    """Return clean HTML without ids, to show it on a page that has other elements with ids."""
    return "".join(
        token if isinstance(token, str) else _ID.sub("", token.raw) for token in tokens(html)
    )
