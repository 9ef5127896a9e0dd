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

Result = TypeVar("Given")
CONNECTIONS, THREADS = 16, 2
# What browsers send over plain http; over https they add br.
BROWSER = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Encoding": "gzip, deflate",
    "Accept-Language": "en-GB,en;q=0.5",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
}
SCRIPTS = Path(__file__).parent
MIX, FLOOD = SCRIPTS / "mix.lua", SCRIPTS / "flood.lua"


@dataclass(frozen=True, slots=True)
class Load:
    """Result of a load: responses a second, total, responses of status 400 or more, broken
    connections.
    """

    rate: float
    answers: int
    refused: int
    broken: int


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
    words: Sequence[object],
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
        *(["--", *map(str, words)] if words else []),
    ]


def run_wrk(
    url: str, seconds: float, script: Path | None = None, *words: object, **more: str
) -> Load:
    """Request a URL, or what a script says, as fast as possible; `more` are extra headers."""
    headers = BROWSER | {name.replace("_", "-"): value for name, value in more.items()}
    done = subprocess.run(
        wrk_command(url, seconds, script, words, headers),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return parse_wrk_output(done.stdout)


@contextmanager
def background_load(url: str, script: Path, *words: object) -> Iterator[list[Load]]:
    """Keep a load running until the block ends; the list then holds its result."""
    loads: list[Load] = []
    command = wrk_command(url, 3600, script, words, BROWSER)
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
    """Return the figures in wrk's output; raise ValueError if it has another form."""
    rate = re.search(r"^Requests/sec:\s+([\d.]+)$", output, re.MULTILINE)
    answers = re.search(r"^\s*(\d+) requests in ", output, re.MULTILINE)
    if not rate or not answers:
        raise ValueError(f"wrk says nothing of a rate: {output[:500]}")
    refused = re.search(r"^\s*Non-2xx or 3xx responses: (\d+)$", output, re.MULTILINE)
    broken = re.search(
        r"^\s*Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)$",
        output,
        re.MULTILINE,
    )
    return Load(
        float(rate[1]),
        int(answers[1]),
        int(refused[1]) if refused else 0,
        sum(map(int, broken.groups())) if broken else 0,
    )


def interleave(runs: Mapping[str, Callable[[], Result]], rounds: int) -> dict[str, list[Result]]:
    """Return each function's results by round; every other round runs backwards against drift."""
    results: dict[str, list[Result]] = {name: [] for name in runs}
    for number in range(rounds):
        for name in list(runs) if number % 2 == 0 else reversed(list(runs)):
            results[name].append(runs[name]())
    return results


def median_ratio(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the median of the ratios of neighbouring runs."""
    return statistics.median(numerator / yours for numerator, yours in zip(one, other, strict=True))


def format_rates(one: Sequence[float], other: Sequence[float]) -> str:
    """Return two medians as text."""
    return f"{statistics.median(one):,.0f} ÷ {statistics.median(other):,.0f} requests/s"
