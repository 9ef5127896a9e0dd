"""What gunicorn can do at most: one answer, kept as bytes, whatever is asked; no framework.

`CONSTANT_ANSWER` names a folder with the answer that it repeats: its bytes in `body`, its headers in `headers.json`.
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
    """Give the answer."""
    start_response("200 OK", _headers)
    return _body
