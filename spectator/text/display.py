"""From the stored body to the one that readers get: no foreign frames, films or pictures, tables that scroll."""

from __future__ import annotations

import re
from html import escape, unescape
from urllib.parse import urlsplit

ATTRIBUTES = r"""((?:[^>"]|"[^"]*")*)"""
PART = re.compile(
    rf"<(iframe|video|audio)\b{ATTRIBUTES}>(.*?)</\1>|<(img|table)\b{ATTRIBUTES}>|</(table)>|<(/?)a\b{ATTRIBUTES}>",
    re.DOTALL,
)
ATTRIBUTE = re.compile(r'([a-z]+)="([^"]*)"')
TAG = re.compile(r"<[^>]*>")
NAMES = {"iframe": "Embedded page", "video": "Video", "audio": "Sound", "img": "Picture"}
TABLE = '<div class="table" role="region" tabindex="0" aria-label="Table"><table'


def displayed_body(html: str) -> str:
    """Return a stored body as readers get it; everything but the following stays byte for byte.

    A frame, and a film, sound or picture of another site, becomes a link that says where it leads, so that no
    reader's page asks a third party. Pictures of ours load when they come near. Tables scroll sideways by themselves.
    `html` is output of `clean_html`: attributes are in double quotes and every element is closed.
    """
    open_links = 0

    def shown(match: re.Match[str]) -> str:
        nonlocal open_links
        media, media_attributes, inside, single, attributes, table_end, slash, _link = match.groups()
        if slash is not None:
            open_links = 0 if slash else 1
            return match[0]
        if table_end:
            return "</table></div>"
        if single == "table":
            return f"{TABLE}{attributes}>"
        if single == "img":
            source = _attributes(attributes).get("src", "")
            return f'<img{attributes} loading="lazy">' if is_ours(source) else _card("img", attributes, "", open_links)
        source = _attributes(media_attributes).get("src") or _first_source(inside)
        if media != "iframe" and is_ours(source):
            return match[0]
        return _card(media, media_attributes, inside, open_links)

    return PART.sub(shown, html)


def is_ours(address: str) -> bool:
    """Say whether an address is a path on this site."""
    return address.startswith("/") and not address.startswith("//")


def _attributes(text: str) -> dict[str, str]:
    return {name: unescape(value) for name, value in ATTRIBUTE.findall(text)}


def _first_source(inside: str) -> str:
    match = re.search(rf"<source\b{ATTRIBUTES}>", inside)
    return _attributes(match[1]).get("src", "") if match else ""


def _card(kind: str, attributes: str, inside: str, is_in_link: int) -> str:
    """Return a link to what is not shown, or, inside another link or without an address, its words alone."""
    given = _attributes(attributes)
    address = given.get("src") or _first_source(inside)
    address = f"https:{address}" if address.startswith("//") else address
    words = given.get("title") or given.get("alt") or ("" if kind == "iframe" else TAG.sub("", inside).strip())
    try:
        parts = urlsplit(address)
        host = parts.hostname if parts.scheme in {"http", "https"} else None
    except ValueError:
        host = None
    if host is None and not (is_ours(address) and kind == "iframe"):
        return escape(unescape(words))
    label = escape(f"{NAMES[kind]}: {unescape(words) or 'open'} ({host or 'this site'})")
    if is_in_link:
        return f'<span class="embed">{label}</span>'
    return f'<a class="embed" href="{escape(address)}" rel="noopener nofollow">{label}</a>'
