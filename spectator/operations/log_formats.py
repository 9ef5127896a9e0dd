"""The two formats of log lines. `gunicorn.conf.py` loads this file alone, so it imports no others.

Both write one line for each event, safe from forged lines, with the time in UTC and the id of the
request, if there is one.
"""

from __future__ import annotations

import json
import logging
import re
import time

FORMAT = "%(asctime)s.%(msecs)03dZ %(levelname)s [%(process)d]%(tag)s %(name)s: %(message)s"
TIME_FORMAT = "%Y-%m-%dT%H:%M:%S"
MAX_LENGTH = 16_000  # characters of a message, and of a traceback
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def shorten(text: str) -> str:
    """Return a text without its middle if it is very long."""
    if len(text) <= MAX_LENGTH:
        return text
    return f"{text[: MAX_LENGTH // 2]} ... {text[-MAX_LENGTH // 2 :]}"


class OneLineFormatter(logging.Formatter):
    """A formatter in UTC that escapes line breaks and control characters, also in tracebacks."""

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__(FORMAT, TIME_FORMAT)

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line; the middle of a very long one is left out."""
        request_id = getattr(record, "request_id", "")
        record.tag = f" [{request_id}]" if request_id else ""
        text = shorten(super().format(record))
        return CONTROL.sub(lambda match: repr(match[0])[1:-1], text)


class JSONFormatter(logging.Formatter):
    """A formatter that writes a JSON object on one line, in ASCII."""

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__(datefmt=TIME_FORMAT)

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line; the middle of very long texts is left out."""
        entry = {
            "time": f"{self.formatTime(record, self.datefmt)}.{int(record.msecs):03d}Z",
            "level": record.levelname,
            "process": record.process,
            "logger": record.name,
            "message": shorten(record.getMessage()),
        }
        if request_id := getattr(record, "request_id", ""):
            entry["request_id"] = request_id
        if record.exc_info:
            entry["traceback"] = shorten(self.formatException(record.exc_info))
        return json.dumps(entry)


FORMATTERS: dict[str, type[logging.Formatter]] = {"text": OneLineFormatter, "json": JSONFormatter}


def create_formatter(name: str) -> logging.Formatter:
    """Return the formatter with this name; text for an unknown one, which stops the start later."""
    return FORMATTERS.get(name, OneLineFormatter)()
