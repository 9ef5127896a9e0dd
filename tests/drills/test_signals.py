"""Signals: a reload replaces every process, an exit leaves none, and only one worker works."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from tests.drills.running_site import BOOT_SECONDS, Site, eventually, token

pytestmark = pytest.mark.drill


def test_a_reload_replaces_every_process_without_errors_and_an_exit_leaves_none(
    site: Site,
) -> None:
    assert site.master is not None
    for number in range(2):
        old = site.processes("web") | site.processes("worker")
        assert len(old) == 3
        with site.polling(["/", "/politics/"]):
            site.master.send_signal(signal.SIGHUP)
            eventually(
                lambda old=old: not old & site.processes(),
                BOOT_SECONDS + 25,
                "the processes from before the reload have ended",
            )
            eventually(lambda: len(site.processes("web")) == 2, 10, "two web processes")
            eventually(lambda: len(site.processes("worker")) == 1, 10, "one worker")
        [story] = site.publish([token(number)])
        site.assert_findable([story], 10, "after a reload")
    assert site.stop() == 0
    assert not site.processes()
    assert not site.log_matches("Traceback.*")


def test_an_interrupt_from_the_keyboard_leaves_no_process(site: Site) -> None:
    assert site.master is not None
    eventually(lambda: site.log_matches(r"worker \d+ started"), 10, "the worker has started")
    os.killpg(site.master.pid, signal.SIGINT)
    # A web process that is being forked misses the signal; gunicorn kills it after the graceful
    # timeout.
    assert site.master.wait(30) == 0
    assert not site.processes()
    assert not site.log_matches("Traceback.*")


def test_a_second_worker_waits_and_takes_over(site: Site) -> None:
    eventually(
        lambda: site.log_matches("worker [0-9]+ started"), 10, "the site's own worker has started"
    )
    second_worker = site.spawn("spectator", "worker")
    started = f"worker {second_worker.pid} started"
    [story] = site.publish([token(1)])
    site.assert_findable([story], 10, "by the first worker")
    assert second_worker.poll() is None
    assert not site.log_matches(started)
    [first] = site.processes("worker") - {second_worker.pid}
    os.kill(first, signal.SIGKILL)
    [story] = site.publish([token(2)])
    site.assert_findable([story], 10, "by the second worker")
    assert site.log_matches(started)
    second_worker.terminate()
    assert second_worker.wait(10) == 0
    [story] = site.publish([token(3)])
    site.assert_findable([story], 10, "by the site's next worker")
    site.kill("worker")
    eventually(lambda: site.processes("worker"), 10, "the next worker starts")
    assert site.stop() == 0  # while the worker starts
    assert not site.processes()


def test_a_worker_whose_supervisor_died_before_it_started_exits(
    make_site: Callable[[], Site],
) -> None:
    site = make_site()
    orphan = site.spawn("spectator", "worker", KEEPER_PID="1")
    assert orphan.wait(30) == 0
