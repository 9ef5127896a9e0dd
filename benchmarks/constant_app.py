"""Upper bound of gunicorn's speed: the site, but it always returns the same bytes.

The folder named by CONSTANT_RESPONSE contains the response: `body` and `headers.json`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from spectator.cli.context import create_ready_app

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_folder = Path(os.environ["CONSTANT_RESPONSE"])
_body = [(_folder / "body").read_bytes()]
_headers = [(name, value) for name, value in json.loads((_folder / "headers.json").read_text())]


def respond(_environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    """Return the fixed response."""
    start_response("200 OK", _headers)
    return _body


app = create_ready_app()
app.wsgi_app = respond  # type: ignore[method-assign]
