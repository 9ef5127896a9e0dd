"""Commands that an upgrade runs."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAX_DETAIL_CHARACTERS = 600


class StepError(Exception):
    """A step of the upgrade has failed; the message says which one and why."""


def call(*words: str, step: str = "") -> str:
    """Return what a command prints; if it fails, raise StepError with the step and its last line.

    The step is the command itself if it has no name.
    """
    name = step or shlex.join(words)[:100]
    try:
        result = subprocess.run(  # noqa: S603 - words of this program, no shell
            words,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise StepError(f"{name} failed: {error}") from error
    if result.returncode:
        output = (result.stderr or result.stdout).strip().splitlines()
        # make ends with a line of its own.
        lines = [line for line in output if not line.startswith("make")] or ["no message"]
        raise StepError(f"{name} failed: {lines[-1][:MAX_DETAIL_CHARACTERS]}")
    return result.stdout.strip()


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)  # noqa: T201 - this is a command
