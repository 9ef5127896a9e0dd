"""The most that gunicorn can serve: the same bytes for every request, without a framework.

The folder that `CONSTANT_ANSWER` names holds the response: its bytes in `body`, its headers in
`headers.json`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_folder = Path(os.environ["CONSTANT_ANSWER"])
_body = [(_folder / "body").read_bytes()]
_headers = [(name, value) for name, value in json.loads((_folder / "headers.json").read_text())]


def app(_environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    """Return the fixed response."""
    start_response("200 OK", _headers)
    return _body
