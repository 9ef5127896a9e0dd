"""Description of the machine and software of a run, printed above the figures."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from spectator.db import sqlite


def describe_machine() -> str:
    """Return one paragraph: date, processor, system, versions."""
    cpu = re.search(
        r"^model name\s*:\s*(.+)$",
        Path("/proc/cpuinfo").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    kilobytes = re.search(
        r"^MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text(encoding="utf-8"), re.MULTILINE
    )
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    packages = ", ".join(
        f"{name} {version(name)}" for name in ("flask", "sqlalchemy", "jinja2", "gunicorn")
    )
    return (
        f"{datetime.now(UTC):%d %B %Y}; "
        f"{os.cpu_count()} cores ({cpu[1] if cpu else platform.machine()}), "
        f"{int(kilobytes[1]) // 1_000_000 if kilobytes else '?'} GB, "
        f"{system}, Linux {platform.release()}; "
        f"Python {platform.python_version()}, SQLite {sqlite.sqlite_version}, {packages}, "
        f"{program_version('nginx', '-v')}, {program_version('wrk', '-v')}"
    )


def program_version(program: str, option: str) -> str:
    """Return a program's name and version from its own output."""
    try:
        done = subprocess.run([program, option], capture_output=True, encoding="utf-8")
    except OSError:
        return f"no {program}"
    match = re.search(r"\d+\.\d+(\.\d+)?", done.stdout + done.stderr)
    return f"{program} {match[0]}" if match else program
