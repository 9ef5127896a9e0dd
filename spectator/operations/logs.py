"""Logging of all processes: to standard error, in the format of `SPECTATOR_LOG_FORMAT`."""

from __future__ import annotations

import logging
import sys
from typing import Any

from spectator import request_ids
from spectator.operations.log_formats import FORMATTERS, create_formatter


def make_record(*args: Any, **kwargs: Any) -> logging.LogRecord:
    """Return a log record with the id of the current request."""
    record = logging.LogRecord(*args, **kwargs)
    record.request_id = request_ids.current_id()
    return record


def configure_logging(name: str = "text") -> None:
    """Log to standard error from level INFO on; another call changes the format.

    Handlers that somebody else has configured stay as they are.
    """
    logging.setLogRecordFactory(make_record)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(create_formatter(name))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for existing in logging.getLogger().handlers:
        if isinstance(existing.formatter, tuple(FORMATTERS.values())):
            existing.setFormatter(create_formatter(name))
    logging.getLogger("alembic").setLevel(logging.WARNING)
