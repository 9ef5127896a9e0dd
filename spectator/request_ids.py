"""Ids of requests, which connect the lines of several logs.

The proxy gives a request its id; if it gives none, the site does. Log lines, rows of the outbox and
the worker's lines about these rows repeat it. An id that a client has chosen is never used.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HEADER = "X-Request-ID"
MAX_LENGTH = 64
MAX_CAUSES = 5  # ids in a line about several requests
_ENVIRON_KEY = "spectator.request_id"
_PATTERN = re.compile(rf"[A-Za-z0-9_-]{{16,{MAX_LENGTH}}}")
# The environment of the request and whether its header counts, or the ids of causing requests.
_current: ContextVar[tuple[WSGIEnvironment, bool] | str] = ContextVar("request", default="")


class RequestIds:
    """WSGI middleware that makes the id of a request available to everything that it calls."""

    def __init__(self, app: WSGIApplication, is_behind_proxy: bool) -> None:
        self.app = app
        self.is_behind_proxy = is_behind_proxy

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Call the application. The id is read or created when something first needs it."""
        token = _current.set((environ, self.is_behind_proxy))
        try:
            return self.app(environ, start_response)
        finally:
            _current.reset(token)


def current_id() -> str:
    """Return the id of the current request, or of those that caused the current work, or ""."""
    request = _current.get()
    if isinstance(request, str):
        return request
    environ, is_behind_proxy = request
    if _ENVIRON_KEY not in environ:
        sent = environ.get("HTTP_X_REQUEST_ID", "") if is_behind_proxy else ""
        environ[_ENVIRON_KEY] = sent if _PATTERN.fullmatch(sent) else secrets.token_hex(16)
    return str(environ[_ENVIRON_KEY])


@contextmanager
def caused_by(ids: Iterable[str]) -> Iterator[None]:
    """Let log lines inside repeat the ids of the requests that caused the work."""
    token = _current.set(",".join(list(ids)[:MAX_CAUSES]))
    try:
        yield
    finally:
        _current.reset(token)
