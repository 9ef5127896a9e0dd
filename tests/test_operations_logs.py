"""The log has one line for each event, whatever the event holds."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest

from spectator.operations.logs import OneLineFormatter
from tests.conftest import settings

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [A-Z]+ \[\d+\] [\w.]+: .*")
WEB_PROCESS = """
import logging
from spectator.cli.context import create_ready_app
create_ready_app()
create_ready_app()
logger = logging.getLogger("spectator.accounts")
logger.info("login: %r, from %s", "amina@news.example", "192.0.2.1")
"""


@pytest.mark.parametrize("evil", ["\n", "\r\n", "\x1b[2J", "\u2028", "\x85", "\x00"])
def test_every_log_record_is_a_single_line(evil: str) -> None:
    try:
        raise ValueError(f"two{evil}lines")
    except ValueError:
        error = sys.exc_info()
    record = logging.LogRecord(
        "a.b", logging.ERROR, "file", 1, f"one{evil}2026 ERROR forged", None, error
    )
    text = OneLineFormatter().format(record)
    assert len(text.splitlines()) == 1
    assert evil not in text
    assert LINE.fullmatch(text)
    assert "ValueError" in text


def test_a_very_long_record_keeps_its_beginning_and_end() -> None:
    message = f"first {'x' * 1_000_000} last"
    record = logging.LogRecord("a.b", logging.ERROR, "file", 1, message, None, None)
    text = OneLineFormatter().format(record)
    assert len(text) < 20_000 and "first" in text and text.endswith("last")


def test_a_web_process_logs_logins_with_time_and_level(fresh_data: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WEB_PROCESS],
        env=settings(fresh_data),
        cwd=Path(__file__).parents[1],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    [line] = [line for line in done.stderr.splitlines() if "amina" in line]
    assert LINE.fullmatch(line)
    assert " INFO " in line
