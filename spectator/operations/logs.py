"""What every process writes to its log: one line an event, with time, level and process, and no forged line."""

from __future__ import annotations

import logging
import re
import sys
import time

FORMAT = "%(asctime)s.%(msecs)03dZ %(levelname)s [%(process)d] %(name)s: %(message)s"
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class OneLineFormatter(logging.Formatter):
    """A formatter in UTC that escapes line breaks and control characters, those of a traceback too."""

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__(FORMAT, "%Y-%m-%dT%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        return CONTROL.sub(lambda match: repr(match[0])[1:-1], super().format(record))


def configure_logging() -> None:
    """Send what this process logs to standard error, from level INFO, unless somebody has set its log up already."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLineFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("alembic").setLevel(logging.WARNING)
