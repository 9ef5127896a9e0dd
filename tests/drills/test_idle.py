"""An idle site uses almost no CPU, and still publishes and indexes stories promptly.

20 seconds in CI, 120 at full size (`IDLE_SECONDS`).
"""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.drills.running_site import Site, eventually, token
from tests.drills.sizes import drill_size
from tests.drills.test_schedule import LATEST_SECONDS, lateness, real_clock, schedule

pytestmark = pytest.mark.drill
IDLE_SECONDS = drill_size("IDLE_SECONDS", ci=20, full=120)
MAX_CORE_SHARES = {"worker": 0.003, "web": 0.003, "master": 0.003}
FINDABLE_SECONDS = 3.0


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of all threads of a process, from schedstat of proc(5)."""
    used = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):  # a thread that just ended
            used += int(task.joinpath("schedstat").read_text().split()[0])
    return used / 1e9


def test_an_idle_site_uses_almost_no_cpu_and_reacts_promptly(site: Site) -> None:
    stories = site.publish([token(number) for number in range(10)])
    site.assert_findable(stories, 10, "before the idle period")
    schedule(site, "In an hour", datetime.now(UTC) + timedelta(hours=1))
    time.sleep(4)  # until the worker has computed related stories and done its first maintenance
    pids = {role: site.processes(role) for role in MAX_CORE_SHARES}
    before = {pid: cpu_seconds(pid) for group in pids.values() for pid in group}
    started = time.monotonic()
    time.sleep(IDLE_SECONDS)
    elapsed = time.monotonic() - started
    used = {
        role: max((cpu_seconds(pid) - before[pid]) / elapsed for pid in group)
        for role, group in pids.items()
    }
    print("idle: " + ", ".join(f"{role} {share:.2%} of a core" for role, share in used.items()))
    for role, share in used.items():
        assert share <= MAX_CORE_SHARES[role], f"{role}: {share:.2%}"
    [story] = site.publish([token(99)])
    site.assert_findable([story], FINDABLE_SECONDS, "after the idle period")
    due = datetime.now(UTC) + timedelta(seconds=2)
    assert lateness(site, schedule(site, "Due", due), due, real_clock) <= LATEST_SECONDS
    eventually(lambda: site.get("/readyz").status == 200, 5, "/readyz is 200")
