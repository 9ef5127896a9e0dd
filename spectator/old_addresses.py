"""Addresses that stories and lists had on an older site: their stored form, and which URLs have it.

The stored form is the decoded path in lower case, without the slash at its end, and the part of the
query that names a page: `/2024/05/rains`, `/?p=7`, `/story.php?id=12`. The shapes are those of
WordPress (developer.wordpress.org, `WP_Query` and “Using Permalinks”) and of many others.
deploy/nginx-shared.conf repeats `FRONT_QUERY`.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from spectator.text.words.normalization import normalize_text

MAX_URL_LENGTH = 3000
MAX_LENGTH = 500  # characters of a stored address
MAX_QUERY_FIELDS = 20
# U+FFFD stands for a byte that is not UTF-8, such as a quotation mark in a Windows encoding.
TRAILING_JUNK = (
    " \t\n\r\u00a0\u200b\u200e\u200f\ufeff\ufffd/\\.,;:!?()[]{}<>|*_~-\"'`´“”„‘’‚«»‹›…–—،؛؟"
)
# Parameters of the front page by which WordPress names a post, a term, an author, a month, a feed
# or a search.
FRONT_QUERY = re.compile(
    "(?:^|&)(?:(?:p|page_id|attachment_id|cat|author|m|paged)=[0-9]{1,12}(?:&|$)"
    "|(?:s|tag|feed|author_name|category_name)=)"
)
FRONT_PATH = re.compile("/(?:[a-z]{2,3}/)?")
# WordPress numbers posts, pages and attachments together, so each name leads to all of them.
_NUMBERS = {"p": "p", "page_id": "p", "attachment_id": "p", "cat": "cat", "author": "author"}
_NAMES = ("tag", "category_name", "author_name")
_IGNORED_FIELD = re.compile("utm_.*|.*clid|amp|feed|paged?|replytocom|share|preview|nb")
_SUFFIX = re.compile(
    "/(?:(feed(?:/(?:rss2?|atom|rdf))?|rss|atom)"
    "|amp|embed|trackback|print|comment-page-[0-9]{1,4}|page/[0-9]{1,5}|[0-9]{1,3})$"
)
_PICTURE = re.compile(
    r"(?P<name>.+?)(?:-e[0-9]{10,13})?(?:-(?:[0-9]{1,5}x[0-9]{1,5}|scaled|rotated))+"
    r"(?P<extension>\.[a-z0-9]{2,5})"
)


class Spelling(NamedTuple):
    """A stored form that a URL may have. `is_feed`: the URL is that of the page's feed."""

    address: str
    is_feed: bool = False


def normalize_path(path: str) -> str:
    """Return a path in lower case, without doubled slashes and trailing punctuation."""
    if "%" in path:
        path = unquote(path)  # encoded twice
    return re.sub(r"/{2,}", "/", path.lower()).rstrip(TRAILING_JUNK)


def may_be_old(path: str, query: str) -> bool:
    """Return whether the front page is requested with a query that names a page of an older site.

    Both are as the server got them, and the query is not empty.
    """
    return FRONT_PATH.fullmatch(path) is not None and FRONT_QUERY.search(query) is not None


def normalize_address(url: str) -> str:
    """Return the stored form of a URL or path, "" if it cannot be an old address.

    The front page is none.
    """
    if len(url) > MAX_URL_LENGTH:
        return ""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    is_path = not parts.scheme and url.lstrip().startswith("/")
    if not is_path and parts.scheme not in {"http", "https"}:
        return ""
    entries = spellings(unquote(parts.path), parts.query)
    return entries[0].address if entries else ""


def spellings(path: str, query: str) -> list[Spelling]:
    """Return the stored forms that a request may have, the most exact first.

    `path` is decoded, `query` is not. Then come those of the page of which it is the feed, a
    further page or a special view, and of the picture of which it is a smaller copy. There is none
    for the front page.
    """
    base, fields = _without_index(normalize_path(path)), parse_query(query)
    is_feed = "feed" in fields
    forms = [f"{base or '/'}?{field}" for field in _named_pages(fields)]
    if base:
        rest = _other_fields(fields)
        forms += [f"{base}?{rest}", base] if rest else [base]
    if picture := _PICTURE.fullmatch(base):
        forms += [f"{picture['name']}{end}{picture['extension']}" for end in ("", "-scaled")]
    entries = [Spelling(normalize_text(form), is_feed) for form in forms]
    suffix = _SUFFIX.search(base)
    if suffix and suffix.start():
        page = normalize_text(base[: suffix.start()])
        entries.append(Spelling(page, is_feed or suffix[1] is not None))
    return [entry for entry in dict.fromkeys(entries) if len(entry.address) <= MAX_LENGTH]


def parse_query(query: str) -> dict[str, str]:
    """Return the first fields of a query by name in lower case; of equal names the first value."""
    fields: dict[str, str] = {}
    for pair in query.split("&")[:MAX_QUERY_FIELDS]:
        for name, value in parse_qsl(pair, keep_blank_values=True, errors="replace"):
            fields.setdefault(name.lower(), value.strip())
    return fields


def is_named_page(query: str) -> bool:
    """Return whether a query names a post, page, term or author of WordPress."""
    return bool(_named_pages(parse_query(query)))


def _without_index(path: str) -> str:
    """Return a path without the `/index.php` that servers without rewriting need before it."""
    return path.removeprefix("/index.php") if path.startswith("/index.php") else path


def _named_pages(fields: dict[str, str]) -> list[str]:
    """Return the parameter that names a page of WordPress, as it is stored; a list of 0 or 1."""
    for name, stored_name in _NUMBERS.items():
        if re.fullmatch("[0-9]{1,12}", fields.get(name, "")):
            return [f"{stored_name}={int(fields[name])}"]
    for name in _NAMES:
        if value := fields.get(name):
            return [f"{name}={value.lower()}"]
    return []


def _other_fields(fields: dict[str, str]) -> str:
    """Return the parameters that may name a page of another system, in a fixed order."""
    pairs = [
        f"{name}={value.lower()}"
        for name, value in sorted(fields.items())
        if not _IGNORED_FIELD.fullmatch(name)
    ]
    return "&".join(pairs)
