"""The log has one line for each event, whatever the event holds."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest

from spectator.operations.log_formats import JSONFormatter, OneLineFormatter, create_formatter
from spectator.operations.logs import configure_logging
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


@pytest.mark.parametrize("evil", ["\n", "\x1b[2J", "\u2028", '"}', "\ud800", "ምርጫ"])
def test_a_json_line_holds_the_record_whatever_the_event_holds(evil: str) -> None:
    try:
        raise ValueError(f"two{evil}lines")
    except ValueError:
        error = sys.exc_info()
    record = logging.LogRecord("a.b", logging.ERROR, "file", 1, "%s!", (evil,), error)
    record.created, record.msecs, record.request_id = 1_795_000_000.25, 250.0, "f" * 32
    text = JSONFormatter().format(record)
    assert text.isascii() and len(text.splitlines()) == 1
    entry = json.loads(text)
    assert (entry["time"], entry["level"]) == ("2026-11-18T11:06:40.250Z", "ERROR")
    assert (entry["logger"], entry["message"], entry["request_id"]) == (
        "a.b",
        evil + "!",
        "f" * 32,
    )
    assert entry["traceback"].endswith(f"ValueError: two{evil}lines")
    record = logging.LogRecord("a.b", logging.INFO, "file", 1, "x" * 1_000_000, None, None)
    assert len(JSONFormatter().format(record)) < 20_000
    assert json.loads(JSONFormatter().format(record)).keys() == {
        *("time", "level", "process", "logger", "message")
    }


def test_a_text_line_names_the_request_if_there_is_one() -> None:
    record = logging.LogRecord("a.b", logging.INFO, "file", 1, "published", None, None)
    assert OneLineFormatter().format(record).endswith(f"[{record.process}] a.b: published")
    record.request_id = "0123456789abcdef"
    line = OneLineFormatter().format(record)
    assert line.endswith(f"[{record.process}] [0123456789abcdef] a.b: published")


def test_an_unknown_format_is_text_until_the_start_is_refused() -> None:
    assert isinstance(create_formatter("json"), JSONFormatter)
    assert isinstance(create_formatter("xml"), OneLineFormatter)


def test_another_call_changes_the_format(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = logging.StreamHandler(), logging.StreamHandler()
    ours.setFormatter(create_formatter("text"))
    monkeypatch.setattr(logging.getLogger(), "handlers", [ours, theirs])
    configure_logging("json")
    assert isinstance(ours.formatter, JSONFormatter) and theirs.formatter is None
    configure_logging("text")
    assert isinstance(ours.formatter, OneLineFormatter)


def test_a_web_process_logs_json_if_asked(fresh_data: Path) -> None:
    lines = run_web_process(fresh_data, SPECTATOR_LOG_FORMAT="json")
    [entry] = [json.loads(line) for line in lines if "amina" in line]
    assert entry["message"] == "login: 'amina@news.example', from 192.0.2.1"


def test_a_web_process_logs_logins_with_time_and_level(fresh_data: Path) -> None:
    [line] = [line for line in run_web_process(fresh_data) if "amina" in line]
    assert LINE.fullmatch(line)
    assert " INFO " in line


def run_web_process(data: Path, **changes: str) -> list[str]:
    """Return what a process that creates the app and logs a login writes to standard error."""
    done = subprocess.run(
        [sys.executable, "-c", WEB_PROCESS],
        env=settings(data, **changes),
        cwd=Path(__file__).parents[1],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    return done.stderr.splitlines()
