"""Load generation with wrk (16 connections), its output, and medians of interleaved runs."""

from __future__ import annotations

import re
import shutil
import signal
import statistics
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")
CONNECTIONS, THREADS = 16, 2
# What browsers send over plain http; over https they add br.
BROWSER = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Encoding": "gzip, deflate",
    "Accept-Language": "en-GB,en;q=0.5",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
}
SCRIPTS = Path(__file__).parent
MIX_SCRIPT, FLOOD_SCRIPT = SCRIPTS / "mix.lua", SCRIPTS / "flood.lua"


@dataclass(frozen=True, slots=True)
class Load:
    """Result of a load: responses a second, and totals."""

    rate: float
    responses: int
    error_responses: int  # of status 400 or more
    socket_errors: int


def require(*programs: str) -> None:
    """Exit with a message on what to install if a program is missing."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        raise SystemExit(
            f"{' and '.join(missing)} cannot be found: apt-get install {' '.join(missing)}"
        )


def wrk_command(
    url: str,
    seconds: float,
    script: Path | None,
    script_arguments: Sequence[object],
    headers: Mapping[str, str],
) -> list[str]:
    """Return the command line of wrk."""
    command = [
        "wrk",
        "-t",
        str(THREADS),
        "-c",
        str(CONNECTIONS),
        "-d",
        f"{max(1, round(seconds))}s",
        "--timeout",
        "10s",
    ]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    return [
        *command,
        *(["-s", str(script)] if script else []),
        url,
        *(["--", *map(str, script_arguments)] if script_arguments else []),
    ]


def run_wrk(
    url: str,
    seconds: float,
    script: Path | None = None,
    *script_arguments: object,
    **extra_headers: str,
) -> Load:
    """Request a URL, or the paths that a script chooses, as fast as possible."""
    headers = BROWSER | {name.replace("_", "-"): value for name, value in extra_headers.items()}
    done = subprocess.run(
        wrk_command(url, seconds, script, script_arguments, headers),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return parse_wrk_output(done.stdout)


@contextmanager
def background_load(url: str, script: Path, *script_arguments: object) -> Iterator[list[Load]]:
    """Keep a load running until the block ends; the yielded list then contains its result."""
    loads: list[Load] = []
    command = wrk_command(url, 3600, script, script_arguments, BROWSER)
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
    )
    try:
        yield loads
    finally:
        process.send_signal(signal.SIGINT)  # wrk then prints its figures so far
        output, _ = process.communicate(timeout=30)
    loads.append(parse_wrk_output(output))


def parse_wrk_output(output: str) -> Load:
    """Return the figures in wrk's output; raise ValueError if there are none."""
    rate = re.search(r"^Requests/sec:\s+([\d.]+)$", output, re.MULTILINE)
    responses = re.search(r"^\s*(\d+) requests in ", output, re.MULTILINE)
    if not rate or not responses:
        raise ValueError(f"wrk printed no rate: {output[:500]}")
    error_responses = re.search(r"^\s*Non-2xx or 3xx responses: (\d+)$", output, re.MULTILINE)
    socket_errors = re.search(
        r"^\s*Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)$",
        output,
        re.MULTILINE,
    )
    return Load(
        float(rate[1]),
        int(responses[1]),
        int(error_responses[1]) if error_responses else 0,
        sum(map(int, socket_errors.groups())) if socket_errors else 0,
    )


def interleave(runs: Mapping[str, Callable[[], Result]], rounds: int) -> dict[str, list[Result]]:
    """Return each function's results, one a round; run every other round backwards, so that slow
    drift of the machine favours no function.
    """
    results: dict[str, list[Result]] = {name: [] for name in runs}
    for number in range(rounds):
        for name in list(runs) if number % 2 == 0 else reversed(list(runs)):
            results[name].append(runs[name]())
    return results


def median_ratio(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    """Return the median of the rounds' ratios."""
    pairs = zip(numerators, denominators, strict=True)
    return statistics.median(numerator / denominator for numerator, denominator in pairs)


def format_rates(numerators: Sequence[float], denominators: Sequence[float]) -> str:
    """Return the medians of the numerators and of the denominators: “900 ÷ 450 requests/s”."""
    medians = statistics.median(numerators), statistics.median(denominators)
    return f"{medians[0]:,.0f} ÷ {medians[1]:,.0f} requests/s"
