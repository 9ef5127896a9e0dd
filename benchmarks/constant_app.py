"""Upper bound of gunicorn's speed: a WSGI app that always returns the same bytes.

The folder named by CONSTANT_RESPONSE contains the response: `body` and `headers.json`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_folder = Path(os.environ["CONSTANT_RESPONSE"])
_body = [(_folder / "body").read_bytes()]
_headers = [(name, value) for name, value in json.loads((_folder / "headers.json").read_text())]


class ConstantApp:
    """An app with the attribute that gunicorn.conf.py wraps, as Flask's apps have it."""

    def wsgi_app(self, _environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        """Return the fixed response."""
        start_response("200 OK", _headers)
        return _body

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        return self.wsgi_app(environ, start_response)


app = ConstantApp()
