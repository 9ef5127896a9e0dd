"""pytest plugin: label the coverage of each test with its node id, and time the test.

It also labels the processes that a test starts, by the environment variable that the
coverage settings of the run read.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import coverage
import pytest

T = TypeVar("T")
seconds: dict[str, float] = defaultdict(float)
failed: set[str] = set()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, T, T]:
    """Attribute set-up, test and tear-down to the test."""
    _label(item.nodeid)
    result = yield
    _label("")
    return result


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[object]) -> Generator[None, T, T]:
    """Attribute what is set up once for many tests to no test."""
    test = os.environ["MUTATION_TEST"]
    if fixturedef.scope != "function":
        _label("")
    result = yield
    _label(test)
    return result


def _label(test: str) -> None:
    measurement = coverage.Coverage.current()
    if measurement is not None:
        measurement.switch_context(test)
    os.environ["MUTATION_TEST"] = test


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up the duration of each test, and note the tests that fail without a mutant."""
    seconds[report.nodeid] += report.duration
    if report.failed:
        failed.add(report.nodeid)


def pytest_sessionfinish() -> None:
    """Write the durations of the tests that pass, and the tests that fail."""
    passed = {test: round(time, 4) for test, time in seconds.items() if test not in failed}
    result = {"passed": passed, "failed": sorted(failed)}
    Path(os.environ["MUTATION_RESULT"]).write_text(json.dumps(result), encoding="utf-8")
