"""Log format of all processes: one line per event, safe from forged lines."""

from __future__ import annotations

import logging
import re
import sys
import time

FORMAT = "%(asctime)s.%(msecs)03dZ %(levelname)s [%(process)d] %(name)s: %(message)s"
MAX_LENGTH = 16_000  # characters of a record with its traceback
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class OneLineFormatter(logging.Formatter):
    """A formatter in UTC that escapes line breaks and control characters, also in tracebacks."""

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__(FORMAT, "%Y-%m-%dT%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line; the middle of a very long one is left out."""
        text = super().format(record)
        if len(text) > MAX_LENGTH:
            text = f"{text[: MAX_LENGTH // 2]} ... {text[-MAX_LENGTH // 2 :]}"
        return CONTROL.sub(lambda match: repr(match[0])[1:-1], text)


def configure_logging() -> None:
    """Log to standard error from level INFO on, unless logging is already configured."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLineFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("alembic").setLevel(logging.WARNING)
