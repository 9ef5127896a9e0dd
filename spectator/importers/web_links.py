"""Addresses that stand alone in a text, for which other systems showed players and cards: links."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape, unescape

from spectator.text.html.blocks import exact_tokens
from spectator.text.html.editor_notes import EDITOR_NOTE
from spectator.text.html.tokenizer import BREAKS, Tag

ADDRESS = re.compile(r"https?://[^\s<>\"'\[\]\x00]+", re.IGNORECASE)
# The pages of what some embeds name only by an id.
_PAGES = {
    "youtube": "https://www.youtube.com/watch?v={}",
    "embedyt": "https://www.youtube.com/watch?v={}",
    "vimeo": "https://vimeo.com/{}",
    "dailymotion": "https://www.dailymotion.com/video/{}",
    "tweet": "https://twitter.com/i/web/status/{}",
}
_ID = re.compile(r"[A-Za-z0-9_-]{6,24}", re.ASCII)
_TAGS_WITHOUT_LINKS = frozenset(
    {"a", "pre", "code", "script", "style", "textarea", "title", EDITOR_NOTE}
)


def link_paragraph(url: str) -> str:
    """Return the paragraph of a link that stood alone."""
    address = escape(url)
    return f'<p><a href="{address}">{address}</a></p>'


def embed_url(name: str, values: Iterable[str], content: str) -> tuple[str, str]:
    """Return the address of what an embed shows, "" if it does not say, and its other content."""
    candidates, text = [unescape(value) for value in values], unescape(content).strip()
    if address := ADDRESS.search(text):
        rest = content.replace(escape(address[0], quote=False), "", 1)
        rest = rest.replace(address[0], "", 1) if rest == content else rest
        return address[0], rest.strip()
    for value in candidates:
        if address := ADDRESS.match(value):
            return address[0], content.strip()
    if name in _PAGES:
        for value in (text, *candidates):
            if _ID.fullmatch(value):
                return _PAGES[name].format(value), "" if value == text else content.strip()
    return "", content


def link_addresses(body: str) -> str:
    """Return a body in which every URL alone on a line or in a block is a link."""
    if "://" not in body:
        return body
    tokens = list(exact_tokens(body))
    unlinked: list[str] = []  # open elements in which no link may be added
    out = []
    for index, token in enumerate(tokens):
        if isinstance(token, Tag):
            if token.name in _TAGS_WITHOUT_LINKS and not token.is_end:
                unlinked.append(token.name)
            elif unlinked and token.name == unlinked[-1]:
                unlinked.pop()
            out.append(token.raw)
        elif unlinked or "://" not in token:
            out.append(token)
        else:
            out.append(
                _link_lines(
                    token,
                    begins_line=_is_edge(tokens, index - 1),
                    ends_line=_is_edge(tokens, index + 1),
                )
            )
    return "".join(out)


def _link_lines(text: str, *, begins_line: bool, ends_line: bool) -> str:
    lines = text.split("\n")
    for number, line in enumerate(lines):
        is_whole = (number > 0 or begins_line) and (number < len(lines) - 1 or ends_line)
        address = line.strip()
        if is_whole and ADDRESS.fullmatch(address):
            lines[number] = line.replace(address, f'<a href="{address}">{address}</a>')
    return "\n".join(lines)


def _is_edge(tokens: list[str | Tag], index: int) -> bool:
    """Return whether a line ends at this index: at a tag that breaks lines, or outside the body.

    A paragraph ends at a tag in BREAKS; only a line ends at "br" and the cells of tables.
    """
    if not 0 <= index < len(tokens):
        return True
    token = tokens[index]
    return isinstance(token, Tag) and (token.name in BREAKS or token.name in {"br", "td", "th"})
