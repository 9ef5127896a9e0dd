"""What this site answers at an address, asked in this process without a server."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from flask import current_app
from werkzeug.test import Client

SAFE = "/~!$&'()*+,;=:@"


class Answer(NamedTuple):
    """A status, and the path or URL to which a redirect leads ("" without one)."""

    status: int
    location: str = ""


def site_path(url: str) -> str:
    """Return the path and query of a URL or path, percent-encoded; raises ValueError."""
    parts = urlsplit(url.strip())
    path = quote(unquote(parts.path), SAFE)
    return f"/{path.lstrip('/')}" + (f"?{parts.query}" if parts.query else "")


def ask_site(path: str) -> Answer:
    """Return the answer to a HEAD request for a path with its query, as `site_path` returns it.

    It comes from the application itself: no cache answers, and no log or count notices.
    """
    raw_path, _, query = path.partition("?")
    client = Client(current_app.extensions["page_cache"].app)
    with client.head(
        raw_path, base_url=current_app.config["SITE_URL"], query_string=query
    ) as response:
        return Answer(response.status_code, response.location or "")
