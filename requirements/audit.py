"""Look up every pinned package for known vulnerabilities in the OSV database: `make audit`.

Exit code 0 if every pin was looked up and none is vulnerable, 1 if one is, 2 if some could not be
looked up, for instance because the database does not respond.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parent.parent
DATABASE = os.environ.get("OSV_URL", "https://api.osv.dev")
TIMEOUT_SECONDS = 20
BATCH = 100

Pin = tuple[str, str, str]  # ecosystem, name, version


def python_pins() -> Iterator[Pin]:
    """Yield the pinned Python packages of developers, which include those of the site."""
    text = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
    for name, version in re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)", text, re.MULTILINE):
        yield "PyPI", name, version


def npm_pins() -> Iterator[Pin]:
    """Yield the pinned npm packages of the browser tests, and those that pages load from a CDN."""
    lock = json.loads((ROOT / "tests/package-lock.json").read_text(encoding="utf-8"))
    for path, package in lock["packages"].items():
        if path:
            yield (
                "npm",
                package.get("name", path.rpartition("node_modules/")[2]),
                package["version"],
            )
    config = (ROOT / "spectator/config.py").read_text(encoding="utf-8")
    for name, version in re.findall(r"/npm/([\w.-]+)@([\w.-]+)/", config):
        yield "npm", name, version


def look_up(pins: list[Pin]) -> list[list[str] | None]:
    """Return the ids of each pin's known vulnerabilities, None if it could not be looked up."""
    queries = [
        {"package": {"ecosystem": ecosystem, "name": name}, "version": version}
        for ecosystem, name, version in pins
    ]
    body = json.dumps({"queries": queries}).encode()
    request = Request(f"{DATABASE}/v1/querybatch", body, {"Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            results: list[dict[str, Any]] = json.load(response)["results"]
        ids = [[entry["id"] for entry in result.get("vulns", [])] for result in results]
    except (URLError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        print(f"{DATABASE} did not answer: {error}", file=sys.stderr)
        return [None] * len(pins)
    return [*ids, *[None] * len(pins)][: len(pins)]


def main() -> int:
    """Print a line for each pin that is vulnerable or was not checked, then the totals."""
    pins = sorted({*python_pins(), *npm_pins()})
    batches = [pins[start : start + BATCH] for start in range(0, len(pins), BATCH)]
    answers = [answer for batch in batches for answer in look_up(batch)]
    for (ecosystem, name, version), vulnerabilities in zip(pins, answers, strict=True):
        if vulnerabilities is None:
            print(f"not checked: {ecosystem} {name} {version}")
        elif vulnerabilities:
            print(f"VULNERABLE: {ecosystem} {name} {version}: {', '.join(vulnerabilities)}")
    vulnerable = sum(1 for answer in answers if answer)
    unchecked = answers.count(None)
    print(f"{len(pins)} pins: {vulnerable} vulnerable, {unchecked} not checked.")
    if vulnerable:
        return 1
    return 2 if unchecked else 0


if __name__ == "__main__":
    sys.exit(main())
