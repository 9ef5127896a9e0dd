"""Readers by the thousand: wrk with 16 connections, what it says, and medians of interleaved runs."""

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
    """What came of a load: answers a second, all answers, those of status 400 and more, and broken connections."""

    rate: float
    answers: int
    refused: int
    broken: int


def require(*programs: str) -> None:
    """End the run with what to install, where a program is missing."""
    missing = [each for each in programs if shutil.which(each) is None]
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
    """Return the words that start wrk."""
    asked = [
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
        asked += ["-H", f"{name}: {value}"]
    return [
        *asked,
        *(["-s", str(script)] if script else []),
        url,
        *(["--", *map(str, words)] if words else []),
    ]


def run_wrk(
    url: str, seconds: float, script: Path | None = None, *words: object, **more: str
) -> Load:
    """Ask for an address, or for what a script says, as fast as it is answered; `more` are further headers by name."""
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
    """Keep a load up until the block ends; afterwards the list has what came of it."""
    found: list[Load] = []
    asked = wrk_command(url, 3600, script, words, BROWSER)
    process = subprocess.Popen(
        asked, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
    )
    try:
        yield found
    finally:
        process.send_signal(signal.SIGINT)  # wrk then says what it has seen so far
        told, _ = process.communicate(timeout=30)
    found.append(parse_wrk_output(told))


def parse_wrk_output(output: str) -> Load:
    """Return what wrk says; raises ValueError where it says something else."""
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
    """Return what each act gives in each round; every other round runs backwards, so that drift favours nobody."""
    given: dict[str, list[Result]] = {name: [] for name in runs}
    for number in range(rounds):
        for name in list(runs) if number % 2 == 0 else reversed(list(runs)):
            given[name].append(runs[name]())
    return given


def median_ratio(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the median of the ratios of runs that were neighbours."""
    return statistics.median(mine / yours for mine, yours in zip(one, other, strict=True))


def format_rates(one: Sequence[float], other: Sequence[float]) -> str:
    """Return two medians in words."""
    return f"{statistics.median(one):,.0f} ÷ {statistics.median(other):,.0f} requests/s"
