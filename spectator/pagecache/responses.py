"""Complete responses of the application, before the cache changes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from werkzeug.datastructures import Headers

from spectator.pagecache.compression import accepts_gzip, gzip_bytes, is_compressible
from spectator.pagecache.keys import SURROGATE_KEY

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


@dataclass(slots=True)
class RenderedResponse:
    """A complete response of the application; without a surrogate key it must not be stored."""

    status: str
    headers: Headers
    body: bytes
    surrogate_key: str | None

    @property
    def is_cacheable(self) -> bool:
        """Whether the response may be stored: its view allows it, and it sets no cookie."""
        return self.surrogate_key is not None and "Set-Cookie" not in self.headers

    def compress_for(self, accept_encoding: str) -> None:
        """Compress the response with gzip if it is text and the client accepts gzip."""
        mimetype = self.headers.get("Content-Type", "").partition(";")[0]
        is_plain = "Content-Encoding" not in self.headers and is_compressible(mimetype, self.body)
        if is_plain and accepts_gzip(accept_encoding):
            self.body = gzip_bytes(self.body)
            self.headers["Content-Length"] = str(len(self.body))
            self.headers["Content-Encoding"] = "gzip"


def render_response(app: WSGIApplication, environ: WSGIEnvironment) -> RenderedResponse:
    """Call the application and return its whole response."""
    response = RenderedResponse("", Headers(), b"", None)

    def start_response(
        status: str, headers: list[tuple[str, str]], _exc_info: object = None
    ) -> object:
        response.status, response.headers = status, Headers(headers)
        response.surrogate_key = response.headers.pop(SURROGATE_KEY, None)
        return None

    chunks = app(environ, start_response)  # type: ignore[arg-type]
    try:
        response.body = b"".join(chunks)
    finally:
        if hasattr(chunks, "close"):
            chunks.close()
    return response


def strip_surrogate_key(start_response: StartResponse) -> StartResponse:
    """Return a `start_response` that drops the Surrogate-Key header."""

    def start(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> object:
        public_headers = [(name, text) for name, text in headers if name != SURROGATE_KEY]
        return start_response(status, public_headers, exc_info)  # type: ignore[arg-type]

    return start  # type: ignore[return-value]
